//! `[sweep]`: how often copies of events are compared.

use std::time::Duration;

use super::reader::Reader;

const INTERVAL_MS: u64 = 1000;
const INTERVAL_MS_MIN: u64 = 10;
const INTERVAL_MS_MAX: u64 = 600_000;
const MAX_LAG_SECONDS: u64 = 3600;
const MAX_LAG_SECONDS_MAX: u64 = 30 * 86_400;

/// The keys of `[sweep]`.
#[derive(Debug, Clone)]
pub(crate) struct SweepConfig {
    /// `interval_ms`: shortest pause between two looks for copies that differ, in milliseconds. Default 1000. After a long
    /// look the pause is twenty times as long as the look, within `max_lag_seconds`.
    pub(crate) interval: Duration,
    /// `max_lag_seconds`: such copies are seen within so many seconds, if that is possible at all. Default 3600.
    pub(crate) max_lag: Duration,
}

impl SweepConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("sweep");
        let interval_ms = section.number("interval_ms", INTERVAL_MS, INTERVAL_MS_MIN..=INTERVAL_MS_MAX);
        let max_lag_seconds = section.number("max_lag_seconds", MAX_LAG_SECONDS, 1..=MAX_LAG_SECONDS_MAX);
        Some(Self {
            interval: Duration::from_millis(interval_ms?),
            max_lag: Duration::from_secs(max_lag_seconds?),
        })
    }

    /// What the sweep is told.
    pub(crate) fn pace(&self) -> meterhouse_ingest::SweepConfig {
        meterhouse_ingest::SweepConfig { interval: self.interval, max_lag: self.max_lag }
    }
}
