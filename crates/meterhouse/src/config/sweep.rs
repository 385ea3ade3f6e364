//! `[sweep]`: how often copies of events are compared.

use std::time::Duration;

use super::definition::Number;
use super::reader::Reader;

const INTERVAL_MS: Number = Number {
    key: "interval_ms",
    unit: "milliseconds",
    default: 1000,
    range: 10..=600_000,
    help: "Shortest pause between two looks for copies of an event that differ. After a long look the pause is \
           twenty times as long as the look, within `max_lag_seconds`.",
};
const MAX_LAG_SECONDS: Number = Number {
    key: "max_lag_seconds",
    unit: "seconds",
    default: 3600,
    range: 1..=30 * 86_400,
    help: "Longest time until all copies were looked at, if that is possible at all.",
};

/// The values of `[sweep]`.
#[derive(Debug, Clone)]
pub(crate) struct SweepConfig {
    pub(crate) interval: Duration,
    pub(crate) max_lag: Duration,
}

impl SweepConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("sweep");
        let interval_ms = section.number(&INTERVAL_MS);
        let max_lag_seconds = section.number(&MAX_LAG_SECONDS);
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
