//! `[ingest]`: how records are judged and batched.

use std::sync::Arc;
use std::time::Duration;

use meterhouse_ingest::BatchLimits;
use meterhouse_model::{BillingZone, Rules};

use super::kafka::parse_topic;
use super::reader::Reader;

const BATCH_ROWS: u64 = 200_000;
const BATCH_ROWS_MAX: u64 = 10_000_000;
const BATCH_BYTES: u64 = 64 * MEBIBYTE;
const BATCH_BYTES_MAX: u64 = 4096 * MEBIBYTE;
const BATCH_AGE_MS: u64 = 1000;
const BATCH_AGE_MS_MAX: u64 = 600_000;
const MAX_RECORD_BYTES: u64 = MEBIBYTE;
const MAX_RECORD_BYTES_MAX: u64 = 1024 * MEBIBYTE;
const MAX_AGE_DAYS: u64 = 1830;
const MAX_FUTURE_SECONDS: u64 = 3600;
const MAX_INTERVAL_DAYS: u64 = 31;
/// All days that a usage may have: from 1970 to 2200.
const DAYS_MAX: u64 = 84_007;
const MAX_FUTURE_SECONDS_MAX: u64 = 366 * 86_400;
const MAX_INFLIGHT_BYTES: u64 = 256 * MEBIBYTE;
const MAX_INFLIGHT_BYTES_MAX: u64 = 1024 * 1024 * MEBIBYTE;
const SESSION_TIMEOUT_MS: u64 = 10_000;
/// A broker's usual limits are 6 s and 30 min.
const SESSION_TIMEOUT_MS_MIN: u64 = 1000;
const SESSION_TIMEOUT_MS_MAX: u64 = 1_800_000;
const MEBIBYTE: u64 = 1024 * 1024;
/// Batches that must fit into the memory limit: one is filled while another is stored.
const BATCHES_INFLIGHT: u64 = 2;

/// The keys of `[ingest]`.
#[derive(Debug, Clone)]
pub(crate) struct IngestConfig {
    /// A batch closes at so many rows, events and rejects together. Default 200000.
    pub(crate) batch_rows: usize,
    /// A batch closes at so many bytes of memory. Default 67108864. At most half of `max_inflight_bytes`.
    pub(crate) batch_bytes: usize,
    /// `batch_age_ms`: a batch closes so long after its first record, in milliseconds. Default 1000.
    pub(crate) batch_age: Duration,
    /// Records with longer values, in bytes, are rejects. Default 1048576.
    pub(crate) max_record_bytes: usize,
    /// Usage that ended more days before the record's timestamp is a reject. Default 1830.
    pub(crate) max_age_days: u32,
    /// Usage that ends more seconds after the record's timestamp is a reject. Default 3600.
    pub(crate) max_future_seconds: u32,
    /// Usage that lasts more days of 24 hours is a reject. Default 31.
    pub(crate) max_interval_days: u32,
    /// Whether units may be below zero. Default false.
    pub(crate) allow_negative_units: bool,
    /// Whether a subscription must be in the file `subscriptions.path`. Default false.
    pub(crate) require_known_subscription: bool,
    /// Whether an option code must be in the file `catalog.path`. Default false.
    pub(crate) require_known_option: bool,
    /// Memory of batches that are not stored yet, in bytes: beyond it no more records are taken. Default 268435456.
    pub(crate) max_inflight_bytes: usize,
    /// `session_timeout_ms`: the broker gives a silent process's partitions away after so many milliseconds. Default
    /// 10000.
    pub(crate) session_timeout: Duration,
    /// Topic that gets a copy of each rejected record, on the same brokers. It must exist. Default none.
    pub(crate) mirror_topic: Option<String>,
}

impl IngestConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("ingest");
        let batch_rows = section.number("batch_rows", BATCH_ROWS, 1..=BATCH_ROWS_MAX);
        let batch_bytes = section.number::<u64>("batch_bytes", BATCH_BYTES, 1..=BATCH_BYTES_MAX);
        let batch_age_ms = section.number("batch_age_ms", BATCH_AGE_MS, 1..=BATCH_AGE_MS_MAX);
        let max_record_bytes = section.number("max_record_bytes", MAX_RECORD_BYTES, 1..=MAX_RECORD_BYTES_MAX);
        let max_age_days = section.number("max_age_days", MAX_AGE_DAYS, 1..=DAYS_MAX);
        let max_future_seconds =
            section.number("max_future_seconds", MAX_FUTURE_SECONDS, 0..=MAX_FUTURE_SECONDS_MAX);
        let max_interval_days = section.number("max_interval_days", MAX_INTERVAL_DAYS, 1..=DAYS_MAX);
        let allow_negative_units = section.flag("allow_negative_units", false);
        let require_known_subscription = section.flag("require_known_subscription", false);
        let require_known_option = section.flag("require_known_option", false);
        let max_inflight_bytes =
            section.number::<u64>("max_inflight_bytes", MAX_INFLIGHT_BYTES, 2..=MAX_INFLIGHT_BYTES_MAX);
        let session_timeout_ms = section.number(
            "session_timeout_ms",
            SESSION_TIMEOUT_MS,
            SESSION_TIMEOUT_MS_MIN..=SESSION_TIMEOUT_MS_MAX,
        );
        let mirror_topic = section.optional("mirror_topic", parse_topic);
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
