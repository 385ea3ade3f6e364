//! Membership in the consumer group.
//!
//! librdkafka tells of a change of the assignment inside a poll. What is to be done about it is done by the reader
//! right after that poll, on the same thread: so no offset can be committed between a revocation and its handling.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use crate::KafkaConfig;

/// Time for one question about committed offsets.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(5);

/// A member of the consumer group.
pub(crate) type GroupConsumer = BaseConsumer<GroupContext>;

/// A change of the assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// These partitions are ours once we have taken them.
    Assigned(Vec<i32>),
    /// None is ours any more.
    Revoked,
}

/// Notes what librdkafka tells.
#[derive(Debug, Default)]
pub(crate) struct GroupContext {
    changes: Mutex<VecDeque<Change>>,
    /// Nobody takes changes any more.
    is_leaving: AtomicBool,
}

impl GroupContext {
    /// The oldest change that nobody has taken.
    pub(crate) fn take_change(&self) -> Option<Change> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn note(&self, change: Change) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push_back(change);
    }
}

impl ClientContext for GroupContext {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "kafka consumer has trouble");
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let is_given = kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if is_given && !self.is_leaving.load(Ordering::Relaxed) {
            self.note(Change::Assigned(list.elements().iter().map(|element| element.partition()).collect()));
            return;
        }
        // Also while the consumer is being closed, which waits until every change has its answer.
        unassign(consumer);
        self.note(Change::Revoked);
    }
}

/// Joins the group of the configuration.
pub(crate) fn join(config: &KafkaConfig) -> KafkaResult<GroupConsumer> {
    let consumer = BaseConsumer::from_config_and_context(&config.consumer(), GroupContext::default())?;
    consumer.subscribe(&[&config.topic])?;
    Ok(consumer)
}

/// Commits offsets without waiting. An answer that fails is in librdkafka's own log, and nowhere else.
pub(crate) fn commit(consumer: &GroupConsumer, offsets: &TopicPartitionList) {
    if offsets.count() > 0
        && let Err(error) = consumer.commit(offsets, CommitMode::Async)
    {
        tracing::warn!(%error, "offsets were not committed, trying again later");
    }
}

/// Answers every change from now on by giving the partitions back, also the one that was taken note of and no more:
/// otherwise the consumer would wait for that answer while it is being closed, for ever.
pub(crate) fn prepare_to_leave(consumer: &GroupConsumer) {
    consumer.context().is_leaving.store(true, Ordering::Relaxed);
    unassign(consumer);
}

fn unassign<C: ConsumerContext>(consumer: &BaseConsumer<C>) {
    if let Err(error) = consumer.unassign() {
        tracing::error!(%error, "cannot give the partitions back");
    }
}

/// The committed offsets of partitions; nothing of those where none is.
pub(crate) fn committed<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partitions: &[i32],
) -> KafkaResult<BTreeMap<i32, i64>> {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(topic, *partition);
    }
    let mut offsets = BTreeMap::new();
    for element in consumer.committed_offsets(list, COMMITTED_TIMEOUT)?.elements() {
        element.error()?;
        if let Offset::Offset(offset) = element.offset() {
            offsets.insert(element.partition(), offset);
        }
    }
    Ok(offsets)
}
