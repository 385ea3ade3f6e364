//! The registry of subscriptions: files, lives, and billing days.

use std::sync::LazyLock;

use chrono::DateTime;
use meterhouse_model::{BillingZone, Day, Ownership, Registry};
use proptest::prelude::*;

const HEADER: &str = "subscription,customer,start,expires\n";

fn csv(rows: &str) -> Registry {
    Registry::from_csv(&format!("{HEADER}{rows}")).unwrap()
}

fn problems(text: &str) -> Vec<(u64, String)> {
    let error = Registry::from_csv(text).unwrap_err();
    error.problems.into_iter().map(|problem| (problem.line, problem.text)).collect()
}

fn utc(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

/// `subscription from..to` of each entry.
fn shown(owned: &[Ownership]) -> Vec<String> {
    let day = |day: Day| match day {
        Day::FIRST => "first".to_owned(),
        Day::END => "end".to_owned(),
        _ => day.to_string(),
    };
    owned
        .iter()
        .map(|own| format!("{} {}..{}", own.subscription, day(own.from_day), day(own.to_day)))
        .collect()
}

fn owned(registry: &Registry, customer: &str, zone: &str) -> Vec<String> {
    shown(&registry.owned(customer, &BillingZone::new(zone).unwrap()))
}

#[test]
fn open_ends_reach_over_all_billing_days() {
    let registry = csv("b,1,,\na,1,2026-01-01T00:00:00Z,\na2,2,,2026-01-01T00:00:00Z\n");
    assert_eq!(registry.len(), 3);
    let mut listed: Vec<_> = registry.subscriptions().map(|(name, lives)| (name, lives[0].start)).collect();
    listed.sort_unstable();
    assert_eq!(listed, [("a", utc("2026-01-01T00:00:00Z")), ("a2", i64::MIN), ("b", i64::MIN)]);
    assert_eq!(owned(&registry, "1", "UTC"), ["a 2026-01-01..end", "b first..end"]);
    assert_eq!(owned(&registry, "2", "UTC"), ["a2 first..2026-01-01"]);
    assert!(owned(&registry, "3", "UTC").is_empty());
    assert!(Registry::default().is_empty());
}

#[test]
fn a_day_belongs_to_the_interval_that_holds_its_first_instant() {
    // The subscription changes hands in the middle of 10 March.
    let registry = csv("s,old,,2026-03-10T12:00:00Z\ns,new,2026-03-10T12:00:00Z,\n");
    assert_eq!(owned(&registry, "old", "UTC"), ["s first..2026-03-11"]);
    assert_eq!(owned(&registry, "new", "UTC"), ["s 2026-03-11..end"]);
    // At midnight of the billing zone, and a microsecond to each side of it.
    for (change, day) in [
        ("2026-03-09T22:59:59.999999Z", "2026-03-10"),
        ("2026-03-09T23:00:00Z", "2026-03-10"),
        ("2026-03-09T23:00:00.000001Z", "2026-03-11"),
    ] {
        let registry = csv(&format!("s,old,,{change}\ns,new,{change},\n"));
        assert_eq!(owned(&registry, "old", "Europe/Berlin"), [format!("s first..{day}")], "{change}");
        assert_eq!(owned(&registry, "new", "Europe/Berlin"), [format!("s {day}..end")], "{change}");
    }
}

#[test]
fn a_day_that_begins_unowned_belongs_to_the_first_interval_that_begins_in_it() {
    let registry = csv("s,a,2026-03-10T08:00:00Z,2026-03-10T09:00:00Z\n\
                        s,b,2026-03-10T10:00:00Z,2026-03-10T11:00:00Z\n\
                        s,c,2026-03-10T11:00:00Z,2026-03-12T00:00:00Z\n");
    assert_eq!(owned(&registry, "a", "UTC"), ["s 2026-03-10..2026-03-11"]);
    assert!(owned(&registry, "b", "UTC").is_empty());
    assert_eq!(owned(&registry, "c", "UTC"), ["s 2026-03-11..2026-03-12"]);
}

#[test]
fn an_end_and_a_new_start_within_a_day() {
    let registry =
        csv("s,a,2026-03-01T00:00:00Z,2026-03-10T08:00:00Z\ns,a,2026-03-10T18:00:00Z,2026-03-20T00:00:00Z\n");
    assert_eq!(owned(&registry, "a", "UTC"), ["s 2026-03-01..2026-03-20"], "no day in between is nobody's");
    let registry =
        csv("s,a,2026-03-01T00:00:00Z,2026-03-10T00:00:00Z\ns,a,2026-03-10T18:00:00Z,2026-03-20T00:00:00Z\n");
    assert_eq!(owned(&registry, "a", "UTC"), ["s 2026-03-01..2026-03-20"], "10 March is its own from 18:00");
    let registry =
        csv("s,a,2026-03-01T00:00:00Z,2026-03-10T08:00:00Z\ns,a,2026-03-11T18:00:00Z,2026-03-20T00:00:00Z\n");
    assert_eq!(owned(&registry, "a", "UTC"), ["s 2026-03-01..2026-03-20"]);
    let registry =
        csv("s,a,2026-03-01T00:00:00Z,2026-03-10T08:00:00Z\ns,a,2026-03-12T18:00:00Z,2026-03-20T00:00:00Z\n");
    assert_eq!(owned(&registry, "a", "UTC"), ["s 2026-03-01..2026-03-11", "s 2026-03-12..2026-03-20"]);
}

#[test]
fn usage_must_be_within_a_subscriptions_life() {
    let registry = csv("s,a,2026-03-01T00:00:00Z,2026-03-02T00:00:00Z\n\
                        s,b,2026-03-02T00:00:00Z,2026-03-03T00:00:00Z\n\
                        s,b,2026-03-04T00:00:00Z,\n");
    for (start, end, is_covered) in [
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", true),
        ("2026-02-28T23:59:59Z", "2026-03-01T12:00:00Z", false),
        ("2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z", true),
        ("2026-03-02T12:00:00Z", "2026-03-03T00:00:00Z", true),
        ("2026-03-02T12:00:00Z", "2026-03-03T00:00:00.000001Z", false),
        ("2026-03-02T12:00:00Z", "2026-03-05T00:00:00Z", false),
        ("2026-03-03T00:00:00Z", "2026-03-03T00:00:00Z", true),
        ("2026-03-03T12:00:00Z", "2026-03-03T12:00:00Z", false),
        ("2026-03-04T00:00:00Z", "2199-01-01T00:00:00Z", true),
    ] {
        assert_eq!(registry.covers("s", utc(start), utc(end)), is_covered, "{start} {end}");
    }
    assert!(!registry.covers("other", 0, 0));
    assert_eq!(registry.intervals("s").map(<[_]>::len), Some(3));
}

#[test]
fn toml_says_the_same() {
    let registry = Registry::from_toml(
        "[[subscription]]\nsubscription = \"s\"\ncustomer = \"a\"\nstart = 2026-03-01T00:00:00Z\n\n\
         [[subscription]]\nsubscription = \"s\"\ncustomer = \"b\"\nexpires = \"2026-03-01T01:00:00+01:00\"\n",
    );
    assert_eq!(registry.unwrap(), csv("s,a,2026-03-01T00:00:00Z,\ns,b,,2026-03-01T00:00:00Z\n"));
    assert_eq!(Registry::from_toml(""), Ok(Registry::default()));
}

#[test]
fn columns_may_stand_in_any_order_and_values_be_quoted() {
    let registry = Registry::from_csv("customer , subscription\r\n 1000941,\"a,\"\"b\"\"\"\r\n\r\n").unwrap();
    assert_eq!(owned(&registry, "1000941", "UTC"), ["a,\"b\" first..end"]);
    assert_eq!(Registry::from_csv("\u{feff}subscription,customer\n"), Ok(Registry::default()));
    let misplaced = problems("customer,subscription\n1000941, \"a,b\"\n1000941, \"c\"\n");
    assert!(
        misplaced.iter().all(|(_, text)| text.starts_with("a quote stands behind a space")),
        "{misplaced:?}"
    );
    assert_eq!(misplaced.len(), 2);
}

#[test]
fn all_problems_are_listed_with_their_lines() {
    let text = "subscription,customer,start,expires\n\
                a,1,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z\n\
                ,1,,\n\
                b,,yesterday,2026-01-01\n\
                a,2,2026-01-31T23:59:59Z,\n\
                c,1,2026-02-01T00:00:00Z,2026-02-01T00:00:00Z\n\
                d,1\n\
                a,3,,2026-01-01T00:00:00Z\n\
                \"e\nf\",1,,\n";
    assert_eq!(
        problems(text),
        [
            (3, "subscription is missing".to_owned()),
            (4, "customer is missing".to_owned()),
            (4, "expires \"2026-01-01\" is not an RFC 3339 time with an offset".to_owned()),
            (4, "start \"yesterday\" is not an RFC 3339 time with an offset".to_owned()),
            (5, "\"a\" overlaps with its row in line 2".to_owned()),
            (6, "expires is not later than start".to_owned()),
            (7, "the row has 2 values, there are 4 columns".to_owned()),
            (9, "subscription has more than 128 bytes or control characters".to_owned()),
        ]
    );
    let shown = Registry::from_csv(text).unwrap_err().to_string();
    assert!(shown.starts_with("line 3: subscription is missing\nline 4: "), "{shown}");
}

#[test]
fn overlaps_are_found_across_rows_in_between() {
    let text =
        format!("{HEADER}s,a,,\ns,b,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z\ns,c,2026-03-01T00:00:00Z,\n");
    let lines: Vec<u64> = problems(&text).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [3, 4]);
}

