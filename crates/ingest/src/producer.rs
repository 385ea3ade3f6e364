//! Writing records to Kafka, each acknowledged by all in-sync replicas before it counts as written.

mod reports;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, FromClientConfig, FromClientConfigAndContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use tokio::sync::oneshot;

use reports::{Report, Reports, UNAWAITED, lock};

/// Time that the brokers have to answer a first question.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time that they have to create a topic.
const CREATE_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause before a record is offered again to a queue that was full.
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(1);
/// How often a flush looks for deliveries that have failed.
const FLUSH_STEP: Duration = Duration::from_millis(200);

/// What a user may override by `kafka.properties`.
const DEFAULTS: [(&str, &str); 6] = [
    ("compression.codec", "lz4"),
    // Records wait this long for company; at full speed a batch is full long before.
    ("linger.ms", "5"),
    ("batch.size", "1000000"),
    ("queue.buffering.max.messages", "200000"),
    ("queue.buffering.max.kbytes", "65536"),
    // How long a record is tried: an outage that is longer is reported.
    ("message.timeout.ms", "60000"),
];
/// What nobody may override.
pub(crate) const FIXED: [(&str, &str); 3] = [
    ("enable.idempotence", "true"),
    ("acks", "all"),
    // All records of a subscription in one partition: their order there decides between writers.
    ("partitioner", "murmur2_random"),
];

/// Writes records to Kafka. Cheap to clone; all clones share one queue, of bounded size.
#[derive(Clone)]
pub struct Producer {
    inner: ThreadedProducer<Reports>,
    config: Arc<ClientConfig>,
    brokers: Arc<str>,
}

/// Why records were not written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProducerError {
    /// librdkafka refuses a property.
    #[error("kafka refuses the configuration: {0}")]
    Configuration(String),
    /// No broker answered in time.
    #[error("no kafka broker answers at {brokers}: {reason}")]
    Unreachable {
        /// Addresses as configured.
        brokers: String,
        /// The client's words.
        reason: String,
    },
    /// The topic does not exist and cannot be created.
    #[error("cannot create the topic {topic}: {reason}")]
    Topic {
        /// Its name.
        topic: String,
        /// The broker's words.
        reason: String,
    },
    /// The topic does not exist, and it is somebody else's to create it.
    #[error("there is no topic {topic}")]
    NoTopic {
        /// Its name.
        topic: String,
    },
    /// A record is larger than the broker takes, and is not written.
    #[error("kafka takes no record of this size: {reason}")]
    TooLarge {
        /// The client's words.
        reason: String,
    },
    /// Records were not acknowledged.
    #[error("kafka did not acknowledge {records} records: {reason}")]
    Delivery {
        /// How many, so far.
        records: u64,
        /// The client's words about the first.
        reason: String,
    },
}

/// Where a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
}

/// A record to write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outgoing<'r> {
    pub(crate) key: Option<&'r [u8]>,
    pub(crate) value: Option<&'r [u8]>,
    /// Milliseconds since the epoch. None: the time of the call.
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
}

impl Producer {
    /// Connects to the brokers. Blocks until one has answered, 10 seconds at most.
    ///
    /// `properties` are librdkafka's; what exactness rests on cannot be overridden by them.
    ///
    /// # Errors
    /// A property is refused, or no broker answers.
    pub fn connect(brokers: &str, properties: &BTreeMap<String, String>) -> Result<Self, ProducerError> {
        let user = properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut config = ClientConfig::new();
        for (name, value) in DEFAULTS.into_iter().chain(user).chain(FIXED) {
            config.set(name, value);
        }
        config.set("bootstrap.servers", brokers);
        let inner = ThreadedProducer::from_config_and_context(&config, Reports::default())
            .map_err(|error| ProducerError::Configuration(error.to_string()))?;
        let producer = Self { inner, config: Arc::new(config), brokers: brokers.into() };
        producer.topics().map(|_| producer)
    }

    /// Whether there is a topic of that name. Blocks, 10 seconds at most.
    ///
    /// # Errors
    /// No broker answers.
    pub(crate) fn has_topic(&self, topic: &str) -> Result<bool, ProducerError> {
        Ok(self.topics()?.iter().any(|known| known == topic))
    }

