//! Writing records to Kafka, each acknowledged by all in-sync replicas before it counts as written.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, FromClientConfig, FromClientConfigAndContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientContext, Message};
use tokio::sync::oneshot;

/// Time that the brokers have to answer a first question.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Time that they have to create a topic.
const CREATE_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause before a record is offered again to a queue that was full.
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(1);
/// How often a flush looks for deliveries that have failed.
const FLUSH_STEP: Duration = Duration::from_millis(200);
/// Marks a record that nobody waits for in person.
const UNAWAITED: usize = 0;

/// What a user may override by `kafka.properties`.
const DEFAULTS: [(&str, &str); 7] = [
    ("compression.codec", "lz4"),
    // Records wait this long for company; at full speed a batch is full long before.
    ("linger.ms", "5"),
    ("batch.size", "1000000"),
    ("queue.buffering.max.messages", "200000"),
    ("queue.buffering.max.kbytes", "65536"),
    // How long a record is tried: an outage that is longer is reported.
    ("message.timeout.ms", "60000"),
    ("partitioner", "murmur2_random"),
];
/// What nobody may override.
pub(crate) const FIXED: [(&str, &str); 2] = [("enable.idempotence", "true"), ("acks", "all")];

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

type Report = Result<Written, KafkaError>;

/// Receives the reports of deliveries.
#[derive(Default)]
struct Reports {
    acknowledged: AtomicU64,
    failed: AtomicU64,
    first_failure: Mutex<Option<KafkaError>>,
    /// What the client last said about the connection.
    last_trouble: Mutex<Option<String>>,
    next_ticket: AtomicUsize,
    awaited: Mutex<HashMap<usize, oneshot::Sender<Report>>>,
}

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "kafka producer has trouble");
        *lock(&self.last_trouble) = Some(reason.to_owned());
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: usize) {
        let report = match result {
            Ok(message) => Ok(Written { partition: message.partition(), offset: message.offset() }),
            Err((error, _)) => Err(error.clone()),
        };
        if ticket != UNAWAITED {
            if let Some(waiting) = lock(&self.awaited).remove(&ticket) {
                // Whoever waited may have given up.
                let _ = waiting.send(report);
            }
            return;
        }
        match report {
            Ok(_) => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                lock(&self.first_failure).get_or_insert(error);
                self.failed.fetch_add(1, Ordering::Release);
            }
        }
    }
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

    /// Creates a topic where there is none of that name; says whether it did.
    ///
    /// # Errors
    /// No broker answers, or the topic cannot be created.
    pub async fn ensure_topic(&self, topic: &str, partitions: i32) -> Result<bool, ProducerError> {
        let producer = self.clone();
        let topics = tokio::task::spawn_blocking(move || producer.topics()).await;
        let topics = topics.map_err(|error| self.topic_error(topic, error.to_string()))??;
        if topics.iter().any(|known| known == topic) {
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
        loop {
            self.check()?;
            match self.offer(topic, key, value, UNAWAITED) {
                Ok(()) => return Ok(()),
                Err(error) if is_full(&error) => std::thread::sleep(FULL_QUEUE_PAUSE),
                Err(error) => return Err(ProducerError::Delivery { records: 1, reason: error.to_string() }),
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
    /// The record was not acknowledged. It may have been written all the same: a record that is sent again must be the
    /// same.
    pub async fn send(
        &self,
        topic: &str,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<Written, ProducerError> {
        let lost = |reason: String| ProducerError::Delivery { records: 1, reason };
        let reports = self.inner.context();
        let ticket = reports.next_ticket.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
        let (waiting, report) = oneshot::channel();
        lock(&reports.awaited).insert(ticket, waiting);
        loop {
            match self.offer(topic, key, value, ticket) {
                Ok(()) => break,
                Err(error) if is_full(&error) => tokio::time::sleep(FULL_QUEUE_PAUSE).await,
                Err(error) => {
                    lock(&reports.awaited).remove(&ticket);
                    return Err(lost(error.to_string()));
                }
            }
        }
        match report.await {
            Ok(report) => report.map_err(|error| lost(error.to_string())),
            Err(_) => Err(lost("the producer ended".to_owned())),
        }
    }

    fn offer(&self, topic: &str, key: &[u8], value: Option<&[u8]>, ticket: usize) -> Result<(), KafkaError> {
        let mut record = BaseRecord::with_opaque_to(topic, ticket).key(key);
        record.payload = value;
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

fn is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}

/// A panic elsewhere leaves these values whole: each is changed in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

    use super::*;

    const TOPIC: &str = "t";

    fn producer(cluster: &MockCluster<'_, impl ClientContext>, properties: &[(&str, &str)]) -> Producer {
        let properties = properties.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Producer::connect(&cluster.bootstrap_servers(), &properties.collect()).unwrap()
    }

    #[test]
    fn what_is_flushed_is_acknowledged() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 2, 1).unwrap();
        let producer = producer(&cluster, &[("queue.buffering.max.messages", "10")]);
        for number in 0..1000 {
            producer.enqueue(TOPIC, format!("{number}").as_bytes(), Some(b"x")).unwrap();
        }
        producer.flush().unwrap();
        assert_eq!(producer.acknowledged(), 1000);
    }

    #[tokio::test]
    async fn a_sent_record_is_where_it_is_said_to_be() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 1, 1).unwrap();
        let producer = producer(&cluster, &[]);
        for offset in 0..3 {
            let written = producer.send(TOPIC, b"k", None).await.unwrap();
            assert_eq!(written, Written { partition: 0, offset });
        }
        assert!(lock(&producer.inner.context().awaited).is_empty());
    }

    #[tokio::test]
    async fn a_refused_record_is_an_error() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 1, 1).unwrap();
        let producer = producer(&cluster, &[]);
        let too_large = vec![b'x'; 2_000_000];
        let error = producer.send(TOPIC, b"k", Some(&too_large)).await.unwrap_err();
        assert!(matches!(error, ProducerError::Delivery { records: 1, .. }), "{error}");
        producer.enqueue(TOPIC, b"k", Some(&too_large)).unwrap_err();
    }

    #[test]
    fn a_failed_delivery_is_seen_at_the_flush_and_after_it() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 1, 1).unwrap();
        let producer = producer(&cluster, &[]);
        let refusal = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED];
        cluster.request_errors(RDKafkaApiKey::Produce, &refusal);
        producer.enqueue(TOPIC, b"k", Some(b"x")).unwrap();
        let error = producer.flush().unwrap_err();
        assert!(matches!(error, ProducerError::Delivery { records: 1, .. }), "{error}");
        assert_eq!(producer.acknowledged(), 0);
        producer.enqueue(TOPIC, b"k", Some(b"x")).unwrap_err();
    }

    #[test]
    fn fixed_properties_are_not_overridden_and_wrong_ones_refused() {
        let cluster = MockCluster::new(1).unwrap();
        let ours = producer(&cluster, &[("acks", "0"), ("linger.ms", "1")]);
        assert_eq!(ours.config.get("acks"), Some("all"));
        assert_eq!(ours.config.get("linger.ms"), Some("1"));
        let wrong = BTreeMap::from([("no.such.property".to_owned(), String::new())]);
        let error = Producer::connect(&cluster.bootstrap_servers(), &wrong).err();
        assert!(matches!(error, Some(ProducerError::Configuration(_))));
    }
}
