//! Every fixture is read and judged as it says.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat};
use meterhouse_model::{Change, Event, IdentityHash, Reason};

use crate::fixture::{ExpectedEvent, all, schemas};

#[test]
fn examples_mean_what_they_say() {
    for fixture in all("examples") {
        let name = &fixture.name;
        let expected = fixture.expect.events.as_ref().unwrap_or_else(|| panic!("{name} expects no events"));
        let events = fixture.parse().unwrap_or_else(|reject| panic!("{name}: {reject}"));
        let actual: Vec<ExpectedEvent> = events.iter().zip(expected).map(describe).collect();
        assert_eq!(&actual, expected, "{name}");
        assert_eq!(events.len(), expected.len(), "{name}");
    }
}

#[test]
fn rejects_are_rejected_for_the_reason_in_their_name() {
    for fixture in all("rejects") {
        let name = &fixture.name;
        let reason = reason_of(name);
        let outcome = fixture.parse();
        if fixture.expect.stage.as_deref() == Some("store") {
            assert!(outcome.is_ok(), "{name}: {outcome:?}");
            assert_eq!(reason, Reason::RefusedByStore, "{name}: the parser knows all other reasons");
            continue;
        }
        let Err(reject) = outcome else { panic!("{name} is accepted") };
        assert_eq!(reject.reason, reason, "{name}: {reject}");
        assert_eq!(Some(reject.index), fixture.expect.index, "{name}: {reject}");
        let detail = fixture.expect.detail.as_deref().unwrap_or_default();
        assert!(reject.detail.contains(detail), "{name}: {reject}");
        assert!(!reject.detail.is_empty() && reject.detail.len() <= 512, "{name}: {reject}");
    }
}

#[test]
fn every_reason_has_a_fixture() {
    let named: BTreeSet<Reason> = all("rejects").iter().map(|fixture| reason_of(&fixture.name)).collect();
    let missing: Vec<_> = Reason::ALL.iter().filter(|reason| !named.contains(reason)).collect();
    assert!(missing.is_empty(), "no fixture under schemas/rejects for {missing:?}");
    assert_eq!(Reason::ALL.len(), 29);
}

#[test]
fn the_schema_agrees_where_it_can() {
    let text = std::fs::read_to_string(schemas().join("event.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    let mut judged = 0;
    for fixture in all("examples").into_iter().chain(all("rejects")) {
        let Some(expected) = fixture.schema else { continue };
        let value: serde_json::Value = serde_json::from_slice(&fixture.value().unwrap()).unwrap();
        let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors.is_empty(), expected, "{}: {errors:?}", fixture.name);
        judged += 1;
    }
    assert!(judged > 60, "only {judged} fixtures are judged by the schema");
}

fn reason_of(name: &str) -> Reason {
    let (reason, _case) = name.split_once('.').unwrap_or_else(|| panic!("{name} has no case"));
    Reason::from_name(reason).unwrap_or_else(|| panic!("{name} names no reason"))
}

fn describe((event, expected): (&Event<'_>, &ExpectedEvent)) -> ExpectedEvent {
    let identity = event.identity.to_string();
    let reference = IdentityHash::of(&event.subscription, identity.as_bytes()).usage_reference();
    ExpectedEvent {
        subscription: event.subscription.to_string(),
        option_code: event.option_code.to_string(),
        start: utc(event.start),
        end: utc(event.end),
        billed_at: utc(event.billed_at),
        billing_day: event.billing_day.to_string(),
        units: event.units.to_string(),
        index: event.index,
        customer: event.customer.to_string(),
        description: event.description.to_string(),
        renewal_order_reference: event.renewal_order_reference,
        change: match event.change {
            Change::Create => "create".to_owned(),
            Change::Amend(revision) => format!("amend {revision}"),
            Change::Delete(revision) => format!("delete {revision}"),
        },
        origin: event.origin.as_deref().map(str::to_owned),
        usage_reference: expected.usage_reference.map(|_| reference),
        identity,
    }
}

fn utc(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339_opts(SecondsFormat::Micros, true)
}
