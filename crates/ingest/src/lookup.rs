//! Reading single records again, by their coordinates: quarantine wants their bytes.

use std::time::{Duration, Instant};

use meterhouse_model::Record;
use meterhouse_store::RejectedRecord;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use crate::KafkaConfig;
use crate::probe::Silent;
use crate::record::cloud_event_headers;

/// Time for one record.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait before the time is looked at.
const STEP: Duration = Duration::from_millis(200);

/// Reads records of a topic by partition and offset, over a connection of its own and without the consumer group.
pub struct RecordLookup {
    config: KafkaConfig,
    client: Option<Client>,
}

/// A record that was read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRecord {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its timestamp, in milliseconds since the epoch.
    pub timestamp_ms: Option<i64>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its key and headers.
    pub rest: RejectedRecord,
}

/// A connection.
struct Client {
    consumer: BaseConsumer<Silent>,
    topic: String,
}

impl RecordLookup {
    /// Connects when the first record is asked for.
    pub fn new(config: &KafkaConfig) -> Self {
        Self { config: config.clone(), client: None }
    }

    /// Reads the record at an offset. `None`: it is not there, since the log begins later, ends before, or has a hole
    /// there. Takes ten seconds or so at most.
    ///
    /// # Errors
    /// The brokers do not answer: nothing is known of the record.
    pub async fn find(&mut self, partition: i32, offset: i64) -> Result<Option<FoundRecord>, String> {
        let (client, config) = (self.client.take(), self.config.clone());
        let find = move || {
            let client = match client {
                Some(client) => client,
                None => Client::new(&config)?,
            };
            // After an error the client goes: it may have more of them to tell, about a time that is over.
            client.find(partition, offset).map(|found| (found, client))
        };
        let (found, client) = tokio::task::spawn_blocking(find)
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())?;
        self.client = Some(client);
        Ok(found)
    }
}

impl Client {
    fn new(config: &KafkaConfig) -> KafkaResult<Self> {
        let mut client = config.bystander();
        // A single record is wanted, not what follows it.
        client.set("queued.min.messages", "1");
        client.set("fetch.message.max.bytes", "65536");
        let consumer = BaseConsumer::from_config_and_context(&client, Silent)?;
        Ok(Self { consumer, topic: config.topic.clone() })
    }

    fn find(&self, partition: i32, offset: i64) -> KafkaResult<Option<FoundRecord>> {
        let (begin, end) = self.consumer.fetch_watermarks(&self.topic, partition, TIMEOUT)?;
        if !(begin..end).contains(&offset) {
            return Ok(None);
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic, partition, Offset::Offset(offset))?;
        self.consumer.assign(&list)?;
        let found = self.first(offset);
        self.consumer.unassign()?;
        found
    }

    /// The first record of the assigned partition, if it is the one at the offset.
    fn first(&self, offset: i64) -> KafkaResult<Option<FoundRecord>> {
        let begun = Instant::now();
        while begun.elapsed() < TIMEOUT {
            match self.consumer.poll(STEP) {
                None => {}
                Some(Ok(message)) => return Ok((message.offset() == offset).then(|| found(&message))),
                // Retention was faster.
                Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset))) => {
                    return Ok(None);
                }
                Some(Err(error)) => return Err(error),
            }
        }
        Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut))
    }
}

pub(crate) fn found(message: &BorrowedMessage<'_>) -> FoundRecord {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    let headers = headers.map(|header| (header.key.into(), header.value.unwrap_or_default().to_vec()));
    FoundRecord {
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis().filter(|timestamp| *timestamp >= 0),
        value: message.payload().map(<[u8]>::to_vec),
        rest: RejectedRecord { key: message.key().map(<[u8]>::to_vec), headers: headers.collect() },
    }
}

impl FoundRecord {
    /// The record, as far as a verdict depends on it.
    pub fn record<'r>(&'r self, topic: &'r str) -> Record<'r> {
        let headers = self.rest.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
        let (content_type, cloud_event) = cloud_event_headers(headers);
        Record {
            topic,
            partition: self.partition,
            offset: self.offset,
            timestamp_ms: self.timestamp_ms,
            value: self.value.as_deref(),
            content_type,
            cloud_event,
        }
    }
}
