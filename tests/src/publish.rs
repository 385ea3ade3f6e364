//! Writing records to Kafka, of any content.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

use crate::wait;

/// How long a record is tried: a broker may be down for a while in the middle of a test.
const TIMEOUT_MS: &str = "120000";

/// A record to publish. The default is empty, goes to a partition by its key and has the present time.
#[derive(Debug, Clone, Default)]
pub struct Message {
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its time, in milliseconds since the epoch.
    pub timestamp_ms: Option<i64>,
    /// Its partition.
    pub partition: Option<i32>,
}

impl Message {
    /// A record with a key and a text.
    pub fn new(key: &str, value: impl Into<Vec<u8>>) -> Self {
        Self { key: Some(key.as_bytes().to_vec()), value: Some(value.into()), ..Self::default() }
    }

    /// The same with another time.
    #[must_use]
    pub fn at(self, timestamp_ms: i64) -> Self {
        Self { timestamp_ms: Some(timestamp_ms), ..self }
    }

    /// The same for a certain partition.
    #[must_use]
    pub fn to(self, partition: i32) -> Self {
        Self { partition: Some(partition), ..self }
    }
}

/// Keeps the first failure of a delivery.
#[derive(Debug, Default)]
struct Deliveries(Mutex<Option<String>>);

impl ClientContext for Deliveries {
    fn error(&self, _: KafkaError, _: &str) {
        // A broker that was killed by the test: the record is sent again, or its delivery fails.
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| error.to_string());
        }
    }
}

/// Writes records to one topic, each once and in order.
pub struct Publisher {
    producer: ThreadedProducer<Deliveries>,
    topic: String,
}

impl Publisher {
    /// Writes to a topic.
    ///
    /// # Errors
    /// The client cannot be made; a missing broker shows later.
    pub fn new(brokers: &str, topic: &str) -> Result<Self> {
        Self::with(brokers, topic, &[])
    }

    /// Writes to a topic in transactions of this id.
    ///
    /// # Errors
    /// The broker does not answer.
    pub fn transactional(brokers: &str, topic: &str, id: &str) -> Result<Self> {
        let publisher =
            Self::with(brokers, topic, &[("transactional.id", id), ("transaction.timeout.ms", TIMEOUT_MS)])?;
        publisher.producer.init_transactions(wait::LIMIT).context("begin with transactions")?;
        Ok(publisher)
    }

    fn with(brokers: &str, topic: &str, properties: &[(&str, &str)]) -> Result<Self> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers);
        config.set("enable.idempotence", "true");
        config.set("linger.ms", "5");
        config.set("queue.buffering.max.messages", "1000000");
        config.set("message.max.bytes", "10000000");
        config.set("message.timeout.ms", TIMEOUT_MS);
        config.set("reconnect.backoff.max.ms", "200");
        for (name, value) in properties {
            config.set(*name, *value);
        }
        let producer = config.create_with_context(Deliveries::default()).context("make a producer")?;
        Ok(Self { producer, topic: topic.to_owned() })
    }

    /// Hands a record to the queue, which sends it in the background.
    ///
    /// # Errors
    /// The client refuses it.
    pub fn enqueue(&self, message: &Message) -> Result<()> {
        wait::until("room in the producer's queue", || {
            let mut record = BaseRecord::<[u8], [u8]>::to(&self.topic);
            record.key = message.key.as_deref();
            record.payload = message.value.as_deref();
            record.timestamp = message.timestamp_ms;
            record.partition = message.partition;
            record.headers = headers(message);
            match self.producer.send(record) {
                Ok(()) => Some(Ok(())),
                Err((error, _)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => None,
                Err((error, _)) => Some(Err(error)),
            }
        })?
        .context("publish a record")
    }

    /// Returns when the broker has acknowledged everything.
    ///
    /// # Errors
    /// It has refused something, or does not answer.
    pub fn flush(&self) -> Result<()> {
        self.producer.flush(2 * wait::LIMIT).context("publish records")?;
        let failure = self.producer.context().0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failure {
            Some(failure) => bail!("a record was not published: {failure}"),
            None => Ok(()),
        }
    }

    /// Publishes records, and returns when all are acknowledged.
    ///
    /// # Errors
    /// One is not.
    pub fn publish<'m>(&self, messages: impl IntoIterator<Item = &'m Message>) -> Result<()> {
        messages.into_iter().try_for_each(|message| self.enqueue(message))?;
        self.flush()
    }

    /// Publishes records in a transaction, which is then committed or aborted.
    ///
    /// # Errors
    /// The broker refuses something.
    pub fn transaction(&self, messages: &[Message], commit: bool) -> Result<()> {
        self.producer.begin_transaction()?;
        self.publish(messages)?;
        let limit = Duration::from_secs(30);
        match commit {
            true => self.producer.commit_transaction(limit).context("commit"),
            false => self.producer.abort_transaction(limit).context("abort"),
        }
    }
}

fn headers(message: &Message) -> Option<OwnedHeaders> {
    let all = OwnedHeaders::new_with_capacity(message.headers.len());
    let insert = |all: OwnedHeaders, (key, value): &(String, Vec<u8>)| {
        all.insert(Header { key, value: Some(value.as_slice()) })
    };
    (!message.headers.is_empty()).then(|| message.headers.iter().fold(all, insert))
}
