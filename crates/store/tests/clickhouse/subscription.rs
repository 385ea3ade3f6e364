//! Single usages of a subscription, and which copy of one has won.

use std::borrow::Cow;

use meterhouse_model::{Change, Day, Event, Version};
use meterhouse_store::{
    ALL_DAYS, DateFilter, EventBatch, Evidence, LedgerEnds, Slice, Store, SubscriptionRows, UsageFilter,
    WinningCopy,
};

use crate::database::{Database, shared};
use crate::sample::{at, event, of_customer, record, written};

fn rows(customers: &[&str], unnamed_days: &[(Day, Day)]) -> SubscriptionRows {
    SubscriptionRows {
        subscription: "s".into(),
        customers: Some(customers.iter().map(ToString::to_string).collect()),
        unnamed_days: unnamed_days.to_vec(),
    }
}

/// Of a record of the HTTP API: its digest is made of one digit.
fn requested(id: &str, index: u16, digit: char) -> Event<'static> {
    let request = digit.to_string().repeat(64);
    let origin = format!(r#"{{"Request":"{request}","Principal":"\"Request\":\""}}"#);
    Event { index, origin: Some(Cow::Owned(origin)), ..event("s", id, at("2026-10-03T18:00:00Z"), "1") }
}

#[tokio::test]
async fn customers_are_known_before_the_first_row() {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    assert!(store.customers_of_subscription("s").await.unwrap().is_empty());
    let usage = event("s", "1", at("2026-10-03T18:00:00Z"), "1");
    let sealed = written(&[usage.clone(), of_customer(usage, "c")]);
    let refuse = "ALTER TABLE usage_events ADD CONSTRAINT none CHECK subscription != 's'";
    database.run(refuse).await;
    store.write(&sealed).await.unwrap_err();
    let mut customers = store.customers_of_subscription("s").await.unwrap();
    customers.sort();
    assert_eq!(customers, ["", "c"]);
    assert!(store.customers_of_subscription("S").await.unwrap().is_empty());
    // After an error the database may be another one, which does not know them.
    database.run("TRUNCATE TABLE subscription_customers").await;
    database.run("ALTER TABLE usage_events DROP CONSTRAINT none").await;
    store.write(&sealed).await.unwrap();
    assert_eq!(store.customers_of_subscription("s").await.unwrap().len(), 2);
}

#[tokio::test]
async fn customers_that_were_lost_are_noted_again_with_the_marks() {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    store.write(&written(&[event("s", "1", at("2026-10-03T18:00:00Z"), "1")])).await.unwrap();
    database.run("TRUNCATE TABLE subscription_customers").await;
    store.mark_again(&DateFilter::default()).await.unwrap();
    assert_eq!(store.customers_of_subscription("s").await.unwrap(), [""]);
}

#[tokio::test]
async fn a_database_that_was_filled_before_the_table_was_there_knows_them_too() {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    store.write(&written(&[event("s", "1", at("2026-10-03T18:00:00Z"), "1")])).await.unwrap();
    database.run("TRUNCATE TABLE subscription_customers").await;
    database
        .run("ALTER TABLE schema_migrations DELETE WHERE name >= '0013' SETTINGS mutations_sync = 2")
        .await;
    store.migrate(crate::database::utc()).await.unwrap();
    assert_eq!(store.customers_of_subscription("s").await.unwrap(), [""]);
}