#[test]
fn a_wrong_header_is_a_problem() {
    let found = problems("subscription,client,subscription\na,1,2\n");
    let texts: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "the column customer is missing",
            "the column subscription is given twice",
            "there is no column \"client\": known are subscription, customer, start, expires",
            "customer is missing",
        ]
    );
    assert_eq!(problems("").len(), 2);
}

#[test]
fn wrong_toml_is_a_problem() {
    for (text, line, part) in [
        ("[[subscription]]\nsubscription = \"s\"\ncustomer = 1000941\n", 3, "customer must be a string"),
        ("[[subscription]]\nsubscription = \"s\"\nclient = \"1\"\n", 3, "no key \"client\""),
        ("\n[[subscriptions]]\n", 2, "only [[subscription]] is known"),
        ("subscription = 5\n", 1, "only [[subscription]] is known"),
        ("[[subscription]]\nsubscription = \"s\ncustomer = \"1\"\n", 2, ""),
    ] {
        let error = Registry::from_toml(text).unwrap_err();
        assert!(error.problems.iter().any(|p| p.line == line && p.text.contains(part)), "{text}: {error}");
    }
}

/// The rule as the documentation words it, day by day.
fn owner_of_day<'r>(intervals: &'r [(i64, i64, String)], zone: &BillingZone, day: Day) -> Option<&'r str> {
    let (start, end) = (zone.day_start(day), zone.day_start(Day(day.0 + 1)));
    let holds = intervals.iter().find(|(from, to, _)| *from <= start && start < *to);
    let begins = || intervals.iter().filter(|(from, ..)| start < *from && *from < end).min();
    holds.or_else(begins).map(|(.., customer)| customer.as_str())
}

