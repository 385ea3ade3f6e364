//! The published schema and the parser agree on events made of good and bad members.

use std::sync::{Arc, LazyLock};

use meterhouse_model::{BillingZone, CloudEventHeaders, Reason, Record, Rules, parse};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::fixture::schemas;

static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let text = std::fs::read_to_string(schemas().join("event.schema.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
});

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::new(Arc::new(BillingZone::new("UTC").unwrap())));

/// Reasons for which a schema cannot see a fault in these events.
const BEYOND_SCHEMAS: &[Reason] = &[
    Reason::StartAfterEnd,
    Reason::IntervalTooLong,
    Reason::TooOld,
    Reason::InFuture,
    Reason::NegativeUnits,
    Reason::UnitsTooLarge,
    Reason::UnitsTooPrecise,
    Reason::ConflictingDuplicate,
];

/// Values that a member may be given, good and bad ones.
fn values_of(member: &str) -> Vec<Value> {
    let names = [
        json!("a"),
        json!("x".repeat(128)),
        json!("x".repeat(129)),
        json!(""),
        json!("a\nb"),
        json!("a\u{7f}"),
    ];
    let times = [
        json!("2026-10-03 17:00:00"),
        json!("2026-10-03T17:00:00.5+01:00"),
        json!("2026-10-03T17:00:00"),
        json!("x"),
        json!("2026-10-03 17:00:60"),
        json!("2026-13-03 17:00:00"),
        json!("2026-10-03 24:00:00"),
        json!("2026-10-03 17:00:00+25:00"),
    ];
    let mut values = match member {
        "SubscriptionReference" | "OptionCode" => names.to_vec(),
        "EventId" | "Customer" => names[..4].to_vec(),
        "UsageStart" | "UsageEnd" => times.to_vec(),
        "Units" => vec![
            json!("12.5"),
            json!(3),
            json!(-1.5),
            json!("1e3"),
            json!("01"),
            json!("+1"),
            json!(""),
            json!("1 "),
        ],
        "Description" => vec![json!("x".repeat(1024)), json!("x".repeat(1025)), json!("")],
        "RenewalOrderReference" => {
            vec![json!(1), json!(2.0), json!(i64::MAX), json!(0), json!(-1), json!(1.5)]
        }
        "Action" => vec![json!("amend"), json!("delete"), json!("create"), json!("")],
        "Revision" => {
            vec![json!(1), json!(2.0), json!(i32::MAX), json!(2_147_483_648_u32), json!(0), json!(1.5)]
        }
        "Identity" => {
            vec![json!("e:3:e-1"), json!("c:1:s,1:i,0"), json!("k:1:t,0,0,0,0"), json!("e-1"), json!("")]
        }
        _ => vec![json!("anything"), json!([1])],
    };
    values.extend([json!(null), json!(true), json!({}), json!("a")]);
    values
}

/// An object in which each member is usually good, sometimes missing, sometimes bad.
fn events() -> impl Strategy<Value = Value> {
    let required = ["SubscriptionReference", "OptionCode", "UsageStart", "UsageEnd", "Units"];
    let optional = [
        "EventId",
        "Customer",
        "Description",
        "RenewalOrderReference",
        "Action",
        "Revision",
        "Identity",
        "Origin",
        "units",
    ];
    let member = |name: &'static str, missing: u32, good: u32| {
        let values = values_of(name);
        let best = values[0].clone();
        let value = prop_oneof![
            missing => Just(None),
            good => Just(Some(best)),
            2 => prop::sample::select(values).prop_map(Some)
        ];
        value.prop_map(move |value| (name, value))
    };
    let required: Vec<_> = required.into_iter().map(|name| member(name, 1, 40)).collect();
    let optional: Vec<_> = optional.into_iter().map(|name| member(name, 10, 5)).collect();
    (required, optional).prop_map(|(required, optional)| {
        let members = required.into_iter().chain(optional);
        let members = members.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(members.collect::<Map<_, _>>())
    })
}

fn verdict(value: &Value) -> Option<Reason> {
    let bytes = serde_json::to_vec(value).unwrap();
    let record = Record {
        topic: "t",
        partition: 0,
        offset: 0,
        timestamp_ms: None,
        value: Some(&bytes),
        content_type: None,
        cloud_event: CloudEventHeaders::default(),
    };
    parse(&record, &RULES).err().map(|reject| reject.reason)
}

fn agrees(value: &Value) -> bool {
    let is_accepted = verdict(value).is_none_or(|reason| BEYOND_SCHEMAS.contains(&reason));
    // A fault that only the parser sees hides those that it would have found behind it.
    is_accepted == SCHEMA.is_valid(value)
        || verdict(value).is_some_and(|reason| BEYOND_SCHEMAS.contains(&reason))
}

proptest! {
    #![proptest_config(crate::cases(3000))]

    #[test]
    fn one_event(value in events()) {
        prop_assert!(agrees(&value), "{}: {:?}, {:?}", value, verdict(&value), SCHEMA.validate(&value).err());
    }

    #[test]
    fn several_events(values in proptest::collection::vec(events(), 0..3), is_null: bool) {
        let several = if is_null { json!({"Usages": null}) } else { json!({"Usages": values}) };
        prop_assert!(agrees(&several), "{}: {:?}", several, verdict(&several));
    }
}
