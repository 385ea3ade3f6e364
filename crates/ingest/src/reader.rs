//! The poll thread: reads, judges and batches records, and commits the offsets of what is stored.
//!
//! One thread does all of it, so the order is plain: a batch is handed over when it closes, its offsets are committed
//! when the writer says that it is stored, and never once the partitions were taken away.

mod partitions;

use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use meterhouse_model::Rules;
use meterhouse_store::{EventBatch, LastRecord, crash};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::assignment::{Admission, Assignment};
use crate::batch::{Batch, CloseReason};
use crate::group::{self, Change, GroupConsumer};
use crate::message::{Message, MessageQueue, PartitionError};
use crate::progress::Reading;
use crate::record::{record, rejected};
use crate::resume::Resumption;
use crate::writer::{Done, now_ms};
use crate::{BatchLimits, Error, Metrics, Reporter};

/// Messages that are taken together.
const CHUNK_MESSAGES: usize = 10_000;
/// Longest wait for anything, so that the group's events are served often enough.
const STEP: Duration = Duration::from_millis(50);
/// How often gauges are set anew.
const GAUGE_INTERVAL: Duration = Duration::from_secs(1);
/// How often all offsets are committed again: nobody tells of a commit that has failed.
const COMMIT_INTERVAL: Duration = Duration::from_secs(30);
/// Time to store what was read, once the shutdown has begun.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Name of the readiness check.
const CHECK: &str = "partitions";

/// What the poll thread works with.
pub(crate) struct Reader {
    consumer: Arc<GroupConsumer>,
    queue: MessageQueue,
    topic: String,
    limits: BatchLimits,
    rules: watch::Receiver<Arc<Rules>>,
    resumption: Resumption,
    assignment: Assignment,
    /// Partitions that are to be taken, and when to ask where they begin.
    given: Option<(Vec<i32>, Instant)>,
    batch: Batch,
    /// Bytes of batches that are handed over and not done with yet.
    handed_bytes: usize,
    /// How many batches these are.
    handed: usize,
    batches: mpsc::UnboundedSender<Batch>,
    done: Receiver<Done>,
    emptied: Receiver<EventBatch>,
    metrics: Metrics,
    report: Reporter,
    gauges_set: Instant,
    committed: Instant,
    looked_for_acceptance: Instant,
}

/// The ends of the channels to the writer and back.
pub(crate) struct Channels {
    pub(crate) batches: mpsc::UnboundedSender<Batch>,
    pub(crate) done: Receiver<Done>,
    /// Batches that are sealed: their memory is for the next ones.
    pub(crate) emptied: Receiver<EventBatch>,
}

impl Reader {
    /// Joins the consumer group. Nothing is read yet.
    pub(crate) fn join(
        resumption: Resumption,
        limits: BatchLimits,
        rules: watch::Receiver<Arc<Rules>>,
        channels: Channels,
        metrics: Metrics,
        report: Reporter,
    ) -> Result<Self, Error> {
        let kafka = &resumption.kafka;
        let consumer = Arc::new(group::join(kafka)?);
        let queue = MessageQueue::new(Arc::clone(&consumer), &kafka.topic, CHUNK_MESSAGES);
        let assignment = Assignment::default();
        report(CHECK, assignment.readiness(&kafka.topic));
        Ok(Self {
            queue,
            consumer,
            topic: kafka.topic.clone(),
            resumption,
            limits,
            rules,
            batch: assignment.batch(EventBatch::default()),
            assignment,
            given: None,
            handed_bytes: 0,
            handed: 0,
            batches: channels.batches,
            done: channels.done,
            emptied: channels.emptied,
            metrics,
            report,
            gauges_set: Instant::now(),
            committed: Instant::now(),
            looked_for_acceptance: Instant::now(),
        })
    }

    /// Reads until the shutdown, then stores what was read, within a bound.
    pub(crate) fn run(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        while !shutdown.is_cancelled() {
            self.serve_group()?;
            self.take_given()?;
            self.look_for_acceptance()?;
            self.commit_stored(Duration::ZERO)?;
            if self.is_full() {
                // The queue behind us fills up to its limit, then librdkafka asks for no more.
                self.commit_stored(STEP)?;
            } else {
                self.read();
            }
            self.close_if_due();
            self.keep_accounts();
        }
        self.drain()
    }

    /// Waits for the answers to the last commits and leaves the group. That takes as long as librdkafka waits for a broker:
    /// a minute if there is none.
    pub(crate) fn leave(self) {
        tracing::info!("leaving the consumer group");
        group::prepare_to_leave(&self.consumer);
    }

    /// Serves the group's events; gives back partitions and notes which are given.
    fn serve_group(&mut self) -> Result<(), Error> {
        match self.consumer.poll(Duration::ZERO) {
            // An error that passes: the group's context has logged it.
            None | Some(Err(KafkaError::MessageConsumption(_))) => {}
            Some(Err(error)) => return Err(Error::Kafka(error)),
            Some(Ok(_)) => return Err(Error::Misled),
        }
        while let Some(change) = self.consumer.context().take_change() {
            self.metrics.rebalances.inc();
            match change {
                Change::Assigned(partitions) => self.given = Some((partitions, Instant::now())),
                Change::Revoked => self.give_up_partitions(),
            }
        }
        Ok(())
    }

