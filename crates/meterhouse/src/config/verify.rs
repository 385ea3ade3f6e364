//! `[verify]`: the audit of everything that is billed.

use std::time::Duration;

use super::reader::Reader;

const INTERVAL_SECONDS: u64 = 3600;
const INTERVAL_SECONDS_MAX: u64 = 30 * 86_400;

/// The key of `[verify]`.
#[derive(Debug, Clone)]
pub(crate) struct VerifyConfig {
    /// `interval_seconds`: time from the end of one audit inside `serve` to the next one, in seconds. Each looks at what
    /// is new in the ledger, and at one of 24 slices of events and sums. Default 3600.
    pub(crate) interval: Duration,
}

impl VerifyConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("verify");
        let interval = section.number("interval_seconds", INTERVAL_SECONDS, 1..=INTERVAL_SECONDS_MAX);
        Some(Self { interval: Duration::from_secs(interval?) })
    }
}
