//! Whether Kafka answers and has the topic, and what the consumer group has committed there.

use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::{KafkaConfig, Metrics, group};

/// Time for one question.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Time to take what the client has to say.
const LISTEN: Duration = Duration::from_millis(1);

/// Asks Kafka for the topic, over a connection of its own.
///
/// To drop it may take as long as librdkafka waits for a broker: it is for a thread that may block.
pub struct KafkaProbe {
    client: BaseConsumer<Silent>,
    topic: String,
    metrics: Metrics,
}

/// Says nothing: the answer to each question says it, and the pipeline's client logs the same.
pub(crate) struct Silent;

impl ClientContext for Silent {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, _: KafkaError, _: &str) {}
}

impl ConsumerContext for Silent {}

impl KafkaProbe {
    /// Prepares a client. No connection is waited for.
    ///
    /// # Errors
    /// librdkafka refuses a property.
    pub fn new(config: &KafkaConfig, metrics: Metrics) -> Result<Self, KafkaError> {
        let client = BaseConsumer::from_config_and_context(&config.bystander(), Silent)?;
        Ok(Self { client, topic: config.topic.clone(), metrics })
    }

    /// Asks once. Blocks for eight seconds at most.
    ///
    /// # Errors
    /// What is wrong, for a person: without addresses, since it may be shown to strangers.
    pub fn check(&self) -> Result<(), String> {
        let metadata = self.client.fetch_metadata(Some(&self.topic), TIMEOUT);
        // Events that nobody takes would pile up for as long as an outage lasts.
        while self.client.poll(LISTEN).is_some() {}
        let metadata = metadata.map_err(|error| format!("no broker answers: {error}"))?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic);
        let partitions: Vec<i32> = topic
            .map_or(&[][..], |topic| topic.partitions())
            .iter()
            .map(|partition| partition.id())
            .collect();
        match topic.map(|topic| (topic.error().map(RDKafkaErrorCode::from), partitions.len())) {
            Some((None, 1..)) => {
                self.tell_committed(&partitions);
                Ok(())
            }
            None | Some((None | Some(RDKafkaErrorCode::UnknownTopicOrPartition), _)) => {
                Err(format!("the topic {} does not exist", self.topic))
            }
            Some((Some(code), _)) => Err(format!("the topic {} cannot be read: {code}", self.topic)),
        }
    }

    /// Shows what the group has committed, of all partitions: whoever reads them commits there. No answer changes nothing,
    /// since offsets are a hint for tools.
    fn tell_committed(&self, partitions: &[i32]) {
        if let Ok(committed) = group::committed(&self.client, &self.topic, partitions) {
            committed.into_iter().for_each(|(partition, offset)| self.metrics.committed(partition, offset));
        }
    }
}