    /// Takes note of stored batches; waits up to a time for the first.
    fn commit_stored(&mut self, mut wait: Duration) -> Result<(), Error> {
        loop {
            let done = match self.done.recv_timeout(wait) {
                Ok(done) => done,
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(Error::WriterEnded),
            };
            wait = Duration::ZERO;
            self.handed -= 1;
            self.handed_bytes -= done.bytes;
            if !done.is_stored {
                self.leave_log(&done.progress)?;
                continue;
            }
            let offsets = self.assignment.advance(&done.progress, &self.topic);
            crash::point("before_commit");
            group::commit(&self.consumer, &offsets);
            crash::point("after_commit");
        }
    }

    fn is_full(&self) -> bool {
        self.handed_bytes + self.batch.bytes() >= self.limits.inflight_bytes
    }

    /// Reads a chunk.
    fn read(&mut self) {
        let left = self.batch.time_left(&self.limits, Instant::now()).unwrap_or(STEP);
        let chunk = self.queue.take(left.min(STEP));
        let (rules, now) = (Arc::clone(&self.rules.borrow()), Instant::now());
        for message in chunk.messages() {
            if let Some(error) = message.error() {
                self.stop_or_warn(message, error);
                continue;
            }
            if let Some(reading) = self.admit(message) {
                let record = record(&self.topic, message);
                self.batch.push(&record, &reading, || rejected(message), &rules, now);
                crash::point("record_pushed");
                if let Some(reason) = self.batch.close_reason(&self.limits, now) {
                    self.hand_over(reason);
                }
            }
        }
    }

    /// The place of a record that is to be read now.
    fn admit(&mut self, message: Message<'_>) -> Option<Reading> {
        let (partition, offset) = (message.partition(), message.offset());
        let seen = LastRecord::new(offset, message.timestamp_ms(), message.key(), message.value());
        match self.assignment.admit(partition, seen) {
            Admission::Read(reading) => return Some(reading),
            Admission::Ignored => {}
            Admission::Known => self.tell_readiness(),
            Admission::Refused(why) => self.stop(partition, offset, why),
        }
        None
    }

    /// Goes on after an error of a partition, unless records would be skipped.
    fn stop_or_warn(&mut self, message: Message<'_>, error: PartitionError) {
        let (topic, partition, offset) = (&self.topic, message.partition(), message.offset());
        if !error.loses_records() {
            tracing::warn!(topic, partition, error = error.text, "cannot read a partition at the moment");
        } else if error.is_out_of_range() && self.assignment.awaits_record(partition) {
            tracing::info!(topic, partition, offset, "the last accounted record has just left the log");
            self.take_again();
        } else {
            self.stop(partition, offset, error.text);
        }
    }

    /// Reads a partition no more, until it is taken again.
    fn stop(&mut self, partition: i32, offset: i64, why: String) {
        if self.assignment.stop(partition, why.clone()) {
            tracing::error!(topic = self.topic, partition, offset, reason = why, "partition stopped");
            let mut list = TopicPartitionList::new();
            list.add_partition(&self.topic, partition);
            // What comes all the same is not read: see `admit`.
            let _ = self.consumer.pause(&list);
            self.tell_readiness();
        }
    }

    fn close_if_due(&mut self) {
        if let Some(reason) = self.batch.close_reason(&self.limits, Instant::now()) {
            self.hand_over(reason);
        }
    }

    fn hand_over(&mut self, reason: CloseReason) {
        let next = self.assignment.batch(self.emptied.try_recv().unwrap_or_default());
        let batch = mem::replace(&mut self.batch, next);
        self.assignment.note_read(&batch.progress);
        self.metrics.closed(&batch, reason);
        self.handed += 1;
        self.handed_bytes += batch.bytes_until_stored();
        crash::point("batch_closed");
        // If the writer is gone, the other channel says so.
        let _ = self.batches.send(batch);
    }

    /// What is due from time to time: offsets again, and the gauges.
    fn keep_accounts(&mut self) {
        if self.gauges_set.elapsed() < GAUGE_INTERVAL {
            return;
        }
        self.gauges_set = Instant::now();
        if self.handed == 0
            && self.batch.is_empty()
            && let Ok(positions) = self.consumer.position()
        {
            self.assignment.note_positions(&positions);
        }
        if self.committed.elapsed() >= COMMIT_INTERVAL {
            self.committed = Instant::now();
            group::commit(&self.consumer, &self.assignment.offsets(&self.topic));
        }
        self.set_gauges();
    }

    fn tell_readiness(&self) {
        (self.report)(CHECK, self.assignment.readiness(&self.topic));
    }

    fn set_gauges(&self) {
        self.metrics.inflight(self.handed_bytes + self.batch.bytes());
        self.metrics.partitions(self.assignment.len(), self.assignment.stopped(), self.is_full());
        for (partition, position) in self.assignment.positions() {
            self.metrics.ledger_position(partition, position);
        }
        for (partition, records, seconds) in
            self.assignment.lags(|partition| self.queue.known_end(partition), now_ms())
        {
            self.metrics.lag(partition, records, seconds);
        }
    }

    /// Stores what was read and commits its offsets. What is not stored within the bound is read again at the next start.
    fn drain(&mut self) -> Result<(), Error> {
        if !self.batch.is_empty() {
            self.hand_over(CloseReason::Shutdown);
        }
        let begun = Instant::now();
        while self.handed > 0 && begun.elapsed() < DRAIN_TIMEOUT {
            self.serve_group()?;
            self.commit_stored(STEP)?;
        }
        crash::point("drained");
        if self.handed > 0 {
            let batches = self.handed;
            tracing::warn!(batches, "batches are not stored in time: their records are read again later");
        }
        Ok(())
    }
}
