//! The wall clock, which decides about expiries and the current month.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the epoch. A clock before 1970 counts as 1970.
pub(crate) fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
