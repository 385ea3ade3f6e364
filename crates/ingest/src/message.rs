//! Messages of the assigned partitions, taken out of librdkafka many at a time: a third of the cost of one by one.
//!
//! One of the two files of this crate that hold `unsafe`. librdkafka's rules that it rests on: a queue outlives the calls that
//! use it and is destroyed before its client; a message and all that it points to live until the message is destroyed.
#![expect(unsafe_code, reason = "the batch interface of librdkafka has no safe form in the rdkafka crate")]

use std::ffi::{CStr, CString, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::consumer::Consumer;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaMessage, RDKafkaQueue, RDKafkaRespErr};

use crate::group::GroupConsumer;

/// A queue of our own that the assigned partitions' messages go to, beside the consumer's queue of events.
pub(crate) struct MessageQueue {
    queue: *mut RDKafkaQueue,
    topic: CString,
    consumer: Arc<GroupConsumer>,
    chunk_messages: usize,
}

// SAFETY: librdkafka's queues may be used from any thread.
unsafe impl Send for MessageQueue {}

impl MessageQueue {
    /// A queue for partitions of a topic, in chunks of so many messages at most.
    pub(crate) fn new(consumer: Arc<GroupConsumer>, topic: &str, chunk_messages: usize) -> Self {
        // Kafka's names have no NUL: one that has names no topic.
        let topic = CString::new(topic).unwrap_or_default();
        // SAFETY: the client lives as long as the consumer; the call never fails.
        let queue = unsafe { sys::rd_kafka_queue_new(consumer.client().native_ptr()) };
        Self { queue, topic, consumer, chunk_messages }
    }

    /// Leads a partition's messages into this queue. To be called before the partition is assigned: so no message is
    /// under way to another queue.
    pub(crate) fn attach(&self, partition: i32) {
        let client = self.consumer.client().native_ptr();
        // SAFETY: all pointers are live; the reference to the partition's queue is given back.
        unsafe {
            let source = sys::rd_kafka_queue_get_partition(client, self.topic.as_ptr(), partition);
            if !source.is_null() {
                sys::rd_kafka_queue_forward(source, self.queue);
                sys::rd_kafka_queue_destroy(source);
            }
        }
    }

    /// Takes messages until there are as many as fit into a chunk, or the time is over.
    pub(crate) fn take(&self, time: Duration) -> Chunk {
        let milliseconds = i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
        let mut messages: Vec<*mut RDKafkaMessage> = Vec::with_capacity(self.chunk_messages);
        // SAFETY: there is room for as many pointers as are asked for, and so many as are returned are written.
        unsafe {
            let (slots, room) = (messages.as_mut_ptr(), messages.capacity());
            let count = sys::rd_kafka_consume_batch_queue(self.queue, milliseconds, slots, room);
            messages.set_len(usize::try_from(count).unwrap_or(0));
        }
        Chunk { messages, _consumer: Arc::clone(&self.consumer) }
    }

    /// The end of a partition's log as its broker's last answer said. No question is asked.
    pub(crate) fn known_end(&self, partition: i32) -> Option<i64> {
        let client = self.consumer.client().native_ptr();
        let (mut low, mut high) = (-1, -1);
        // SAFETY: all pointers are live.
        let found = unsafe {
            sys::rd_kafka_get_watermark_offsets(client, self.topic.as_ptr(), partition, &mut low, &mut high)
        };
        (found == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
    }
}

impl Drop for MessageQueue {
    fn drop(&mut self) {
        // SAFETY: nothing uses the queue any more, and its client still lives.
        unsafe { sys::rd_kafka_queue_destroy(self.queue) }
    }
}

/// Messages that were taken together.
pub(crate) struct Chunk {
    messages: Vec<*mut RDKafkaMessage>,
    /// Whose memory they are in.
    _consumer: Arc<GroupConsumer>,
}

impl Chunk {
    pub(crate) fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        self.messages.iter().map(|message| Message { message: *message, chunk: PhantomData })
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        for message in &self.messages {
            // SAFETY: each message is destroyed once, and nothing borrows from it any more.
            unsafe { sys::rd_kafka_message_destroy(*message) }
        }
    }
}

