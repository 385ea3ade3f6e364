//! `[rollup]`: sums by day.

use std::time::Duration;

use super::clickhouse::ClickHouseConfig;
use super::definition::Number;
use super::reader::Reader;

const MARGIN_MS: Number = Number {
    key: "margin_ms",
    unit: "milliseconds",
    default: 75_000,
    range: 1..=86_400_000,
    help: "A day is summed up so long after it last got usage. More than twice `clickhouse.insert_timeout_ms`, and the \
           same in all processes.",
};
const INTERVAL_MS: Number = Number {
    key: "interval_ms",
    unit: "milliseconds",
    default: 1000,
    range: 10..=3_600_000,
    help: "Pause between two looks for days to sum up.",
};
/// What marks do not tell is found after this time at the latest.
const FULL_LOOK_INTERVAL: Duration = Duration::from_secs(3600);

/// The values of `[rollup]`.
#[derive(Debug, Clone)]
pub(crate) struct RollupConfig {
    pub(crate) margin: Duration,
    pub(crate) interval: Duration,
}

impl RollupConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("rollup");
        let margin_ms = section.number(&MARGIN_MS);
        let interval_ms = section.number(&INTERVAL_MS);
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
