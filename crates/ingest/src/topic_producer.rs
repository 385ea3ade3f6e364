//! Writing records of one topic, for as long as a process lives.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::JoinError;

use crate::{KafkaConfig, Producer, ProducerError, Written};

/// How long a record is tried, unless `kafka.properties` says otherwise: somebody waits for it.
const MESSAGE_TIMEOUT: (&str, &str) = ("message.timeout.ms", "30000");

/// Writes records of a topic that exists. Cheap to clone; all clones share one connection, which is made for the first
/// record, and anew after an error: an idempotent producer may be of no use any more.
#[derive(Clone)]
pub struct TopicProducer {
    brokers: Arc<str>,
    topic: Arc<str>,
    properties: Arc<BTreeMap<String, String>>,
    connected: Arc<Mutex<Option<Arc<Producer>>>>,
}

impl TopicProducer {
    /// Prepares a producer; nothing is connected yet.
    pub fn new(config: &KafkaConfig) -> Self {
        let mut properties = config.properties.clone();
        let (name, value) = MESSAGE_TIMEOUT;
        properties.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        Self {
            brokers: config.brokers.as_str().into(),
            topic: config.topic.as_str().into(),
            properties: Arc::new(properties),
            connected: Arc::default(),
        }
    }

    /// The topic.
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Writes one record and waits for its acknowledgement by all in-sync replicas.
    ///
    /// # Errors
    /// [`ProducerError::Delivery`]: the record was not acknowledged, and may have been written all the same. Any other
    /// error: it was not written.
    pub async fn send(&self, key: &[u8], value: &[u8]) -> Result<Written, ProducerError> {
        let producer = self.producer().await?;
        let written = producer.send(&self.topic, key, Some(value)).await;
        if written.is_err() {
            self.leave(&producer).await;
        }
        written
    }

    async fn producer(&self) -> Result<Arc<Producer>, ProducerError> {
        let mut connected = self.connected.lock().await;
        if let Some(producer) = connected.as_ref() {
            return Ok(Arc::clone(producer));
        }
        let this = self.clone();
        let connecting = tokio::task::spawn_blocking(move || this.connect()).await;
        let failed = |error: JoinError| ProducerError::Unreachable {
            brokers: self.brokers.to_string(),
            reason: error.to_string(),
        };
        let producer = Arc::new(connecting.map_err(failed)??);
        *connected = Some(Arc::clone(&producer));
        Ok(producer)
    }

    /// Blocks. A topic that is missing is not written to: brokers may create it by themselves, with other partitions than
    /// whoever runs the service wants.
    fn connect(&self) -> Result<Producer, ProducerError> {
        let producer = Producer::connect(&self.brokers, &self.properties)?;
        let missing = || ProducerError::NoTopic { topic: self.topic.to_string() };
        if producer.has_topic(&self.topic)? { Ok(producer) } else { Err(missing()) }
    }

    /// The next record gets another producer, unless it has one already.
    async fn leave(&self, failed: &Arc<Producer>) {
        let mut connected = self.connected.lock().await;
        if connected.as_ref().is_some_and(|producer| Arc::ptr_eq(producer, failed)) {
            *connected = None;
        }
    }
}
