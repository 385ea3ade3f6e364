//! Times, for a person or a machine.

use chrono::{DateTime, SecondsFormat};

/// Milliseconds since the epoch as RFC 3339; as they are where that has no such year.
pub(crate) fn rfc3339(ms: i64) -> String {
    match DateTime::from_timestamp_millis(ms) {
        Some(time) => time.to_rfc3339_opts(SecondsFormat::Millis, true),
        None => format!("{ms} ms"),
    }
}
