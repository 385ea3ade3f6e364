//! What Kafka says of a topic without reading it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

use crate::probe::Silent;
use crate::{Error, KafkaConfig, group};

/// Time for one question.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Time to find the brokers.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A partition's log, and how far the consumer group has committed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionLog {
    /// Its number.
    pub partition: i32,
    /// Offset of the first record that is still there.
    pub start: i64,
    /// Offset behind the last record that is not part of an open transaction.
    pub end: i64,
    /// The committed offset.
    pub committed: Option<i64>,
}

/// The logs of all partitions of the configured topic; none where there is no such topic. Blocks until the brokers have
/// answered, each question within a limit.
///
/// # Errors
/// They do not answer, or refuse to.
pub fn partition_logs(config: &KafkaConfig) -> Result<Vec<PartitionLog>, Error> {
    let consumer = BaseConsumer::from_config_and_context(&config.consumer(), Silent)?;
    let metadata = consumer.fetch_metadata(Some(&config.topic), CONNECT_TIMEOUT)?;
    let topic = metadata.topics().iter().find(|topic| topic.name() == config.topic);
    let partitions = topic.map_or(&[][..], |topic| topic.partitions());
    let mut partitions: Vec<i32> = partitions.iter().map(|partition| partition.id()).collect();
    if partitions.is_empty() {
        return Ok(Vec::new());
    }
    partitions.sort_unstable();
    let committed = group::committed(&consumer, &config.topic, &partitions)?;
    let log = |partition: i32| {
        let (start, end) = consumer.fetch_watermarks(&config.topic, partition, TIMEOUT)?;
        Ok(PartitionLog { partition, start, end, committed: committed.get(&partition).copied() })
    };
    partitions.into_iter().map(log).collect()
}

/// Asks whether the configured topic is compacted, over a connection of its own.
pub(crate) struct CleanupPolicy {
    admin: AdminClient<Silent>,
    topic: String,
    /// It is said once that we are not allowed to know.
    is_denied: AtomicBool,
}

impl CleanupPolicy {
    /// Prepares a client. No connection is waited for.
    pub(crate) fn new(config: &KafkaConfig) -> KafkaResult<Self> {
        let admin = AdminClient::from_config_and_context(&config.client(), Silent)?;
        Ok(Self { admin, topic: config.topic.clone(), is_denied: AtomicBool::new(false) })
    }

    /// Asks once: why a topic that is compacted is not read. `None`: it is not, or we are not allowed to know, or the
    /// brokers cannot say.
    ///
    /// # Errors
    /// They do not answer.
    pub(crate) async fn refusal(&self) -> KafkaResult<Option<Error>> {
        let options = AdminOptions::new().request_timeout(Some(TIMEOUT));
        let topic = ResourceSpecifier::Topic(&self.topic);
        let answer = match self.admin.describe_configs(&[topic], &options).await {
            Ok(answers) => {
                answers.into_iter().next().unwrap_or(Err(RDKafkaErrorCode::UnknownTopicOrPartition))
            }
            Err(error) => Err(error.rdkafka_error_code().ok_or(error)?),
        };
        match answer {
            Ok(resource) => {
                let compacts = policy(&resource).filter(|policy| policy.contains("compact"));
                Ok(compacts.map(|policy| Error::Compacted { topic: self.topic.clone(), policy }))
            }
            Err(code) if is_denied(code) => {
                self.tell_denied(code);
                Ok(None)
            }
            Err(code) => Err(KafkaError::AdminOp(code)),
        }
    }

    fn tell_denied(&self, code: RDKafkaErrorCode) {
        if !self.is_denied.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                topic = self.topic,
                error = %code,
                "cannot see whether the topic is compacted, which would lose usage: allow DescribeConfigs"
            );
        }
    }
}

fn policy(resource: &ConfigResource) -> Option<String> {
    resource.get("cleanup.policy").and_then(|entry| entry.value.clone())
}

fn is_denied(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::UnsupportedVersion
            | RDKafkaErrorCode::UnsupportedFeature
    )
}
