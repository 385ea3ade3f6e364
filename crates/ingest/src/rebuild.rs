//! A record that is gone from Kafka, rebuilt from its events: they would be lost otherwise.

use meterhouse_model::{CloudEventHeaders, Reason, Record, Reject};
use meterhouse_store::{RejectBatch, RejectedRecord, SealedEvents, Source};

use crate::value::record_value;

/// Adds a refused record to the rejects, as one that means the same at the same place.
pub(crate) fn push(
    rejects: &mut RejectBatch,
    events: &SealedEvents,
    source: &Source,
    topic: &str,
    words: &str,
) {
    let (partition, offset) = source.position();
    let value = events.events_of(partition, offset).and_then(|events| record_value(&events).ok());
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
