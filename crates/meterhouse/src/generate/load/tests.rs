use std::collections::{BTreeMap, BTreeSet};

use meterhouse_model::{Identity, parse};

use super::*;

/// 2026-10-16T12:00:00Z.
const UNTIL: i64 = 1_792_152_000;
const NOW_MS: i64 = UNTIL * 1000 + 1;

fn description() -> Description {
    Description {
        events: 20_000,
        customers: 5,
        customer: "c".to_owned(),
        months: 3,
        until: UNTIL,
        duplicates: "5%".parse().unwrap(),
        late: "1%".parse().unwrap(),
        invalid: "10%".parse().unwrap(),
        seed: 7,
    }
}

fn rules(zone: &str) -> Rules {
    Rules::new(Arc::new(BillingZone::new(zone).unwrap()))
}

fn load(description: Description) -> Load {
    Load::new(description, &rules("UTC"), NOW_MS)
}

fn all(load: &Load) -> Vec<(Kind, Record)> {
    let make = |position| {
        let mut record = Record::default();
        (load.make(position, &mut record), record)
    };
    (0..load.description.events).map(make).collect()
}

fn judged<'a>(record: &'a Record, rules: &Rules) -> Result<meterhouse_model::Events<'a>, Reason> {
    let record = meterhouse_model::Record {
        topic: "t",
        partition: 0,
        offset: 0,
        timestamp_ms: Some(NOW_MS),
        value: record.value.as_deref(),
        content_type: None,
        cloud_event: Default::default(),
    };
    parse(&record, rules).map_err(|reject| reject.reason)
}

#[test]
fn the_same_description_gives_the_same_bytes() {
    let first = all(&load(description()));
    assert_eq!(first, all(&load(description())));
    // A record that is filled again holds nothing of what was in it.
    let (load, mut reused) = (load(description()), Record::default());
    for (position, (kind, record)) in (0..).zip(&first) {
        assert_eq!(load.make(position, &mut reused), *kind);
        assert_eq!(reused, *record);
    }
}

#[test]
fn another_seed_gives_other_events() {
    let ids = |seed| -> BTreeSet<Vec<u8>> {
        all(&load(Description { seed, ..description() }))
            .into_iter()
            .filter_map(|(_, record)| record.value)
            .collect()
    };
    let common = ids(1).intersection(&ids(2)).count();
    // Only the empty lists of too many events are the same.
    assert!(common <= 1, "{common}");
}

#[test]
fn every_record_is_what_it_is_said_to_be() {
    for zone in ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"] {
        let rules = rules(zone);
        let load = Load::new(description(), &rules, NOW_MS);
        let first = rules.zone.month_of(UNTIL * 1_000_000).plus(-2);
        let mut usages = BTreeMap::new();
        let mut last_end = i64::MIN;
        for (kind, record) in all(&load) {
            let events = match (kind, judged(&record, &rules)) {
                (Kind::Invalid(expected), verdict) => {
                    assert_eq!(verdict.err(), Some(expected));
                    continue;
                }
                (_, verdict) => verdict.unwrap(),
            };
            let event = &events[0];
            let Identity::EventId(id) = &event.identity else { panic!("no EventId: {record:?}") };
            let is_new = usages.insert(id.to_string(), record.value.clone());
            assert_eq!(kind == Kind::Duplicate, is_new.is_some(), "{kind:?}");
            assert!(is_new.is_none_or(|earlier| earlier == record.value), "a duplicate has the same bytes");
            if kind == Kind::InTime {
                assert!(event.end >= last_end);
                last_end = event.end;
            }
            let months = rules.zone.month_of(event.billed_at).index() - first.index();
            assert!((0..3).contains(&months), "{zone}: {months}");
            assert_eq!(record.key, event.subscription);
        }
        assert_eq!(last_end, UNTIL * 1_000_000);
    }
}

#[test]
fn shares_are_kept() {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for (kind, _) in all(&load(description())) {
        *counts.entry(kind).or_default() += 1;
    }
    let count = |kind| counts.get(&kind).copied().unwrap_or_default();
    let invalid: usize =
        counts.iter().filter(|(kind, _)| matches!(kind, Kind::Invalid(_))).map(|(_, count)| count).sum();
    assert!((800..1200).contains(&count(Kind::Duplicate)), "{counts:?}");
    assert!((140..260).contains(&count(Kind::Late)), "{counts:?}");
    assert!((1800..2200).contains(&invalid), "{counts:?}");
    // All reasons but the four that need a file or a server.
    assert_eq!(counts.len(), 3 + Reason::ALL.len() - 4);
}

#[test]
fn extreme_shares_work() {
    let share = |text: &str| text.parse::<Share>().unwrap();
    let with = |duplicates, late, invalid| Description {
        events: 1000,
        duplicates: share(duplicates),
        late: share(late),
        invalid: share(invalid),
        ..description()
    };
    for (kind, description) in [(Kind::Duplicate, with("1", "0", "0")), (Kind::Late, with("0", "1", "0"))] {
        let made = all(&load(description));
        assert!(made.iter().skip(1).all(|(made, _)| *made == kind));
    }
    let made = all(&load(with("0", "0", "1")));
    assert!(made.iter().skip(1).all(|(kind, _)| matches!(kind, Kind::Invalid(_))));
}

#[test]
fn reasons_that_the_rules_do_not_give_are_left_out() {
    let rules = Rules { allow_negative_units: true, ..rules("UTC") };
    let load = Load::new(description(), &rules, NOW_MS);
    assert!(!load.reasons.contains(&Reason::NegativeUnits));
    assert_eq!(load.reasons.len(), Reason::ALL.len() - 5);
}

#[test]
fn events_have_their_size_and_their_customers() {
    let made = all(&load(description()));
    let bytes = made.iter().filter_map(|(_, record)| record.value.as_ref()).map(Vec::len).sum::<usize>();
    let mean = bytes / made.len();
    assert!((230..300).contains(&mean), "{mean}");
    let keys: BTreeSet<_> = made.iter().map(|(_, record)| record.key.as_str()).collect();
    assert_eq!(keys.len(), 15);
    let (rules, mut record) = (rules("UTC"), Record::default());
    load(Description { customers: 1, customer: "demo".to_owned(), ..description() }).make(0, &mut record);
    assert_eq!(judged(&record, &rules).unwrap()[0].customer, "demo");
}