/// One message: a record, or an error of a partition.
#[derive(Clone, Copy)]
pub(crate) struct Message<'c> {
    /// The first part of something larger that librdkafka reaches, and writes to, through this pointer: so it is no
    /// reference.
    message: *const RDKafkaMessage,
    chunk: PhantomData<&'c Chunk>,
}

impl<'c> Message<'c> {
    fn fields(self) -> &'c RDKafkaMessage {
        // SAFETY: the message is live until the chunk is dropped, and nobody writes to this part of it.
        unsafe { &*self.message }
    }

    /// What is wrong with the partition, where the message is no record.
    pub(crate) fn error(self) -> Option<PartitionError> {
        if self.fields().err == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        // SAFETY: the text belongs to the message.
        let text = unsafe {
            let text = sys::rd_kafka_message_errstr(self.message);
            if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
        };
        Some(PartitionError { code: self.fields().err.into(), text })
    }

    pub(crate) fn partition(self) -> i32 {
        self.fields().partition
    }

    pub(crate) fn offset(self) -> i64 {
        self.fields().offset
    }

    /// Milliseconds since the epoch.
    pub(crate) fn timestamp_ms(self) -> Option<i64> {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: reads from a live message.
        let timestamp = unsafe { sys::rd_kafka_message_timestamp(self.message, &mut kind) };
        let is_given = kind != sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        (is_given && timestamp >= 0).then_some(timestamp)
    }

    pub(crate) fn key(self) -> Option<&'c [u8]> {
        // SAFETY: the message owns its key.
        unsafe { bytes(self.fields().key, self.fields().key_len) }
    }

    pub(crate) fn value(self) -> Option<&'c [u8]> {
        // SAFETY: the message owns its payload.
        unsafe { bytes(self.fields().payload, self.fields().len) }
    }

    /// Names and values, in their order; a value that is null counts as empty.
    pub(crate) fn headers(self) -> impl Iterator<Item = (&'c [u8], &'c [u8])> {
        let mut headers = ptr::null_mut();
        // SAFETY: the headers belong to the message.
        let found = unsafe { sys::rd_kafka_message_headers(self.message, &mut headers) };
        let count = match found {
            // SAFETY: the headers are there.
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => unsafe { sys::rd_kafka_header_cnt(headers) },
            _ => 0,
        };
        (0..count).filter_map(move |place| {
            let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
            // SAFETY: name and value belong to the headers, which belong to the message.
            unsafe {
                let found = sys::rd_kafka_header_get_all(headers, place, &mut name, &mut value, &mut length);
                let is_found = found == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;
                is_found.then(|| (CStr::from_ptr(name).to_bytes(), bytes(value, length).unwrap_or_default()))
            }
        })
    }
}

/// # Safety
/// The pointer is null, or so many bytes are readable behind it for `'c`.
unsafe fn bytes<'c>(start: *const c_void, length: usize) -> Option<&'c [u8]> {
    // SAFETY: by the caller's promise.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast(), length) })
}

/// What is wrong with a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionError {
    pub(crate) code: RDKafkaErrorCode,
    pub(crate) text: String,
}

impl PartitionError {
    /// Whether the log does not hold the offset that was asked for.
    pub(crate) fn is_out_of_range(&self) -> bool {
        self.code == RDKafkaErrorCode::AutoOffsetReset
    }

    /// Whether librdkafka goes on behind the records that it could not read: then somebody has to act, and until then
    /// the partition stands still.
    pub(crate) fn loses_records(&self) -> bool {
        matches!(
            self.code,
            RDKafkaErrorCode::AutoOffsetReset
                | RDKafkaErrorCode::BadMessage
                | RDKafkaErrorCode::BadCompression
                | RDKafkaErrorCode::NotImplemented
                | RDKafkaErrorCode::MessageSizeTooLarge
        )
    }
}
