//! What a topic holds, and how far a group has come: Kafka's own account.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers};
use rdkafka::{Message, Offset, TopicPartitionList};
use serde::{Serialize, Serializer};

use crate::wait;

/// How long one question to the broker may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A record as it stands in a topic. It serializes as a line for the oracle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Logged {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its time, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Its key.
    #[serde(skip)]
    pub key: Option<Vec<u8>>,
    /// Its value.
    #[serde(serialize_with = "encoded")]
    pub value: Option<Vec<u8>>,
    /// Its headers; values in base64.
    pub headers: Vec<(String, String)>,
}

fn encoded<S: Serializer>(value: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(|bytes| STANDARD.encode(bytes)).serialize(serializer)
}

/// Reads all records of a topic that no aborted transaction wrote, in no order of partitions.
///
/// # Errors
/// The broker does not answer.
pub fn read_log(brokers: &str, topic: &str) -> Result<Vec<Logged>> {
    let consumer = consumer(brokers, "meterhouse-tests-reader")?;
    let ends = ends(&consumer, topic)?;
    let mut places = TopicPartitionList::new();
    for partition in 0..ends.len() {
        places.add_partition_offset(topic, i32::try_from(partition)?, Offset::Beginning)?;
    }
    consumer.assign(&places)?;
    let mut log = Vec::new();
    let mut last_seen = Instant::now();
    while !is_read(&consumer, topic, &ends)? {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                log.push(logged(&message));
                last_seen = Instant::now();
            }
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) | None => {}
            Some(Err(error)) => return Err(error).context("read a topic"),
        }
        ensure!(
            last_seen.elapsed() < wait::LIMIT,
            "no more records of {topic} for {} s",
            wait::LIMIT.as_secs()
        );
    }
    Ok(log)
}

/// Whether the consumer's position is at every partition's end. It moves with each record, and over markers of transactions
/// when the end of the partition is told.
fn is_read(consumer: &BaseConsumer, topic: &str, ends: &[i64]) -> Result<bool> {
    let positions = consumer.position()?;
    let has_passed = |partition: usize| {
        let element =
            i32::try_from(partition).ok().and_then(|number| positions.find_partition(topic, number));
        let position = element.and_then(|element| element.offset().to_raw());
        ends[partition] == 0 || position.is_some_and(|position| position >= ends[partition])
    };
    Ok((0..ends.len()).all(has_passed))
}

fn logged(message: &BorrowedMessage<'_>) -> Logged {
    let headers = message.headers().map(|headers| {
        let header = |header: rdkafka::message::Header<'_, &[u8]>| {
            (header.key.to_owned(), STANDARD.encode(header.value.unwrap_or_default()))
        };
        headers.iter().map(header).collect()
    });
    Logged {
        topic: message.topic().to_owned(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().unwrap_or(-1),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}

/// The offset that each partition's next record gets.
///
/// # Errors
/// The broker does not answer.
pub fn log_ends(brokers: &str, topic: &str) -> Result<Vec<i64>> {
    ends(&consumer(brokers, "meterhouse-tests-reader")?, topic)
}

/// The offsets that a group has committed, by partition; 0 where it has committed none.
///
/// # Errors
/// The broker does not answer.
pub fn committed(brokers: &str, group: &str, topic: &str) -> Result<Vec<i64>> {
    let consumer = consumer(brokers, group)?;
    let mut places = TopicPartitionList::new();
    for partition in 0..partitions(&consumer, topic)? {
        places.add_partition(topic, partition);
    }
    let committed = consumer.committed_offsets(places, TIMEOUT).context("ask for committed offsets")?;
    Ok(committed.elements().iter().map(|element| element.offset().to_raw().unwrap_or(0).max(0)).collect())
}

/// Deletes all records of a topic: its partitions begin where they end.
///
/// # Errors
/// The broker refuses it.
pub fn delete_records(brokers: &str, topic: &str) -> Result<()> {
    let mut places = TopicPartitionList::new();
    for (partition, end) in log_ends(brokers, topic)?.into_iter().enumerate() {
        places.add_partition_offset(topic, i32::try_from(partition)?, Offset::Offset(end))?;
    }
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create().context("make an admin client")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT));
    let deleted = runtime.block_on(admin.delete_records(&places, &options)).context("delete records")?;
    for element in deleted.elements() {
        element.error().with_context(|| format!("delete records of partition {}", element.partition()))?;
    }
    Ok(())
}

fn consumer(brokers: &str, group: &str) -> Result<BaseConsumer> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config.set("group.id", group);
    config.set("enable.auto.commit", "false");
    config.set("isolation.level", "read_committed");
    // It moves the position over what stands at a partition's end without being a record.
    config.set("enable.partition.eof", "true");
    config.create().context("make a consumer")
}

fn ends(consumer: &BaseConsumer, topic: &str) -> Result<Vec<i64>> {
    let partitions = 0..partitions(consumer, topic)?;
    let end = |partition| consumer.fetch_watermarks(topic, partition, TIMEOUT).map(|(_, end)| end);
    partitions.map(end).collect::<Result<_, _>>().context("ask for the ends of a topic")
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Result<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), TIMEOUT).context("ask for a topic")?;
    let count = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
    ensure!(count > 0, "there is no topic {topic}");
    Ok(i32::try_from(count)?)
}
