//! Copies of one event: the highest version counts, in every order of arrival, before and after merges.

use std::borrow::Cow;

use meterhouse_model::{Change, Event, Identity, Record, Units};
use meterhouse_store::{EncodedBatch, EventBatch};

use crate::database::{Database, shared};
use crate::sample::{at, event, record};

const END: &str = "2026-10-03T18:00:00Z";

fn copy(units: &str, change: Change) -> Event<'static> {
    Event { change, ..event("s", "e", at(END), units) }
}

fn batch(copies: &[(Event<'static>, Record<'static>)]) -> EncodedBatch {
    let mut batch = EventBatch::default();
    for (event, record) in copies {
        batch.push(event, record);
    }
    batch.seal().unwrap().events
}

/// Units of the rows that count, by all ways to look: plain FINAL and as our reads do it, before and after merges.
async fn counted(database: &Database<'_>) -> Vec<String> {
    const PLAIN: &str =
        "SELECT toString(units) FROM usage_events FINAL ORDER BY subscription, identity, billed_at";
    let by_partition = format!("{PLAIN} SETTINGS do_not_merge_across_partitions_select_final = 1");
    let before: Vec<String> = database.all(PLAIN).await;
    assert_eq!(database.all::<String>(&by_partition).await, before);
    database.run("OPTIMIZE TABLE usage_events FINAL").await;
    assert_eq!(database.all::<String>(PLAIN).await, before, "after merges");
    assert_eq!(database.all::<String>(&by_partition).await, before, "after merges");
    before
}

#[tokio::test]
async fn the_highest_version_counts_in_every_order() {
    // From the lowest to the highest version.
    let copies = [
        (copy("1", Change::Create), record(0, 9)),
        (copy("2", Change::Create), record(0, 8)),
        (copy("3", Change::Amend(1)), record(1, 100)),
        (copy("4", Change::Amend(1)), record(0, 100)),
        (copy("5", Change::Amend(7)), record(5, 1)),
    ];
    let database = Database::migrated(shared()).await;
    for rotation in 0..copies.len() {
        for in_one_batch in [false, true] {
            database.run("TRUNCATE TABLE usage_events").await;
            let mut order = copies.clone();
            order.rotate_left(rotation);
            if in_one_batch {
                database.store().insert(&batch(&order)).await.unwrap();
            }
            for copy in order.chunks(1).filter(|_| !in_one_batch) {
                database.store().insert(&batch(copy)).await.unwrap();
            }
            assert_eq!(counted(&database).await, ["5"], "rotated by {rotation}, one batch: {in_one_batch}");
        }
    }
}

#[tokio::test]
async fn a_tombstone_takes_the_event_away_in_every_order() {
    let creation = (copy("1", Change::Create), record(0, 1));
    let deletion = (copy("1", Change::Delete(1)), record(0, 2));
    let amendment = (copy("2", Change::Amend(1)), record(0, 3));
    let restated = (copy("3", Change::Amend(2)), record(0, 4));
    let database = Database::migrated(shared()).await;
    for order in [[&creation, &deletion, &amendment], [&deletion, &amendment, &creation]] {
        database.run("TRUNCATE TABLE usage_events").await;
        for copy in order {
            database.store().insert(&batch(std::slice::from_ref(copy))).await.unwrap();
        }
        assert_eq!(counted(&database).await, Vec::<String>::new(), "at one revision a deletion wins");
        let kept: u64 = database.one("SELECT count() FROM usage_events").await;
        assert_eq!(kept, 1, "a tombstone stays after merges: its original may come again");
        database.store().insert(&batch(std::slice::from_ref(&creation))).await.unwrap();
        assert_eq!(counted(&database).await, Vec::<String>::new(), "read again");
        database.store().insert(&batch(std::slice::from_ref(&restated))).await.unwrap();
        assert_eq!(counted(&database).await, ["3"]);
    }
}

