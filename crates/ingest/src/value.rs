//! From events to the value of a record, which is read as the same events again.

use chrono::{DateTime, SecondsFormat};
use meterhouse_model::{Change, Event, Identity};
use serde::Serialize;
use serde_json::value::RawValue;

/// Type of the CloudEvents that are written: the one of the original is not kept.
const CLOUD_EVENT_TYPE: &str = "meterhouse.rebuilt";

/// A value that is read as these events, in the place that they come from. Times are written in UTC.
///
/// # Errors
/// None for events that were read: their texts can all be written.
pub fn record_value(events: &[Event<'_>]) -> serde_json::Result<String> {
    let data = match events {
        [event] => Data::One(Box::new(Object::of(event))),
        several => Data::Several { usages: several.iter().map(Object::of).collect() },
    };
    let envelope = events.iter().find_map(|event| match &event.identity {
        Identity::CloudEvent { source, id, .. } if event.change == Change::Create => Some((source, id)),
        _ => None,
    });
    match envelope {
        None => serde_json::to_string(&data),
        Some((source, id)) => {
            let envelope =
                Envelope { specversion: "1.0", event_type: CLOUD_EVENT_TYPE, source, id, data: &data };
            serde_json::to_string(&envelope)
        }
    }
}

#[derive(Serialize)]
struct Envelope<'e> {
    specversion: &'e str,
    #[serde(rename = "type")]
    event_type: &'e str,
    source: &'e str,
    id: &'e str,
    data: &'e Data<'e>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'e> {
    One(Box<Object<'e>>),
    Several {
        #[serde(rename = "Usages")]
        usages: Vec<Object<'e>>,
    },
}

/// The members of an event, without those that it does not have.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Object<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
    subscription_reference: &'e str,
    option_code: &'e str,
    #[serde(skip_serializing_if = "str::is_empty")]
    customer: &'e str,
    usage_start: String,
    usage_end: String,
    units: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    renewal_order_reference: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'e RawValue>,
}

impl<'e> Object<'e> {
    fn of(event: &'e Event<'_>) -> Self {
        let action = match event.change {
            Change::Create => None,
            Change::Amend(_) => Some("amend"),
            Change::Delete(_) => Some("delete"),
        };
        let event_id = match &event.identity {
            Identity::EventId(id) if action.is_none() => Some(id.as_ref()),
            // A change names its event by the identity; the others follow from the envelope, or from the place.
            _ => None,
        };
        Self {
            event_id,
            identity: action.map(|_| event.identity.to_string()),
            action,
            revision: action.map(|_| event.revision()),
            subscription_reference: &event.subscription,
            option_code: &event.option_code,
            customer: &event.customer,
            usage_start: time(event.start),
            usage_end: time(event.end),
            units: event.units.to_string(),
            description: &event.description,
            renewal_order_reference: event.renewal_order_reference,
            origin: event.origin.as_deref().and_then(|origin| serde_json::from_str(origin).ok()),
        }
    }
}

/// RFC 3339, to the microsecond.
fn time(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Micros, true)
}
