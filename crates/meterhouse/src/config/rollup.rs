//! `[rollup]`: sums by day.

use std::time::Duration;

use super::clickhouse::ClickHouseConfig;
use super::reader::Reader;

const MARGIN_MS: u64 = 75_000;
const MARGIN_MS_MAX: u64 = 86_400_000;
const INTERVAL_MS: u64 = 1000;
const INTERVAL_MS_MIN: u64 = 10;
const INTERVAL_MS_MAX: u64 = 3_600_000;
/// What marks do not tell is found after this time at the latest.
const FULL_LOOK_INTERVAL: Duration = Duration::from_secs(3600);

/// The keys of `[rollup]`.
#[derive(Debug, Clone)]
pub(crate) struct RollupConfig {
    /// `margin_ms`: a day is summed up so long after it last got usage, in milliseconds. Default 75000. More than twice
    /// `clickhouse.insert_timeout_ms`, and the same in all processes.
    pub(crate) margin: Duration,
    /// `interval_ms`: pause between two looks for days to sum up, in milliseconds. Default 1000.
    pub(crate) interval: Duration,
}

impl RollupConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("rollup");
        let margin_ms = section.number("margin_ms", MARGIN_MS, 1..=MARGIN_MS_MAX);
        let interval_ms = section.number("interval_ms", INTERVAL_MS, INTERVAL_MS_MIN..=INTERVAL_MS_MAX);
        Some(Self {
            margin: Duration::from_millis(margin_ms?),
            interval: Duration::from_millis(interval_ms?),
        })
    }

    /// Rows may come two time limits of an insert after the mark that announces them.
    pub(super) fn check_margin(&self, clickhouse: &ClickHouseConfig, reader: &mut Reader) {
        let limit = clickhouse.insert_timeout;
        if self.margin <= limit * 2 {
            let what = format!(
                "rollup.margin_ms is {}, not more than twice clickhouse.insert_timeout_ms, which is {}",
                self.margin.as_millis(),
                limit.as_millis()
            );
            reader.complain("rollup.margin_ms", what);
        }
    }

    /// How the worker works.
    pub(crate) fn worker(&self) -> meterhouse_query::rollup::RollupConfig {
        meterhouse_query::rollup::RollupConfig {
            margin: self.margin,
            interval: self.interval,
            full_look_interval: FULL_LOOK_INTERVAL,
        }
    }
}