#[tokio::test]
async fn only_the_copies_that_count_are_listed() {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    let usage = |id: &str, end: &str, units: &str| event("s", id, at(end), units);
    let with = |change, event: Event<'static>| Event { change, ..event };
    let events = [
        usage("1", "2026-10-03T18:00:00Z", "1"),
        with(Change::Amend(1), usage("1", "2026-10-03T18:00:00Z", "2")),
        usage("2", "2026-11-03T18:00:00Z", "4"),
        with(Change::Delete(1), usage("2", "2026-11-03T18:00:00Z", "4")),
        of_customer(usage("3", "2026-12-03T18:00:00Z", "8"), "c"),
        usage("4", "2027-01-01T00:00:00Z", "16"),
    ];
    store.write(&written(&events)).await.unwrap();
    let units = async |rows: &SubscriptionRows, filter: &UsageFilter| {
        let (page, count) = store.usage_page(rows, filter, 0, 100).await.unwrap();
        assert_eq!(page.len() as u64, count);
        let stored = store.stored_usages(rows, filter, 100).await.unwrap();
        let listed: Vec<String> = page.iter().map(|usage| usage.units.to_string()).collect();
        assert_eq!(listed, stored.iter().map(|usage| usage.event.units.to_string()).collect::<Vec<_>>());
        listed
    };
    let all = UsageFilter::default();
    assert_eq!(units(&rows(&["", "c"], &[ALL_DAYS]), &all).await, ["2.0", "8.0", "16.0"]);
    let whomever = SubscriptionRows { customers: None, ..rows(&[], &[ALL_DAYS]) };
    assert_eq!(units(&whomever, &all).await, ["2.0", "8.0", "16.0"]);
    assert_eq!(units(&rows(&["c"], &[ALL_DAYS]), &all).await, ["8.0"]);
    assert_eq!(units(&rows(&["", "c"], &[]), &all).await, ["8.0"], "days bind rows that name nobody");
    let october = (Day::from_date(2026, 10, 3), Day::from_date(2026, 10, 4));
    let end_of_year = (Day::from_date(2026, 12, 31), Day::from_date(2027, 1, 1));
    assert_eq!(units(&rows(&[""], &[october, end_of_year]), &all).await, ["2.0", "16.0"]);
    assert!(units(&rows(&[], &[ALL_DAYS]), &all).await.is_empty());
    // A usage that ends with a day is billed on it, and its partition is that of the month before.
    let instant = at("2027-01-01T00:00:00Z");
    let ends = UsageFilter { ends: Some((instant, instant)), ..UsageFilter::default() };
    assert_eq!(units(&rows(&[""], &[ALL_DAYS]), &ends).await, ["16.0"]);
    let before = UsageFilter { ends: Some((instant - 1, instant - 1)), ..UsageFilter::default() };
    assert!(units(&rows(&[""], &[ALL_DAYS]), &before).await.is_empty());
    let amended = &store.stored_usages(&rows(&[""], &[ALL_DAYS]), &all, 1).await.unwrap()[0];
    let option_code = Some(amended.event.option_code.to_string());
    let same_option = UsageFilter { option_code, ..UsageFilter::default() };
    assert!(units(&rows(&[""], &[ALL_DAYS]), &same_option).await.contains(&"2.0".to_owned()));
    for nothing in [
        UsageFilter { option_code: Some("no option".into()), ..UsageFilter::default() },
        UsageFilter { renewal_order_reference: Some(1), ..UsageFilter::default() },
        UsageFilter { references: Some(vec![1]), ..UsageFilter::default() },
    ] {
        assert!(units(&rows(&[""], &[ALL_DAYS]), &nothing).await.is_empty());
    }
    let reference =
        store.usage_page(&rows(&[""], &[ALL_DAYS]), &all, 0, 1).await.unwrap().0[0].usage_reference;
    let references = UsageFilter { references: Some(vec![1, reference]), ..UsageFilter::default() };
    assert_eq!(units(&rows(&[""], &[ALL_DAYS]), &references).await, ["2.0"]);
    assert_eq!((amended.event.revision(), amended.partition, amended.offset), (1, 0, 1));
    assert_eq!(amended.version, Version::change(1, false, 0, 1, 0));
}

#[tokio::test]
async fn the_evidence_tells_who_has_won() {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    let usage = |units: &str| event("s", "1", at("2026-10-03T18:00:00Z"), units);
    let change = |change, units| Event { change, ..usage(units) };
    let events = [
        usage("1"),
        usage("2"),
        change(Change::Amend(1), "3"),
        change(Change::Amend(1), "4"),
        change(Change::Amend(2), "5"),
    ];
    store.write(&written(&events)).await.unwrap();
    let identity = Evidence::of(&events[0], &record(0, 0)).identity;
    let winner = async |below| store.winners_below(&[identity], below).await.unwrap().get(&identity).copied();
    for (below, event, offset) in [(0, &events[0], 0), (2, &events[2], 2), (3, &events[4], 4)] {
        let Evidence { version, content: content_hash, .. } = Evidence::of(event, &record(0, offset));
        let expected = WinningCopy { version, content_hash };
        assert_eq!(winner(Version::before_revision(below)).await, Some(expected), "below revision {below}");
    }
    assert_eq!(winner(Version(0)).await, None);
}

/// Differences between evidence and rows, whose hashes SQL computes again.
async fn differences(store: &Store) -> usize {
    let ends = LedgerEnds { topic: "usage-events".to_owned(), ends: vec![(0, 100)] };
    store.event_differences(&ends, Slice::WHOLE).await.unwrap().len()
}

#[tokio::test]
async fn the_first_usage_of_a_request_states_the_request() {
    let content = |event: &Event<'_>| Evidence::of(event, &record(0, 0)).content;
    let first = requested("1", 0, 'a');
    let second = Event { index: 1, ..first.clone() };
    assert_ne!(content(&first), content(&requested("1", 0, 'b')));
    assert_eq!(content(&second), content(&requested("1", 1, 'b')));
    let amended = Event { change: Change::Amend(1), ..first.clone() };
    assert_eq!(content(&amended), content(&Event { origin: None, ..amended.clone() }));
    let database = Database::migrated(shared()).await;
    let store = database.store();
    let mut batch = EventBatch::default();
    for (event, offset) in [&first, &requested("2", 1, 'a'), &requested("3", 0, 'b')].into_iter().zip(0..) {
        batch.push(event, &record(0, offset));
    }
    store.write(&batch.seal().unwrap()).await.unwrap();
    assert_eq!(differences(&store).await, 0, "SQL finds the same digest");
    database
        .run("ALTER TABLE usage_events UPDATE origin = replaceAll(origin, 'a', 'c') WHERE 1 SETTINGS mutations_sync = 2")
        .await;
    assert_eq!(differences(&store).await, 1, "of the first of its request alone");
}
