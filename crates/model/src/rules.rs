//! The configurable part of a verdict.

use std::sync::Arc;

use crate::reject::quote;
use crate::zone::{DAY_SECONDS, SECOND};
use crate::{BillingZone, Catalog, Change, Event, Reason, Registry, Reject};

/// Microseconds of a day of 24 hours. A configured number of days may be so large that the product is beyond 64 bits.
const DAY: i64 = DAY_SECONDS * SECOND;

/// What a record's verdict depends on besides the record.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The billing time zone.
    pub zone: Arc<BillingZone>,
    /// Longer values are too large.
    pub max_record_bytes: usize,
    /// Usage may end so many days before the record's timestamp.
    pub max_age_days: u32,
    /// Usage may end so many seconds after the record's timestamp.
    pub max_future_seconds: u32,
    /// Usage may last so many days of 24 hours.
    pub max_interval_days: u32,
    /// Whether units may be below zero.
    pub allow_negative_units: bool,
    /// Where it is given, a subscription must be listed in it and the usage inside one of its intervals.
    pub known_subscription: Option<Arc<Registry>>,
    /// Where it is given, an option code must be listed in it.
    pub known_option: Option<Arc<Catalog>>,
}

impl Rules {
    /// The default rules in a billing time zone.
    pub fn new(zone: Arc<BillingZone>) -> Self {
        Self {
            zone,
            max_record_bytes: 1_048_576,
            max_age_days: 1830,
            max_future_seconds: 3600,
            max_interval_days: 31,
            allow_negative_units: false,
            known_subscription: None,
            known_option: None,
        }
    }

    /// Judges an event by the configurable rules. `timestamp_ms` is the record's.
    pub(crate) fn check(&self, event: &Event<'_>, timestamp_ms: Option<i64>) -> Result<(), Reject> {
        if event.change == Change::Create {
            self.check_age(event, timestamp_ms)?;
        }
        if event.units.is_negative() && !self.allow_negative_units {
            return Err(Reject::new(Reason::NegativeUnits, format!("Units is {}", event.units)));
        }
        self.check_subscription(event)?;
        match &self.known_option {
            Some(catalog) if catalog.service(&event.option_code).is_none() => {
                let detail = format!("the catalog lacks the option code {}", quote(&event.option_code));
                Err(Reject::new(Reason::UnknownOptionCode, detail))
            }
            _ => Ok(()),
        }
    }

    /// Length and age, which bind creations only: what is old can always be corrected.
    fn check_age(&self, event: &Event<'_>, timestamp_ms: Option<i64>) -> Result<(), Reject> {
        let days = i64::from(self.max_interval_days);
        if event.end - event.start > days.saturating_mul(DAY) {
            return Err(Reject::new(
                Reason::IntervalTooLong,
                format!("the interval is longer than {days} days"),
            ));
        }
        let Some(timestamp_ms) = timestamp_ms else { return Ok(()) };
        let recorded = timestamp_ms.saturating_mul(1000);
        let days = i64::from(self.max_age_days);
        if event.end < recorded.saturating_sub(days.saturating_mul(DAY)) {
            let detail =
                format!("UsageEnd is more than {days} days before the record's timestamp {timestamp_ms} ms");
            return Err(Reject::new(Reason::TooOld, detail));
        }
        let seconds = i64::from(self.max_future_seconds);
        if event.end > recorded.saturating_add(seconds * SECOND) {
            let detail =
                format!("UsageEnd is more than {seconds} s after the record's timestamp {timestamp_ms} ms");
            return Err(Reject::new(Reason::InFuture, detail));
        }
        Ok(())
    }

    fn check_subscription(&self, event: &Event<'_>) -> Result<(), Reject> {
        let Some(registry) = &self.known_subscription else { return Ok(()) };
        let subscription = &event.subscription;
        if registry.intervals(subscription).is_none() {
            let detail = format!("the registry lacks the subscription {}", quote(subscription));
            return Err(Reject::new(Reason::UnknownSubscription, detail));
        }
        if !registry.covers(subscription, event.start, event.end) {
            let detail =
                format!("the usage is not inside the life of the subscription {}", quote(subscription));
            return Err(Reject::new(Reason::OutsideSubscription, detail));
        }
        Ok(())
    }
}

/// Whether a text has characters of the Unicode category Cc.
pub(crate) fn has_control(text: &str) -> bool {
    // Nearly every text is printable ASCII, which is quickly seen.
    let is_printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    !is_printable && text.chars().any(char::is_control)
}
