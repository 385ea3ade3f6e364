//! A row of `usage_events`, as the server gives it back and as an event should have written it.

use clickhouse::Row;
use meterhouse_model::{Event, IdentityHash, Record};
use serde::Deserialize;

/// All columns that a batch writes. Times are in microseconds or milliseconds, days since 1970, units scaled.
#[derive(Debug, Clone, PartialEq, Eq, Row, Deserialize)]
pub(crate) struct StoredEvent {
    pub(crate) customer: String,
    pub(crate) subscription: String,
    pub(crate) option_code: String,
    pub(crate) identity: String,
    usage_start: i64,
    usage_end: i64,
    pub(crate) billed_at: i64,
    billing_day: i32,
    pub(crate) units: i128,
    description: String,
    renewal_order_reference: u64,
    usage_reference: u64,
    revision: u32,
    topic: String,
    partition: i32,
    pub(crate) offset: i64,
    index: u16,
    record_time: i64,
    origin: String,
    version: u128,
    is_deleted: u8,
}

impl StoredEvent {
    pub(crate) fn of(event: &Event<'_>, record: &Record<'_>) -> Self {
        let identity = event.identity.to_string();
        Self {
            customer: event.customer.to_string(),
            subscription: event.subscription.to_string(),
            option_code: event.option_code.to_string(),
            usage_start: event.start,
            usage_end: event.end,
            billed_at: event.billed_at,
            billing_day: event.billing_day.0,
            units: event.units.0,
            description: event.description.to_string(),
            renewal_order_reference: event.renewal_order_reference.unwrap_or(0),
            usage_reference: IdentityHash::of(&event.subscription, identity.as_bytes()).usage_reference(),
            revision: event.revision(),
            topic: record.topic.to_owned(),
            partition: record.partition,
            offset: record.offset,
            index: event.index,
            record_time: record.timestamp_ms.unwrap_or(0),
            origin: event.origin.as_deref().unwrap_or("").to_owned(),
            version: event.version(record).0,
            is_deleted: u8::from(event.is_deleted()),
            identity,
        }
    }

    /// The table's key, less the version.
    pub(crate) fn key(&self) -> (&[u8], &[u8], i64, &[u8], &[u8]) {
        let utc_date = self.billed_at.div_euclid(86_400_000_000);
        let strings = [&self.customer, &self.subscription, &self.option_code, &self.identity];
        let [customer, subscription, option_code, identity] = strings.map(|text| text.as_bytes());
        (customer, subscription, utc_date, option_code, identity)
    }
}
