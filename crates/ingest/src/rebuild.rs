//! A record that is gone from Kafka, rebuilt from its events: they would be lost otherwise.

use chrono::{DateTime, SecondsFormat};
use meterhouse_model::{Change, CloudEventHeaders, Event, Identity, Reason, Record, Reject};
use meterhouse_store::{RejectBatch, RejectedRecord, SealedEvents, Source};
use serde::Serialize;
use serde_json::value::RawValue;

/// Type of the CloudEvents that are rebuilt: the original one is not kept.
const CLOUD_EVENT_TYPE: &str = "meterhouse.rebuilt";

/// Adds a refused record to the rejects, as one that means the same at the same place.
pub(crate) fn push(
    rejects: &mut RejectBatch,
    events: &SealedEvents,
    source: &Source,
    topic: &str,
    words: &str,
) {
    let (partition, offset) = source.position();
    let value = events.events_of(partition, offset).and_then(|events| value(&events).ok());
    let record = Record {
        topic,
        partition,
        offset,
        timestamp_ms: (source.record_time != 0).then_some(source.record_time),
        value: value.as_deref().map(str::as_bytes),
        content_type: None,
        cloud_event: CloudEventHeaders::default(),
    };
    let detail = format!("the record is gone from kafka, its value is rebuilt from its events; {words}");
    rejects.push(&Reject::new(Reason::RefusedByStore, detail), &record, RejectedRecord::default());
}

/// A value that is read as these events, in the place that they come from.
fn value(events: &[Event<'_>]) -> serde_json::Result<String> {
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

/// The members of an event; what it does not have is null, which is the same.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Object<'e> {
    event_id: Option<&'e str>,
    identity: Option<String>,
    action: Option<&'e str>,
    revision: Option<u32>,
    subscription_reference: &'e str,
    option_code: &'e str,
    customer: Option<&'e str>,
    usage_start: String,
    usage_end: String,
    units: String,
    description: &'e str,
    renewal_order_reference: Option<u64>,
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
            customer: Some(event.customer.as_ref()).filter(|customer| !customer.is_empty()),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use meterhouse_model::{BillingZone, Rules, parse};
    use meterhouse_store::EventBatch;

    use super::*;

    /// What is rebuilt must be read as the same events at the same place.
    #[track_caller]
    fn check(original: &str, timestamp_ms: Option<i64>) {
        let zone = Arc::new(BillingZone::new("Europe/Berlin").unwrap());
        let rules = Rules { allow_negative_units: true, ..Rules::new(zone) };
        let record = Record {
            topic: "t",
            partition: 3,
            offset: 77,
            timestamp_ms,
            value: Some(original.as_bytes()),
            content_type: None,
            cloud_event: CloudEventHeaders::default(),
        };
        let events = parse(&record, &rules).unwrap();
        let mut batch = EventBatch::default();
        for event in &events {
            batch.push(event, &Record { offset: 76, ..record });
            batch.push(event, &record);
        }
        let sealed = batch.seal().unwrap();
        let mut rejects = RejectBatch::default();
        let source = *sealed.sources.records().last().unwrap();
        push(&mut rejects, &sealed, &source, "t", "no");
        let row = rejects.rows().next().unwrap();
        assert!(row.detail.contains("rebuilt") && row.timestamp_ms == timestamp_ms, "{row:?}");
        let rebuilt = Record { value: row.raw, timestamp_ms: row.timestamp_ms, ..record };
        let again = parse(&rebuilt, &rules).unwrap();
        assert_eq!(again.as_slice(), events.as_slice(), "{:?}", String::from_utf8_lossy(row.raw.unwrap()));
    }

    const USAGE: &str = r#""SubscriptionReference":"s","OptionCode":"o","UsageStart":"2026-09-01 00:00:00",
        "UsageEnd":"2026-09-01T01:00:00.1234567Z","Units":-12.50"#;

    #[test]
    fn a_rebuilt_record_means_the_same() {
        let now = Some(1_790_000_000_123);
        check(&format!("{{{USAGE}}}"), now);
        check(&format!("{{{USAGE}}}"), None);
        check(&format!(r#"{{"EventId":"e\"\u00e9",{USAGE},"Description":"a\n\"b\"","Customer":"c"}}"#), now);
        check(&format!(r#"{{"EventId":"e",{USAGE},"Action":"amend","Revision":7}}"#), now);
        check(&format!(r#"{{"Identity":"c:1:s,2:id,4",{USAGE},"Action":"delete","Revision":1}}"#), now);
        check(&format!(r#"{{{USAGE},"RenewalOrderReference":5,"Origin":{{"b":1.50,"a":"x"}}}}"#), now);
        check(&format!(r#"{{"Usages":[{{{USAGE}}},{{"EventId":"e",{USAGE}}},{{{USAGE}}}]}}"#), now);
        let data = format!(r#"{{"Usages":[{{{USAGE}}},{{{USAGE}}}]}}"#);
        check(&format!(r#"{{"specversion":"1.0","type":"t","source":"/s","id":"i d","data":{data}}}"#), now);
    }
}
