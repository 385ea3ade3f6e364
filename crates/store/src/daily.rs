//! Sums by day: `usage_daily`, which is recomputed from the deduplicated events and never incremented.
//!
//! Its unit is a UTC date of a subscription. A date is *clean* when its newest scan knew its newest mark and began more
//! than a margin later; then its rows are all that there is to know. Any other date is read from the events themselves.
//!
//! - [`recompute`] scans dates, [`look`] finds those that need it.
//! - [`state`] decides whether a date is clean, [`rows`] reads what is stored of it.

mod look;
mod mark;
mod recompute;
mod rows;
mod state;

use std::time::Duration;

use meterhouse_model::{Day, Month};

pub use look::{DateFilter, DatePage, MarkedDate};
pub(crate) use rows::{DailyRows, DaySum};
pub use state::DateState;

/// A UTC date of a subscription, as in the sort key of the events.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UsageDate {
    /// Customer that the events name, empty where they name none.
    pub customer: String,
    /// Subscription.
    pub subscription: String,
    /// UTC date of `billed_at`.
    pub day: Day,
}

impl UsageDate {
    /// The order in which dates are best scanned: events are partitioned by month and sorted by customer.
    pub fn scan_order(&self) -> impl Ord {
        (Month::of(self.day).index(), &self.customer, &self.subscription, self.day)
    }
}

/// A time by the clock of the ClickHouse server, in nanoseconds since the epoch. It is never compared with our own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ServerTime(pub i64);

impl ServerTime {
    /// So much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }

    /// So much earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(duration)))
    }
}

/// A duration as the server's times count.
pub(crate) fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
