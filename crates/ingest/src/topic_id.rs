//! The id of a topic: another one means that the topic was deleted and created anew under the same name.
//!
//! librdkafka goes on in the new log at the offset of the old one, and tells nobody. `unsafe`, since the rdkafka crate does
//! not have this question. librdkafka's rules that it rests on: an event and all that it points to live until the event is
//! destroyed; whatever was made is destroyed before the client.
#![expect(unsafe_code, reason = "the description of topics has no safe form in the rdkafka crate")]

use std::ffi::{CString, c_char, c_int};
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

use crate::probe::Silent;
use crate::{Error, KafkaConfig};

/// Time that a broker has to answer.
const TIMEOUT_MS: c_int = 5000;
/// Time to take what the client has to say.
const LISTEN: Duration = Duration::from_millis(1);

/// Stays the same for as long as the topic is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TopicId(pub(crate) u128);

impl TopicId {
    /// What brokers say that know no ids.
    pub(crate) const NONE: Self = Self(0);
}

/// The id of the configured topic; `None`: there is no such topic; 0: the brokers give no ids. Blocks for five seconds at
/// most.
///
/// # Errors
/// They do not answer.
pub fn topic_id(config: &KafkaConfig) -> Result<Option<u128>, Error> {
    Ok(TopicIds::new(config)?.read()?.map(|id| id.0))
}

/// Asks for the id of the configured topic, over a connection of its own.
pub(crate) struct TopicIds {
    client: BaseConsumer<Silent>,
    topic: CString,
}

impl TopicIds {
    /// Prepares a client. No connection is waited for.
    pub(crate) fn new(config: &KafkaConfig) -> KafkaResult<Self> {
        let client = BaseConsumer::from_config_and_context(&config.client(), Silent)?;
        // Kafka's names have no NUL: one that has names no topic.
        Ok(Self { client, topic: CString::new(config.topic.as_str()).unwrap_or_default() })
    }

    /// Asks once; `None`: there is no such topic. Blocks for five seconds at most.
    pub(crate) fn read(&self) -> KafkaResult<Option<TopicId>> {
        let answer = self.ask();
        // Events that nobody takes would pile up for as long as an outage lasts.
        while self.client.poll(LISTEN).is_some() {}
        match answer {
            Ok(id) => Ok(Some(id)),
            Err(RDKafkaErrorCode::UnknownTopicOrPartition) => Ok(None),
            Err(RDKafkaErrorCode::UnsupportedFeature | RDKafkaErrorCode::UnsupportedVersion) => {
                Ok(Some(TopicId::NONE))
            }
            Err(code) => Err(KafkaError::AdminOp(code)),
        }
    }

    fn ask(&self) -> Result<TopicId, RDKafkaErrorCode> {
        let client = self.client.client().native_ptr();
        let (mut names, mut why) = ([self.topic.as_ptr()], [0 as c_char; 256]);
        // SAFETY: all pointers are live during the calls; the question copies the name; each thing is destroyed once.
        unsafe {
            let queue = sys::rd_kafka_queue_new(client);
            let kind = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
            let options = sys::rd_kafka_AdminOptions_new(client, kind);
            sys::rd_kafka_AdminOptions_set_request_timeout(options, TIMEOUT_MS, why.as_mut_ptr(), why.len());
            let topics = sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
            sys::rd_kafka_DescribeTopics(client, topics, options, queue);
            let event = sys::rd_kafka_queue_poll(queue, TIMEOUT_MS);
            let id = if event.is_null() { Err(RDKafkaErrorCode::OperationTimedOut) } else { id(event) };
            if !event.is_null() {
                sys::rd_kafka_event_destroy(event);
            }
            sys::rd_kafka_TopicCollection_destroy(topics);
            sys::rd_kafka_AdminOptions_destroy(options);
            sys::rd_kafka_queue_destroy(queue);
            id
        }
    }
}

/// The id in the answer to a question about one topic.
///
/// # Safety
/// The event is live.
unsafe fn id(event: *mut sys::rd_kafka_event_t) -> Result<TopicId, RDKafkaErrorCode> {
    // SAFETY: by the caller's promise; what the calls return is part of the event.
    unsafe {
        check(sys::rd_kafka_event_error(event))?;
        let result = sys::rd_kafka_event_DescribeTopics_result(event);
        if result.is_null() {
            return Err(RDKafkaErrorCode::Unknown);
        }
        let mut count = 0;
        let topics = sys::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        if count == 0 {
            return Err(RDKafkaErrorCode::UnknownTopicOrPartition);
        }
        let topic = *topics;
        let error = sys::rd_kafka_TopicDescription_error(topic);
        if !error.is_null() {
            check(sys::rd_kafka_error_code(error))?;
        }
        let id = sys::rd_kafka_TopicDescription_topic_id(topic);
        let high = sys::rd_kafka_Uuid_most_significant_bits(id).cast_unsigned();
        let low = sys::rd_kafka_Uuid_least_significant_bits(id).cast_unsigned();
        Ok(TopicId(u128::from(high) << 64 | u128::from(low)))
    }
}

fn check(code: RDKafkaRespErr) -> Result<(), RDKafkaErrorCode> {
    if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR { Ok(()) } else { Err(code.into()) }
}
