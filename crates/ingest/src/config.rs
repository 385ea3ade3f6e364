//! What the pipeline is told: where records come from, and how much of them it holds.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::config::ClientConfig;

/// Defaults that a user may override.
const DEFAULTS: [(&str, &str); 4] = [
    // A broken record set is noticed before its records are billed.
    ("check.crcs", "true"),
    // The client asks for more this long after its queue was full; its own default leaves it idle for a second.
    ("fetch.queue.backoff.ms", "10"),
    // Records wait here for the pipeline, in memory beside `max_inflight_bytes`: with what librdkafka adds to each, three
    // times as much for small ones.
    ("queued.max.messages.kbytes", "16384"),
    // How soon a topic or a partition that is new is found.
    ("topic.metadata.refresh.interval.ms", "5000"),
];
/// What nobody may override: that no event is lost or counted twice rests on it.
pub(crate) const FIXED: [(&str, &str); 8] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // Where a partition begins is decided at its assignment; there is no silent jump later.
    ("auto.offset.reset", "error"),
    ("isolation.level", "read_committed"),
    ("allow.auto.create.topics", "false"),
    // The end of a partition is no error of it.
    ("enable.partition.eof", "false"),
    // Partitions come and go all together: what was read under an earlier assignment is never committed.
    ("partition.assignment.strategy", "range,roundrobin"),
    ("group.protocol", "classic"),
];

/// Heartbeats within the session timeout: some of them may be late.
const HEARTBEATS: u128 = 4;

/// Where events come from.
#[derive(Debug, Clone)]
pub struct KafkaConfig {
    /// Addresses of some brokers, `host:port`, separated by commas.
    pub brokers: String,
    /// Topic of the events.
    pub topic: String,
    /// Consumer group.
    pub group_id: String,
    /// Passed to librdkafka.
    pub properties: BTreeMap<String, String>,
    /// The broker gives a silent process's partitions away after this time.
    pub session_timeout: Duration,
    /// Topic that gets a copy of each rejected record.
    pub mirror_topic: Option<String>,
}

/// How much is held before it is stored.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// A batch closes at so many rows, events and rejects together.
    pub rows: usize,
    /// A batch closes at so many bytes of memory.
    pub bytes: usize,
    /// A batch closes so long after its first record.
    pub age: Duration,
    /// Bytes of all batches that are not stored yet; beyond them no more records are taken.
    pub inflight_bytes: usize,
}

impl KafkaConfig {
    /// The properties of a member of the consumer group.
    pub(crate) fn consumer(&self) -> ClientConfig {
        let mut config = self.client();
        for (name, value) in FIXED {
            config.set(name, value);
        }
        config.set("group.id", &self.group_id);
        config
    }

    /// The properties of a client that reads records beside the consumer group: what is committed there, from where it is
    /// told.
    pub(crate) fn bystander(&self) -> ClientConfig {
        let mut config = self.client();
        for (name, value) in FIXED {
            config.set(name, value);
        }
        // A name is asked for where partitions are assigned by hand, too. Nobody joins that group.
        config.set("group.id", &self.group_id);
        config.set("enable.partition.eof", "true");
        config
    }

    /// The properties of a client that reads nothing but metadata.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        let user = self.properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in DEFAULTS.into_iter().chain(user) {
            config.set(name, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        // No client without them: librdkafka compares others of the user's properties with them.
        config.set("session.timeout.ms", self.session_timeout.as_millis().to_string());
        if !self.properties.contains_key("heartbeat.interval.ms") {
            config.set("heartbeat.interval.ms", (self.session_timeout.as_millis() / HEARTBEATS).to_string());
        }
        config
    }
}
