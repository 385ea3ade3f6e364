//! No input makes the parser panic, and what is JSON is what another parser says.

use std::sync::{Arc, LazyLock};

use meterhouse_model::{
    BillingZone, CloudEventHeaders, Events, Identity, Reason, Record, Reject, Rules, parse,
};
use proptest::prelude::*;
use serde::de::IgnoredAny;

static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::new(Arc::new(BillingZone::new("Europe/Berlin").unwrap())));

const EVENT: &str = r#"{"EventId":"e-1","SubscriptionReference":"83FE4FEF2","OptionCode":"scale","UsageStart":"2026-10-03 17:00:00","UsageEnd":"2026-10-03T18:00:00.5Z","Units":"12.5","Customer":"c","Description":"d\u00e9","RenewalOrderReference":7,"Origin":{"a":[1,2,{"b":null}]}}"#;
const CHANGE: &str = r#"{"Identity":"c:10:/my/source,4:id-1,0","SubscriptionReference":"83FE4FEF2","OptionCode":"scale","UsageStart":"2026-10-03 17:00:00","UsageEnd":"2026-10-03 18:00:00","Units":12.5e0,"Action":"amend","Revision":1}"#;
const ENVELOPE: &str =
    r#"{"specversion":"1.0","id":"i","source":"s","type":"t","datacontenttype":"application/json","data":"#;
const ENCODED: &str = r#"{"specversion":"1.0","id":"i","source":"s","type":"t","data_base64":"e30="}"#;

fn record<'a>(value: &'a [u8], content_type: Option<&'a [u8]>, headers: CloudEventHeaders<'a>) -> Record<'a> {
    Record {
        topic: "usage-events",
        partition: 3,
        offset: 12345,
        timestamp_ms: Some(1_791_050_405_000),
        value: Some(value),
        content_type,
        cloud_event: headers,
    }
}

fn parse_plain(value: &[u8]) -> Result<Events<'_>, Reject> {
    parse(&record(value, None, CloudEventHeaders::default()), &RULES)
}

/// What holds for every outcome.
fn check(outcome: &Result<Events<'_>, Reject>) {
    match outcome {
        Ok(events) => {
            assert!((1..=1000).contains(&events.len()));
            for (event, index) in events.iter().zip(0..) {
                assert_eq!(event.index, index);
                assert!(event.start <= event.end && event.start >= 0);
                assert!(event.billed_at >= event.start && event.billed_at <= event.end);
                assert_eq!(event.billing_day, RULES.zone.day_of(event.billed_at));
                let text = event.identity.to_string();
                assert!(text.len() <= 1024);
                assert_eq!(Identity::parse(&text).as_ref(), Some(&event.identity));
            }
        }
        Err(reject) => assert!(reject.detail.len() <= 512),
    }
}

