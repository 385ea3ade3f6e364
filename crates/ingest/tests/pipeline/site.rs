//! What one test has of the servers: a topic, a group, a database.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use meterhouse_ingest::{KafkaConfig, RecordLookup};
use meterhouse_localstack::{ClickHouse, Kafka, Stack, StackOptions};
use meterhouse_model::BillingZone;
use meterhouse_store::{ClickHouseConfig, LastRecord, LedgerRow, Metrics, Store};
use prometheus::Registry;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

const TIMEOUT: Duration = Duration::from_secs(30);
/// The shortest that a broker allows.
pub(crate) const SESSION_TIMEOUT: Duration = Duration::from_secs(6);

/// The servers of all tests that leave them alone. They end with the test program.
pub(crate) fn shared() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| Stack::start(StackOptions::default()).unwrap())
}

/// Asks again while a new broker has no coordinator for the group yet.
fn with_coordinator<T>(ask: impl Fn() -> Result<T, KafkaError>) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let answer = ask();
        if answer.is_ok() || Instant::now() > deadline {
            return answer.unwrap();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub(crate) struct Site<'s> {
    kafka: &'s Kafka,
    clickhouse: &'s ClickHouse,
    /// Name of the topic, the group and the database.
    pub(crate) name: String,
}

impl<'s> Site<'s> {
    /// An empty topic, a group without offsets, a database with all tables.
    pub(crate) fn new(kafka: &'s Kafka, clickhouse: &'s ClickHouse, partitions: u16) -> Self {
        Self::with_topic(kafka, clickhouse, partitions, &[])
    }

    /// The same with settings of the topic.
    pub(crate) fn with_topic(
        kafka: &'s Kafka,
        clickhouse: &'s ClickHouse,
        partitions: u16,
        settings: &[(&str, &str)],
    ) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
        kafka.create_topic_with(&name, partitions, settings).unwrap();
        let site = Self { kafka, clickhouse, name };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(site.store().migrate(&BillingZone::new("UTC").unwrap())).unwrap();
        site
    }

    pub(crate) fn on_shared(partitions: u16) -> Site<'static> {
        Site::new(shared().kafka(), shared().clickhouse(), partitions)
    }

    pub(crate) fn kafka_config(&self, properties: &[(&str, &str)]) -> KafkaConfig {
        kafka_config(&self.kafka.bootstrap(), &self.name, properties)
    }

    pub(crate) fn store(&self) -> Store {
        store(&self.clickhouse.http_url(), &self.name)
    }

    /// A client of Kafka that shares nothing with the pipeline.
    pub(crate) fn client(&self, properties: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.kafka.bootstrap());
        for (name, value) in properties {
            config.set(*name, *value);
        }
        config
    }

    /// Writes usage events, one a record.
    pub(crate) fn publish(&self, partition: i32, ids: std::ops::Range<u32>) {
        let producer: BaseProducer = self.client(&[]).create().unwrap();
        for id in ids {
            let value = usage(id);
            let record = BaseRecord::<(), _>::to(&self.name).partition(partition).payload(&value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(TIMEOUT).unwrap();
    }

    fn group(&self) -> BaseConsumer {
        self.client(&[("group.id", &self.name)]).create().unwrap()
    }

    /// Commits an offset, as if an earlier process had.
    pub(crate) fn commit(&self, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.name, partition, Offset::Offset(offset)).unwrap();
        with_coordinator(|| self.group().commit(&list, CommitMode::Sync));
    }

    pub(crate) fn committed(&self, partition: i32) -> Option<i64> {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.name, partition);
        let committed = with_coordinator(|| self.group().committed_offsets(list.clone(), TIMEOUT));
        match committed.elements()[0].offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }

    /// The timestamp of a record, in milliseconds since the epoch.
    pub(crate) fn time_of(&self, partition: i32, offset: i64) -> i64 {
        let mut lookup = RecordLookup::new(&self.kafka_config(&[]));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(lookup.find(partition, offset)).unwrap().unwrap().timestamp_ms.unwrap()
    }

    pub(crate) fn log_end(&self, partition: i32) -> i64 {
        self.group().fetch_watermarks(&self.name, partition, TIMEOUT).unwrap().1
    }

    /// The answer to a question about the database, where `{}` stands for its name.
    pub(crate) fn ask(&self, sql: &str) -> String {
        self.clickhouse.query(&sql.replace("{}", &self.name)).unwrap().trim().to_owned()
    }

    /// Where the ledger says that a partition is read on.
    pub(crate) fn ledger_end(&self, partition: i32) -> Option<i64> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let points = runtime.block_on(self.store().resume_points(&self.name, &[partition])).unwrap();
        points.get(&partition).map(|point| point.position)
    }

    /// Writes a range of offsets that were all stored, and what its last record is said to be.
    pub(crate) fn write_range(&self, partition: i32, from: i64, next: i64, last: Option<LastRecord>) {
        let row = LedgerRow {
            from_position: from,
            next_position: next,
            stored: (next - from).unsigned_abs(),
            last_record: last,
            ..LedgerRow::opening(partition, 0, from, 0, "by hand")
        };
        self.write_ledger(&row);
    }

    pub(crate) fn write_ledger(&self, row: &LedgerRow) {
        let rows = LedgerRow::encode(&self.name, std::slice::from_ref(row)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(self.store().insert(&rows)).unwrap();
    }

    /// Every range accounts for each of its offsets once, and goes back to one that is on record.
    pub(crate) fn assert_is_conserved(&self) {
        let wrong = "SELECT * FROM {}.ledger WHERE stored + rejected + holes != next_position - from_position \
                     OR resumed_at > from_position OR software = '' FORMAT TSV";
        assert_eq!(self.ask(wrong), "");
    }

    /// How many events are stored, each counted once.
    pub(crate) fn events(&self) -> u32 {
        self.ask("SELECT count() FROM {}.usage_events FINAL").parse().unwrap()
    }
}

pub(crate) fn kafka_config(brokers: &str, topic: &str, properties: &[(&str, &str)]) -> KafkaConfig {
    let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    KafkaConfig {
        brokers: brokers.to_owned(),
        topic: topic.to_owned(),
        group_id: topic.to_owned(),
        properties: properties.collect::<BTreeMap<_, _>>(),
        session_timeout: SESSION_TIMEOUT,
        mirror_topic: None,
    }
}

pub(crate) fn store(url: &str, database: &str) -> Store {
    let config = ClickHouseConfig {
        url: url.to_owned(),
        tls: None,
        database: database.to_owned(),
        user: "default".to_owned(),
        password: None,
        // Short, so that a server that is held is an error soon.
        cluster: None,
        insert_timeout: Duration::from_secs(1),
        query_timeout: TIMEOUT,
    };
    Store::new(&config, Metrics::register(&Registry::new()).unwrap())
}

/// An event that is right.
pub(crate) fn usage(id: u32) -> String {
    let (start, end) = ("2026-09-01 00:00:00", "2026-09-01 01:00:00");
    format!(
        r#"{{"EventId":"e-{id}","SubscriptionReference":"s","OptionCode":"o","UsageStart":"{start}","UsageEnd":"{end}","Units":"1"}}"#
    )
}