    /// Creates a topic where there is none of that name; says whether it did.
    ///
    /// # Errors
    /// No broker answers, or the topic cannot be created.
    pub async fn ensure_topic(&self, topic: &str, partitions: i32) -> Result<bool, ProducerError> {
        let producer = self.clone();
        let name = topic.to_owned();
        let is_there = tokio::task::spawn_blocking(move || producer.has_topic(&name)).await;
        if is_there.map_err(|error| self.topic_error(topic, error.to_string()))?? {
            return Ok(false);
        }
        let failed = |error: KafkaError| self.topic_error(topic, error.to_string());
        let admin = AdminClient::<DefaultClientContext>::from_config(&self.config).map_err(failed)?;
        // -1: the broker's default, which a cluster's owner has chosen.
        let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(-1));
        let options =
            AdminOptions::new().request_timeout(Some(CREATE_TIMEOUT)).operation_timeout(Some(CREATE_TIMEOUT));
        let answers = admin.create_topics([&new], &options).await.map_err(failed)?;
        match answers.into_iter().next() {
            // Somebody else may have been faster.
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
            Some(Err((_, code))) => Err(self.topic_error(topic, code.to_string())),
            Some(Ok(_)) | None => Ok(true),
        }
    }

    /// Hands a record to the queue; blocks while that is full. Its time is that of the call.
    ///
    /// [`Producer::flush`] says whether it was written in the end.
    ///
    /// # Errors
    /// An earlier record was not acknowledged, or this one is refused at once, as one too large is.
    pub fn enqueue(&self, topic: &str, key: &[u8], value: Option<&[u8]>) -> Result<(), ProducerError> {
        let record = Outgoing { key: Some(key), value, ..Outgoing::default() };
        loop {
            self.check()?;
            match self.offer(topic, &record, UNAWAITED) {
                Ok(()) => return Ok(()),
                Err(error) if is_full(&error) => std::thread::sleep(FULL_QUEUE_PAUSE),
                Err(error) => return Err(lost(error)),
            }
        }
    }

    /// Blocks until every record that was handed over has been acknowledged. Bounded: a record is tried for
    /// `message.timeout.ms`.
    ///
    /// # Errors
    /// Records were not acknowledged.
    pub fn flush(&self) -> Result<(), ProducerError> {
        while self.inner.flush(FLUSH_STEP).is_err() {
            self.check()?;
        }
        self.check()
    }

    /// Records of [`Producer::enqueue`] that were acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.inner.context().acknowledged.load(Ordering::Relaxed)
    }

    /// Writes one record and waits for its acknowledgement.
    ///
    /// # Errors
    /// The record is too large, or was not acknowledged. Then it may have been written all the same: a record that is sent
    /// again must be the same.
    pub async fn send(
        &self,
        topic: &str,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<Written, ProducerError> {
        let record = Outgoing { key: Some(key), value, ..Outgoing::default() };
        let report = self.hand_over(topic, &record).await.map_err(lost)?;
        report_of(report).await.map_err(lost)
    }

    /// Writes records, in their order where nothing fails, and waits for what becomes of each. One that was not
    /// acknowledged may have been written all the same.
    pub(crate) async fn send_all(&self, topic: &str, records: &[Outgoing<'_>]) -> Vec<Report> {
        let mut waiting = Vec::with_capacity(records.len());
        for record in records {
            waiting.push(self.hand_over(topic, record).await);
        }
        let mut reports = Vec::with_capacity(records.len());
        for report in waiting {
            reports.push(match report {
                Ok(report) => report_of(report).await,
                Err(error) => Err(error),
            });
        }
        reports
    }

    /// Hands a record to the queue, as soon as there is room, and tells where its report will come.
    async fn hand_over(
        &self,
        topic: &str,
        record: &Outgoing<'_>,
    ) -> Result<oneshot::Receiver<Report>, KafkaError> {
        let reports = self.inner.context();
        let (ticket, report) = reports.await_report();
        loop {
            match self.offer(topic, record, ticket) {
                Ok(()) => return Ok(report),
                Err(error) if is_full(&error) => tokio::time::sleep(FULL_QUEUE_PAUSE).await,
                Err(error) => {
                    lock(&reports.awaited).remove(&ticket);
                    return Err(error);
                }
            }
        }
    }

    fn offer(&self, topic: &str, outgoing: &Outgoing<'_>, ticket: usize) -> Result<(), KafkaError> {
        let mut record = BaseRecord::<[u8], [u8], usize>::with_opaque_to(topic, ticket);
        record.key = outgoing.key;
        record.payload = outgoing.value;
        record.timestamp = outgoing.timestamp_ms;
        record.headers = (!outgoing.headers.is_empty()).then(|| {
            let all = OwnedHeaders::new_with_capacity(outgoing.headers.len());
            let insert = |all: OwnedHeaders, (key, value): &(String, Vec<u8>)| {
                all.insert(Header { key, value: Some(value) })
            };
            outgoing.headers.iter().fold(all, insert)
        });
        self.inner.send(record).map_err(|(error, _)| error)
    }

    /// The names of all topics. To ask for one topic would create it where brokers do that by themselves.
    fn topics(&self) -> Result<Vec<String>, ProducerError> {
        let metadata = self.inner.client().fetch_metadata(None, CONNECT_TIMEOUT).map_err(|error| {
            let trouble = lock(&self.inner.context().last_trouble).take();
            let reason = trouble.unwrap_or_else(|| error.to_string());
            ProducerError::Unreachable { brokers: self.brokers.to_string(), reason }
        })?;
        Ok(metadata.topics().iter().map(|topic| topic.name().to_owned()).collect())
    }

    fn topic_error(&self, topic: &str, reason: String) -> ProducerError {
        ProducerError::Topic { topic: topic.to_owned(), reason }
    }

    fn check(&self) -> Result<(), ProducerError> {
        let reports = self.inner.context();
        let records = reports.failed.load(Ordering::Acquire);
        if records == 0 {
            return Ok(());
        }
        let reason = lock(&reports.first_failure).as_ref().map(ToString::to_string).unwrap_or_default();
        Err(ProducerError::Delivery { records, reason })
    }
}

fn lost(error: KafkaError) -> ProducerError {
    let reason = error.to_string();
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => ProducerError::TooLarge { reason },
        _ => ProducerError::Delivery { records: 1, reason },
    }
}

/// The report, also of a producer that has ended.
async fn report_of(waiting: oneshot::Receiver<Report>) -> Report {
    waiting.await.unwrap_or(Err(KafkaError::Canceled))
}

fn is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}

#[cfg(test)]
mod tests;