fn valid_values() -> Vec<String> {
    let several = format!(r#"{{"Usages":[{EVENT},{CHANGE}]}}"#);
    let structured = format!("{ENVELOPE}{EVENT}}}");
    let nested = format!("{ENVELOPE}{several}}}");
    vec![EVENT.into(), CHANGE.into(), several, structured, nested, ENCODED.into()]
}

#[test]
fn the_seeds_of_mutation_are_fine() {
    for value in valid_values() {
        let outcome = parse_plain(value.as_bytes());
        check(&outcome);
        assert!(outcome.is_ok() || value == ENCODED, "{value}: {outcome:?}");
    }
}

#[test]
fn nesting_takes_no_stack() {
    const DEPTH: usize = 100_000;
    let (arrays, objects) = ("[".repeat(DEPTH), r#"{"a":"#.repeat(DEPTH));
    let closed = format!("{arrays}{}", "]".repeat(DEPTH));
    let table = [
        (arrays.clone(), Reason::InvalidJson),
        (objects.clone(), Reason::InvalidJson),
        (closed.clone(), Reason::NotAnObject),
        (format!("{objects}1{}", "}".repeat(DEPTH)), Reason::MissingMember),
        (format!(r#"{{"Usages":{closed}}}"#), Reason::NotAnObject),
        (format!(r#"{{"Units":{closed}}}"#), Reason::MissingMember),
        (format!(r#"{{"specversion":"1.0","data":{closed}}}"#), Reason::InvalidEnvelope),
        (format!("{}{}", r#"{"Usages":["#.repeat(DEPTH / 2), "]}".repeat(DEPTH / 2)), Reason::MissingMember),
    ];
    for (value, reason) in table {
        let reject = parse_plain(value.as_bytes()).unwrap_err();
        assert_eq!(reject.reason, reason, "{}: {reject}", &value[..20]);
    }
    let ignored = format!(r#"{},"Deep":{closed}}}"#, EVENT.strip_suffix('}').unwrap());
    assert!(parse_plain(ignored.as_bytes()).is_ok());
    let origin = EVENT.replace(r#"{"a":[1,2,{"b":null}]}"#, &closed);
    assert_eq!(parse_plain(origin.as_bytes()).unwrap()[0].origin.as_deref(), Some(closed.as_str()));
}

#[test]
fn many_members_and_events_are_bounded() {
    let names = (0..60_000).map(|number| format!(r#""n{number}":0"#)).collect::<Vec<_>>().join(",");
    let many = format!("{},{names}}}", EVENT.strip_suffix('}').unwrap());
    assert!(parse_plain(many.as_bytes()).is_ok());
    let twice = format!(r#"{},{names},"n777":0}}"#, EVENT.strip_suffix('}').unwrap());
    let reject = parse_plain(twice.as_bytes()).unwrap_err();
    assert_eq!((reject.reason, reject.detail.contains("n777")), (Reason::DuplicateMember, true));

    let usages = |count: usize| {
        let events = (0..count).map(|number| EVENT.replace("e-1", &format!("e-{number}")));
        format!(r#"{{"Usages":[{}]}}"#, events.collect::<Vec<_>>().join(","))
    };
    assert_eq!(parse_plain(usages(1000).as_bytes()).unwrap().len(), 1000);
    let reject = parse_plain(usages(1001).as_bytes()).unwrap_err();
    assert_eq!((reject.reason, reject.index), (Reason::TooLarge, None));
    let zeros = format!(r#"{{"Usages":[0{}]}}"#, ",0".repeat(500_000));
    assert_eq!(parse_plain(zeros.as_bytes()).unwrap_err().reason, Reason::TooLarge);
}

#[test]
fn the_largest_record_is_configurable_to_the_byte() {
    let value = format!("{}{EVENT}", " ".repeat(1_048_576 - EVENT.len()));
    assert!(parse_plain(value.as_bytes()).is_ok());
    let reject = parse_plain(format!(" {value}").as_bytes()).unwrap_err();
    assert_eq!(reject.reason, Reason::TooLarge);
}

#[test]
fn details_are_cut_between_characters() {
    let value = EVENT.replace("2026-10-03 17:00:00", &"é".repeat(5000));
    let reject = parse_plain(value.as_bytes()).unwrap_err();
    assert_eq!(reject.reason, Reason::InvalidTime);
    check(&Err(reject));
    let long = Reject::new(Reason::InvalidJson, "é".repeat(300));
    assert_eq!(long.detail.len(), 512);
    assert_eq!(Reject::new(Reason::InvalidJson, format!("a{}", "é".repeat(300))).detail.len(), 511);
}

#[test]
fn strings_are_borrowed_where_nothing_is_escaped() {
    // One place in memory: a constant may have several.
    let value = CHANGE.as_bytes();
    let events = parse_plain(value).unwrap();
    let event = &events[0];
    let inside = |text: &str| value.as_ptr_range().contains(&text.as_ptr());
    assert!(inside(&event.subscription) && inside(&event.option_code));
    let Identity::CloudEvent { source, id, .. } = &event.identity else { panic!("{event:?}") };
    assert!(inside(source) && inside(id));
}

/// Changes to a text: where, and what is put there in place of how many bytes.
fn mutations() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, Vec<u8>)>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..3),
        prop::sample::select(vec![
            "\"",
            "\\",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "null",
            "true",
            "0",
            "-",
            "1e9",
            "\\u",
            "\\ud800",
            "\u{0}",
            "é",
            " ",
            "\n",
            "Units",
            "Usages",
            "specversion",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    proptest::collection::vec((any::<prop::sample::Index>(), 0..4_usize, piece), 1..4)
}

fn mutate(text: &str, mutations: &[(prop::sample::Index, usize, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (place, length, piece) in mutations {
        let start = place.index(bytes.len() + 1);
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, piece.iter().copied());
    }
    bytes
}

/// Whether the parser's verdict is that of another parser of JSON.
fn agrees_on_json(value: &[u8], outcome: &Result<Events<'_>, Reject>) -> bool {
    let reason = outcome.as_ref().err().map(|reject| reject.reason);
    let Ok(text) = str::from_utf8(value) else { return reason == Some(Reason::InvalidUtf8) };
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    match reason {
        Some(Reason::EmptyRecord) => text.is_empty(),
        Some(Reason::InvalidJson) => !is_json || has_half_a_character(text),
        _ => is_json,
    }
}

/// Whether a text that is JSON by its grammar has an escape for one half of a surrogate pair. A reject where the text of
/// that string is needed, harmless elsewhere.
fn has_half_a_character(text: &str) -> bool {
    let error = serde_json::from_str::<serde_json::Value>(text).err().map(|error| error.to_string());
    error.is_some_and(|error| error.contains("surrogate") || error.contains("hex escape"))
}

proptest! {
    #![proptest_config(crate::cases(4000))]

    #[test]
    fn any_bytes(value: Vec<u8>) {
        let outcome = parse_plain(&value);
        check(&outcome);
        prop_assert!(agrees_on_json(&value, &outcome));
    }

    #[test]
    fn texts_that_are_nearly_json(text in "[]\\[{}:,\"\\\\u0-9a-fA-FeE.+ \t\n-]{0,24}|[{]([]\\[{}:,\" ]|\"a\"|null|true|false|-?1){0,16}[}]") {
        let outcome = parse_plain(text.as_bytes());
        prop_assert!(agrees_on_json(text.as_bytes(), &outcome), "{}: {:?}", text, outcome);
    }

    #[test]
    fn mutated_records(seed in prop::sample::select(valid_values()), mutations in mutations()) {
        let value = mutate(&seed, &mutations);
        let outcome = parse_plain(&value);
        check(&outcome);
        prop_assert!(agrees_on_json(&value, &outcome), "{:?}: {:?}", String::from_utf8_lossy(&value), outcome);
    }

    #[test]
    fn any_headers(
        headers in proptest::array::uniform5(proptest::option::of(prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..8),
            prop::sample::select(vec!["1.0", "/s", "application/cloudevents", "application/cloudevents+json", "application/json;x"])
                .prop_map(|text| text.as_bytes().to_vec()),
        ])),
        value in prop::sample::select(valid_values()),
    ) {
        let [content_type, specversion, id, source, event_type] = headers.each_ref().map(Option::as_deref);
        let headers = CloudEventHeaders { specversion, id, source, event_type };
        check(&parse(&record(value.as_bytes(), content_type, headers), &RULES));
    }

    #[test]
    fn any_coordinates_and_limits(
        partition: i32,
        offset: i64,
        timestamp_ms: Option<i64>,
        [max_age_days, max_future_seconds, max_interval_days]: [u32; 3],
    ) {
        let value = EVENT.replace("EventId", "NoEventId");
        let mut record = record(value.as_bytes(), None, CloudEventHeaders::default());
        (record.partition, record.offset, record.timestamp_ms) = (partition, offset, timestamp_ms);
        let rules = Rules { max_age_days, max_future_seconds, max_interval_days, ..RULES.clone() };
        let outcome = parse(&record, &rules);
        check(&outcome);
        if let Ok(events) = outcome {
            let _version = events[0].version(&record);
        }
    }
}