#[tokio::test]
async fn the_same_batch_again_changes_nothing() {
    let database = Database::migrated(shared()).await;
    // Where a deduplication window is on, it drops nothing: its memory may be wrong after a power cut.
    database.run("ALTER TABLE usage_events MODIFY SETTING non_replicated_deduplication_window = 100").await;
    database.run("SYSTEM STOP MERGES usage_events").await;
    let mut events = EventBatch::default();
    for number in 0..5_000 {
        let end = at("2026-01-01T00:00:00Z") + i64::from(number) * 3_600_000_000;
        events.push(
            &event(&format!("s{}", number % 7), &number.to_string(), end, "0.1"),
            &record(0, number.into()),
        );
    }
    let batch = events.seal().unwrap().events;
    const SUM: &str = "SELECT count(), toString(sum(toDecimal256(units, 18))) FROM usage_events FINAL";
    for attempt in 1..=3_u64 {
        database.store().insert(&batch).await.unwrap();
        assert_eq!(database.one::<(u64, String)>(SUM).await, (5_000, "500".into()), "attempt {attempt}");
        let raw: u64 = database.one("SELECT count() FROM usage_events").await;
        assert_eq!(raw, attempt * 5_000);
    }
}

#[tokio::test]
async fn identities_that_look_alike_are_apart() {
    let end = at(END);
    let cloud_event = |source: &'static str, id: &'static str, index| Identity::CloudEvent {
        source: Cow::Borrowed(source),
        id: Cow::Borrowed(id),
        index,
    };
    let identities = [
        Identity::EventId("1".into()),
        Identity::EventId("1:1".into()),
        cloud_event("1", "1", 0),
        cloud_event("1", "1", 1),
        cloud_event("1,1:1", "1", 0),
        cloud_event("1", "1,1:1", 0),
        Identity::EventId("c:1:1,1:1,0".into()),
    ];
    let mut copies: Vec<_> = identities
        .into_iter()
        .zip(0..)
        .map(|(identity, offset)| (Event { identity, ..event("s", "e", end, "1") }, record(0, offset)))
        .collect();
    copies.push((event("t", "1", end, "1"), record(0, 100)));
    let database = Database::migrated(shared()).await;
    database.store().insert(&batch(&copies)).await.unwrap();
    assert_eq!(counted(&database).await.len(), copies.len());
}

#[tokio::test]
async fn an_amendment_on_another_date_is_another_key() {
    // Known, and the sweep's task: both rows count until it has written a tombstone on the old key.
    let created = copy("1", Change::Create);
    let end = at("2026-11-03T18:00:00Z");
    let moved =
        Event { units: Units::parse("2").unwrap(), change: Change::Amend(1), ..event("s", "e", end, "2") };
    let database = Database::migrated(shared()).await;
    database.store().insert(&batch(&[(created, record(0, 1)), (moved, record(0, 2))])).await.unwrap();
    assert_eq!(counted(&database).await, ["1", "2"]);
}

#[tokio::test]
async fn the_evidence_tells_where_a_copy_was_read() {
    let copies = [
        (Change::Create, 0, (0, 0)),
        (Change::Create, 999, ((1 << 20) - 1, (1 << 50) - 1)),
        (Change::Amend(u32::MAX), 1, (3, 17)),
        (Change::Delete(1), 999, (1 << 19, 1 << 40)),
    ];
    let mut batch = EventBatch::default();
    for (change, index, (partition, offset)) in copies {
        batch.push(&Event { index, ..copy("1", change) }, &record(partition, offset));
        // All copies of the API count as the earliest.
        let of_api = Event { index, origin: Some("{}".into()), ..copy("2", change) };
        batch.push(&of_api, &record(partition, offset));
    }
    let database = Database::migrated(shared()).await;
    database.store().write(&batch.seal().unwrap()).await.unwrap();
    let places = "SELECT partition, offset, `index`, count() FROM identities GROUP BY ALL ORDER BY ALL";
    let read: Vec<(i32, i64, u16, u64)> = database.all(places).await;
    let mut expected = copies.map(|(_, index, (partition, offset))| (partition, offset, index, 2));
    expected.sort_unstable();
    assert_eq!(read, expected);
    let of_rows = places.replace("identities", "usage_events");
    assert_eq!(database.all::<(i32, i64, u16, u64)>(&of_rows).await, expected, "as the rows have it");
}
