//! Whether Kafka answers and has the topic.

use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::KafkaConfig;

/// Time for one question.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Time to take what the client has to say.
const LISTEN: Duration = Duration::from_millis(1);

/// Asks Kafka for the topic, over a connection of its own.
pub struct KafkaProbe {
    client: BaseConsumer<Silent>,
    topic: String,
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
    pub fn new(config: &KafkaConfig) -> Result<Self, KafkaError> {
        let client = BaseConsumer::from_config_and_context(&config.client(), Silent)?;
        Ok(Self { client, topic: config.topic.clone() })
    }

    /// Asks once. Blocks for three seconds at most.
    ///
    /// # Errors
    /// What is wrong, for a person: without addresses, since it may be shown to strangers.
    pub fn check(&self) -> Result<(), String> {
        let metadata = self.client.fetch_metadata(Some(&self.topic), TIMEOUT);
        // Events that nobody takes would pile up for as long as an outage lasts.
        while self.client.poll(LISTEN).is_some() {}
        let metadata = metadata.map_err(|error| format!("no broker answers: {error}"))?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.topic);
        match topic.map(|topic| (topic.error().map(RDKafkaErrorCode::from), topic.partitions().len())) {
            Some((None, 1..)) => Ok(()),
            None | Some((None | Some(RDKafkaErrorCode::UnknownTopicOrPartition), _)) => {
                Err(format!("the topic {} does not exist", self.topic))
            }
            Some((Some(code), _)) => Err(format!("the topic {} cannot be read: {code}", self.topic)),
        }
    }
}