static ZONES: LazyLock<[BillingZone; 4]> = LazyLock::new(|| {
    ["UTC", "America/Havana", "Pacific/Apia", "America/Sao_Paulo"].map(|name| BillingZone::new(name).unwrap())
});

proptest! {
    #![proptest_config(crate::cases(1000))]

    #[test]
    fn every_day_has_the_owner_that_the_rule_names(
        steps in proptest::collection::vec((0..60_i64, 1..60_i64, 0..3_u8), 1..8),
        zone in 0..4_usize,
    ) {
        let zone = &ZONES[zone];
        let hour = 3_600_000_000;
        // Days around one that Apia leaves out.
        let mut at = utc("2011-12-25T00:00:00Z");
        let mut intervals = Vec::new();
        for (pause, length, customer) in steps {
            let start = at + pause * hour / 2;
            at = start + length * hour;
            intervals.push((start, at, format!("c{customer}")));
        }
        let text = |micros| DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339();
        let rows: String =
            intervals.iter().map(|(from, to, customer)| format!("s,{customer},{},{}\n", text(*from), text(*to))).collect();
        let registry = csv(&rows);
        let (first, last) = (zone.day_of(intervals[0].0).0 - 1, zone.day_of(at).0 + 1);
        for day in (first..=last).map(Day).filter(|day| zone.day_start(*day) < zone.day_start(Day(day.0 + 1))) {
            let holds = |own: &Ownership| own.from_day <= day && day < own.to_day;
            let owners: Vec<String> =
                (0..3).map(|number| format!("c{number}")).filter(|customer| registry.owned(customer, zone).iter().any(holds)).collect();
            let expected: Vec<&str> = owner_of_day(&intervals, zone, day).into_iter().collect();
            prop_assert_eq!(owners, expected, "{}", day);
        }
    }
}
