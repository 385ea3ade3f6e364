//! Whether Kafka answers and has the topic.

use std::time::Duration;

use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;

use crate::KafkaConfig;

/// Time for one question.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks Kafka for the topic, over a connection of its own.
pub struct KafkaProbe {
    client: BaseConsumer,
    topic: String,
}

impl KafkaProbe {
    /// Prepares a client. No connection is waited for.
    ///
    /// # Errors
    /// librdkafka refuses a property.
    pub fn new(config: &KafkaConfig) -> Result<Self, KafkaError> {
        let client = BaseConsumer::from_config(&config.client())?;
        Ok(Self { client, topic: config.topic.clone() })
    }

    /// Asks once. Blocks for three seconds at most.
    ///
    /// # Errors
    /// What is wrong, for a person: without addresses, since it may be shown to strangers.
    pub fn check(&self) -> Result<(), String> {
        let metadata = self
            .client
            .fetch_metadata(Some(&self.topic), TIMEOUT)
            .map_err(|error| format!("no broker answers: {error}"))?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic);
        match topic {
            Some(topic) if topic.error().is_none() && !topic.partitions().is_empty() => Ok(()),
            _ => Err(format!("the topic {} does not exist", self.topic)),
        }
    }
}
