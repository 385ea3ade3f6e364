//! What counts at which level of a record: members given twice, and envelopes.

use std::sync::{Arc, LazyLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meterhouse_model::{BillingZone, CloudEventHeaders, Reason, Record, Reject, Rules, parse};

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::new(Arc::new(BillingZone::new("UTC").unwrap())));

const TIMES: &str = r#""UsageStart":"2026-10-03 17:00:00","UsageEnd":"2026-10-03 18:00:00""#;
const ATTRIBUTES: &str = r#""specversion":"1.0","id":"i","source":"s","type":"t""#;

fn event(more: &str) -> String {
    format!(r#"{{"EventId":"e-1","SubscriptionReference":"s","OptionCode":"o",{TIMES},"Units":1{more}}}"#)
}

/// The identities of the events.
fn read(
    value: &str,
    content_type: Option<&str>,
    headers: CloudEventHeaders<'_>,
) -> Result<Vec<String>, Reject> {
    let record = Record {
        topic: "t",
        partition: 0,
        offset: 0,
        timestamp_ms: None,
        value: Some(value.as_bytes()),
        content_type: content_type.map(str::as_bytes),
        cloud_event: headers,
    };
    let events = parse(&record, &RULES)?;
    Ok(events.iter().map(|event| event.identity.to_string()).collect())
}

fn verdict(value: &str) -> Option<(Reason, Option<u16>)> {
    read(value, None, CloudEventHeaders::default()).err().map(|reject| (reject.reason, reject.index))
}

#[test]
fn a_member_given_twice_counts_where_members_mean_something() {
    let twice = |index| Some((Reason::DuplicateMember, index));
    let second = event(r#","Units":2"#);
    let encoded = STANDARD.encode(&second);
    let table = [
        (event(""), None),
        (second.clone(), twice(None)),
        (event(r#","\u0055nits":1"#), twice(None)),
        (event(r#","a":1,"\u0061":1"#), twice(None)),
        (event(r#","":1,"":1"#), twice(None)),
        (event(r#","Customer":null,"Customer":null"#), twice(None)),
        (event(r#","a":1,"A":1"#), None),
        (format!(r#"{{"Usages":[{}],"Usages":[]}}"#, event("")), twice(None)),
        (format!(r#"{{"Usages":[{}],"\u0055sages":null}}"#, event("")), twice(None)),
        (format!(r#"{{"Usages":[{},{second}]}}"#, event("").replace("e-1", "e-0")), twice(Some(1))),
        (format!(r#"{{{ATTRIBUTES},"data":{}}}"#, event("")), None),
        (format!(r#"{{{ATTRIBUTES},"data":{second}}}"#), twice(None)),
        (format!(r#"{{{ATTRIBUTES},"data_base64":"{encoded}"}}"#), twice(None)),
        (format!(r#"{{{ATTRIBUTES},"data":{},"d\u0061ta":{}}}"#, event(""), event("")), twice(None)),
        (format!(r#"{{{ATTRIBUTES},"data":{{"Usages":[{},{second}]}}}}"#, event("")), twice(Some(1))),
        // Inside of what nobody reads.
        (event(r#","Origin":{"a":1,"a":1}"#), None),
        (event(r#","Region":[{"a":1,"a":1}]"#), None),
    ];
    for (value, expected) in table {
        assert_eq!(verdict(&value), expected, "{value}");
    }
}

#[test]
fn half_a_character_counts_where_its_text_is_needed() {
    let invalid = |index| Some((Reason::InvalidJson, index));
    let table = [
        (event(r#","Description":"\ud800""#), invalid(Some(0))),
        (event(r#","Region":"\ud800""#), None),
        (event(r#","Origin":["\udc00"]"#), None),
        // Every name is needed, to find those given twice.
        (event(r#","\ud800":1"#), invalid(None)),
        (event(r#","Region":{"\ud800":1}"#), None),
    ];
    for (value, expected) in table {
        assert_eq!(verdict(&value), expected, "{value}");
    }
}

#[test]
fn a_record_is_taken_as_a_whole_or_not_at_all() {
    let good = |id: &str| event("").replace("e-1", id);
    let usages = |events: &[String]| format!(r#"{{"Usages":[{}]}}"#, events.join(","));
    assert_eq!(verdict(&usages(&[good("e-1"), good("e-2"), good("e-3")])), None);
    for (index, bad) in
        (0..3).zip([event(r#","Customer":"""#), event("").replace(":1", ":x"), "1".to_owned()])
    {
        let mut events = [good("e-1"), good("e-2"), good("e-3")];
        let is_json = bad.contains("Customer") || bad == "1";
        events[usize::from(index)] = bad;
        let (reason, at) = verdict(&usages(&events)).unwrap();
        assert_eq!(at, is_json.then_some(index), "{reason}");
    }
    let amendment = event(r#","Action":"amend","Revision":1,"Identity":"e:3:e-1""#);
    let twice = Some((Reason::ConflictingDuplicate, Some(1)));
    assert_eq!(verdict(&usages(&[good("e-1"), amendment.replace("e-1\",\"S", "e-9\",\"S")])), twice);
    let elsewhere = good("e-1").replace(r#""s""#, r#""s2""#);
    assert_eq!(verdict(&usages(&[good("e-1"), elsewhere])), None, "of another subscription");
}

#[test]
fn content_types_say_what_the_value_is() {
    let (bare, none) = (event(""), CloudEventHeaders::default());
    let envelope = |kind: &str| format!(r#"{{{ATTRIBUTES},"datacontenttype":"{kind}","data":{bare}}}"#);
    let header = Some(b"1.0".as_slice());
    let full = CloudEventHeaders { specversion: header, id: header, source: header, event_type: header };
    for json in [
        "application/json",
        "text/json;charset=utf-8",
        " APPLICATION/JSON ; x=y",
        "application/vnd.usage+json",
    ] {
        assert_eq!(read(&envelope(json), None, none).unwrap(), ["c:1:s,1:i,0"], "{json}");
        assert_eq!(read(&bare, Some(json), full).unwrap(), ["c:3:1.0,3:1.0,0"], "{json}");
        assert_eq!(read(&bare, Some(json), none).unwrap(), ["e:3:e-1"], "{json}");
    }
    for other in ["+json", "json", "application/xml", "application/jsonl", "application/json+xml"] {
        for (value, content_type, headers) in [(&envelope(other), None, none), (&bare, Some(other), full)] {
            let reject = read(value, content_type, headers).unwrap_err();
            assert_eq!(reject.reason, Reason::InvalidEnvelope, "{other}: {reject}");
        }
    }
    for structured in ["application/cloudevents", "Application/CloudEvents+JSON; charset=UTF-8"] {
        assert_eq!(read(&envelope("text/json"), Some(structured), full).unwrap(), ["c:1:s,1:i,0"]);
        let reject = read(&bare, Some(structured), full).unwrap_err();
        assert_eq!(reject.reason, Reason::InvalidEnvelope, "{structured}: {reject}");
    }
    let reject = read(&bare, Some("application/cloudevents+protobuf"), none).unwrap_err();
    assert_eq!(reject.reason, Reason::InvalidEnvelope);
}

#[test]
fn every_header_of_a_binary_cloud_event_is_checked() {
    let bare = event("");
    let good = Some(b"1.0".as_slice());
    let full = CloudEventHeaders { specversion: good, id: good, source: good, event_type: good };
    for wrong in [None, Some(b"".as_slice()), Some(b"\xff".as_slice())] {
        let broken = [
            CloudEventHeaders { id: wrong, ..full },
            CloudEventHeaders { source: wrong, ..full },
            CloudEventHeaders { event_type: wrong, ..full },
        ];
        for headers in broken {
            let reject = read(&bare, None, headers).unwrap_err();
            assert_eq!((reject.reason, reject.index), (Reason::InvalidEnvelope, None), "{headers:?}");
        }
    }
    for version in [b"".as_slice(), b"1", b"1.1", b"\xff"] {
        let headers = CloudEventHeaders { specversion: Some(version), ..full };
        assert_eq!(read(&bare, None, headers).unwrap_err().reason, Reason::InvalidEnvelope);
    }
    let headers = CloudEventHeaders { specversion: None, ..full };
    assert_eq!(read(&bare, None, headers).unwrap(), ["e:3:e-1"], "no CloudEvent without its version");
}
