//! Writing records of one topic, for as long as a process lives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Mutex;
use tokio::task::JoinError;

use crate::{KafkaConfig, Producer, ProducerError, Written};

/// What holds unless `kafka.properties` says otherwise.
const DEFAULTS: [(&str, &str); 2] = [
    // How long a record is tried: somebody waits for it.
    ("message.timeout.ms", "30000"),
    // Whoever writes has a limit of its own; the client's is below that of a broker.
    ("message.max.bytes", "1000000000"),
];

/// Writes records of a topic that exists. Cheap to clone; all clones share one connection, which is made for the first
/// record, and anew after an error: an idempotent producer may be of no use any more.
#[derive(Clone)]
pub struct TopicProducer {
    brokers: Arc<str>,
    topic: Arc<str>,
    properties: Arc<BTreeMap<String, String>>,
    connection: Arc<Mutex<Connection>>,
}

#[derive(Default)]
enum Connection {
    #[default]
    None,
    Made(Arc<Producer>),
    /// The last attempt, which ended then.
    Failed(Instant, ProducerError),
}

impl TopicProducer {
    /// Prepares a producer; nothing is connected yet.
    pub fn new(config: &KafkaConfig) -> Self {
        let mut properties = config.properties.clone();
        for (name, value) in DEFAULTS {
            properties.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        Self {
            brokers: config.brokers.as_str().into(),
            topic: config.topic.as_str().into(),
            properties: Arc::new(properties),
            connection: Arc::default(),
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

    /// The connection. All who wait while nobody can connect are told so together: one after the other, each would try as long
    /// again.
    async fn producer(&self) -> Result<Arc<Producer>, ProducerError> {
        let wanted = Instant::now();
        let mut connection = self.connection.lock().await;
        match &*connection {
            Connection::Made(producer) => return Ok(Arc::clone(producer)),
            Connection::Failed(at, error) if *at >= wanted => return Err(error.clone()),
            _ => {}
        }
        let this = self.clone();
        let connecting = tokio::task::spawn_blocking(move || this.connect()).await;
        let failed = |error: JoinError| ProducerError::Unreachable {
            brokers: self.brokers.to_string(),
            reason: error.to_string(),
        };
        let made = connecting.map_err(failed).flatten().map(Arc::new);
        *connection = match &made {
            Ok(producer) => Connection::Made(Arc::clone(producer)),
            Err(error) => Connection::Failed(Instant::now(), error.clone()),
        };
        made
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
        let mut connection = self.connection.lock().await;
        if matches!(&*connection, Connection::Made(producer) if Arc::ptr_eq(producer, failed)) {
            *connection = Connection::None;
        }
    }
}

#[cfg(test)]
mod tests;
