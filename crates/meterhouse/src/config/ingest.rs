//! `[ingest]`: how records are judged and batched.

use std::sync::Arc;
use std::time::Duration;

use meterhouse_ingest::BatchLimits;
use meterhouse_model::{BillingZone, Rules};

use super::definition::{Flag, Number, Optional};
use super::kafka::parse_topic;
use super::reader::Reader;

const BATCH_ROWS: Number = Number {
    key: "batch_rows",
    unit: "rows",
    default: 200_000,
    range: 1..=10_000_000,
    help: "A batch closes at so many rows, events and rejects together.",
};
const BATCH_BYTES: Number = Number {
    key: "batch_bytes",
    unit: "bytes",
    default: 64 * MEBIBYTE,
    range: 1..=4096 * MEBIBYTE,
    help: "A batch closes at so many bytes of memory. At most half of `max_inflight_bytes`.",
};
const BATCH_AGE_MS: Number = Number {
    key: "batch_age_ms",
    unit: "milliseconds",
    default: 1000,
    range: 1..=600_000,
    help: "A batch closes so long after its first record.",
};
const MAX_RECORD_BYTES: Number = Number {
    key: "max_record_bytes",
    unit: "bytes",
    default: MEBIBYTE,
    range: 1..=1024 * MEBIBYTE,
    help: "Records with longer values are rejects.",
};
const MAX_AGE_DAYS: Number = Number {
    key: "max_age_days",
    unit: "days of 24 hours",
    default: 1830,
    range: 1..=DAYS_MAX,
    help: "New usage that ended longer before the record's timestamp is a reject.",
};
const MAX_FUTURE_SECONDS: Number = Number {
    key: "max_future_seconds",
    unit: "seconds",
    default: 3600,
    range: 0..=366 * 86_400,
    help: "New usage that ends longer after the record's timestamp is a reject.",
};
const MAX_INTERVAL_DAYS: Number = Number {
    key: "max_interval_days",
    unit: "days of 24 hours",
    default: 31,
    range: 1..=DAYS_MAX,
    help: "New usage that lasts longer is a reject.",
};
const ALLOW_NEGATIVE_UNITS: Flag =
    Flag { key: "allow_negative_units", default: false, help: "Whether units may be below zero." };
const REQUIRE_KNOWN_SUBSCRIPTION: Flag = Flag {
    key: "require_known_subscription",
    default: false,
    help: "Whether a subscription must be in the file `subscriptions.path`.",
};
const REQUIRE_KNOWN_OPTION: Flag = Flag {
    key: "require_known_option",
    default: false,
    help: "Whether an option code must be in the file `catalog.path`.",
};
const MAX_INFLIGHT_BYTES: Number = Number {
    key: "max_inflight_bytes",
    unit: "bytes",
    default: 256 * MEBIBYTE,
    range: 2..=1024 * 1024 * MEBIBYTE,
    help: "Memory of batches that are not stored yet: beyond it no more records are taken.",
};
const SESSION_TIMEOUT_MS: Number = Number {
    key: "session_timeout_ms",
    unit: "milliseconds",
    default: 10_000,
    range: 1000..=1_800_000,
    help: "Kafka gives a silent process's partitions away after this time. A broker's usual limits are 6 s and 30 min.",
};
const MIRROR_TOPIC: Optional = Optional {
    key: "mirror_topic",
    form: "name of a topic",
    help: "Topic that gets a copy of each rejected record, on the same brokers, with Kafka Connect's headers. It must exist.",
};
/// All days that a usage may have: from 1970 to 2200.
const DAYS_MAX: u64 = 84_007;
const MEBIBYTE: u64 = 1024 * 1024;
/// Batches that must fit into the memory limit: one is filled while another is stored.
const BATCHES_INFLIGHT: u64 = 2;

/// The values of `[ingest]`.
#[derive(Debug, Clone)]
pub(crate) struct IngestConfig {
    pub(crate) batch_rows: usize,
    pub(crate) batch_bytes: usize,
    pub(crate) batch_age: Duration,
    pub(crate) max_record_bytes: usize,
    pub(crate) max_age_days: u32,
    pub(crate) max_future_seconds: u32,
    pub(crate) max_interval_days: u32,
    pub(crate) allow_negative_units: bool,
    pub(crate) require_known_subscription: bool,
    pub(crate) require_known_option: bool,
    pub(crate) max_inflight_bytes: usize,
    pub(crate) session_timeout: Duration,
    pub(crate) mirror_topic: Option<String>,
}

impl IngestConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("ingest");
        let batch_rows = section.number(&BATCH_ROWS);
        let batch_bytes = section.number::<u64>(&BATCH_BYTES);
        let batch_age_ms = section.number(&BATCH_AGE_MS);
        let max_record_bytes = section.number(&MAX_RECORD_BYTES);
        let max_age_days = section.number(&MAX_AGE_DAYS);
        let max_future_seconds = section.number(&MAX_FUTURE_SECONDS);
        let max_interval_days = section.number(&MAX_INTERVAL_DAYS);
        let allow_negative_units = section.flag(&ALLOW_NEGATIVE_UNITS);
        let require_known_subscription = section.flag(&REQUIRE_KNOWN_SUBSCRIPTION);
        let require_known_option = section.flag(&REQUIRE_KNOWN_OPTION);
        let max_inflight_bytes = section.number::<u64>(&MAX_INFLIGHT_BYTES);
        let session_timeout_ms = section.number(&SESSION_TIMEOUT_MS);
        let mirror_topic = section.optional(&MIRROR_TOPIC, parse_topic);
        if let (Some(batch), Some(inflight)) = (batch_bytes, max_inflight_bytes)
            && batch > inflight / BATCHES_INFLIGHT
        {
            let what = format!(
                "ingest.batch_bytes is {batch}, more than half of ingest.max_inflight_bytes, which is {inflight}"
            );
            section.complain("batch_bytes", what);
        }
        Some(Self {
            batch_rows: batch_rows?,
            batch_bytes: usize::try_from(batch_bytes?).ok()?,
            batch_age: Duration::from_millis(batch_age_ms?),
            max_record_bytes: max_record_bytes?,
            max_age_days: max_age_days?,
            max_future_seconds: max_future_seconds?,
            max_interval_days: max_interval_days?,
            allow_negative_units: allow_negative_units?,
            require_known_subscription: require_known_subscription?,
            require_known_option: require_known_option?,
            max_inflight_bytes: usize::try_from(max_inflight_bytes?).ok()?,
            session_timeout: Duration::from_millis(session_timeout_ms?),
            mirror_topic: mirror_topic?,
        })
    }

    /// When a batch closes, and how much is held.
    pub(crate) fn limits(&self) -> BatchLimits {
        BatchLimits {
            rows: self.batch_rows,
            bytes: self.batch_bytes,
            age: self.batch_age,
            inflight_bytes: self.max_inflight_bytes,
        }
    }

    /// The rules of a verdict, without the files that the strict keys ask for.
    pub(crate) fn rules(&self, zone: Arc<BillingZone>) -> Rules {
        Rules {
            max_record_bytes: self.max_record_bytes,
            max_age_days: self.max_age_days,
            max_future_seconds: self.max_future_seconds,
            max_interval_days: self.max_interval_days,
            allow_negative_units: self.allow_negative_units,
            ..Rules::new(zone)
        }
    }
}
