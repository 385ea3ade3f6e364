//! `[verify]`: the audit of everything that is billed.

use std::time::Duration;

use super::definition::Number;
use super::reader::Reader;

const INTERVAL_SECONDS: Number = Number {
    key: "interval_seconds",
    unit: "seconds",
    default: 3600,
    range: 1..=30 * 86_400,
    help: "Time from the end of one audit inside `serve` to the next one. Each looks at what is new in the ledger, and \
           at one of 24 slices of events and sums.",
};

/// The value of `[verify]`.
#[derive(Debug, Clone)]
pub(crate) struct VerifyConfig {
    pub(crate) interval: Duration,
}

impl VerifyConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let interval_seconds = reader.section("verify").number(&INTERVAL_SECONDS);
        Some(Self { interval: Duration::from_secs(interval_seconds?) })
    }
}
