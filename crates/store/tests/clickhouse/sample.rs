//! Events and records for tests.

use std::borrow::Cow;

use meterhouse_model::{
    BillingZone, Change, CloudEventHeaders, Event, Identity, Record, Units, parse_instant,
};
use meterhouse_store::{EncodedBatch, EventBatch, SealedEvents};

use crate::database::utc;

/// The instant of an RFC 3339 text, in microseconds.
pub(crate) fn at(text: &str) -> i64 {
    parse_instant(text, utc()).unwrap()
}

/// An hour's usage that ends at an instant, of option `scale`, in UTC. Tests change what they are about.
pub(crate) fn event(subscription: &str, id: &str, end: i64, units: &str) -> Event<'static> {
    let event = Event {
        subscription: Cow::Owned(subscription.to_owned()),
        option_code: Cow::Borrowed("scale"),
        customer: Cow::Borrowed(""),
        description: Cow::Borrowed(""),
        identity: Identity::EventId(Cow::Owned(id.to_owned())),
        index: 0,
        start: end - 3_600_000_000,
        end,
        billed_at: end - 1,
        billing_day: utc().day_of(end - 1),
        units: Units::parse(units).unwrap(),
        renewal_order_reference: None,
        change: Change::Create,
        origin: None,
    };
    assert!(event.start < event.end);
    event
}

/// The event as it is billed in another zone.
pub(crate) fn in_zone(event: Event<'static>, zone: &BillingZone) -> Event<'static> {
    Event { billing_day: zone.day_of(event.billed_at), ..event }
}

pub(crate) fn of_customer(event: Event<'static>, customer: &str) -> Event<'static> {
    Event { customer: Cow::Owned(customer.to_owned()), ..event }
}

/// A record of the topic `usage-events`.
pub(crate) fn record(partition: i32, offset: i64) -> Record<'static> {
    Record {
        topic: "usage-events",
        partition,
        offset,
        timestamp_ms: Some(offset.saturating_add(1_790_000_000_123)),
        value: None,
        content_type: None,
        cloud_event: CloudEventHeaders::default(),
    }
}

/// A batch of events, each from a record of its own, from offset 0 on: with marks and evidence.
pub(crate) fn written<'e>(events: impl IntoIterator<Item = &'e Event<'static>>) -> SealedEvents {
    let mut batch = EventBatch::default();
    for (event, offset) in events.into_iter().zip(0..) {
        batch.push(event, &record(0, offset));
    }
    batch.seal().unwrap()
}

/// The events alone.
pub(crate) fn sealed<'e>(events: impl IntoIterator<Item = &'e Event<'static>>) -> EncodedBatch {
    written(events).events
}
