//! What a batch encodes is what the table holds, in the order of the table's key.

use std::collections::BTreeSet;

use meterhouse_model::{Event, Record};
use meterhouse_store::EventBatch;

use crate::awkward;
use crate::database::{Database, launch, shared};
use crate::sample::{at, event, of_customer, record, sealed};
use crate::stored::StoredEvent;

/// Rows, in one block; the server's own blocks end at 1,048,449.
const MILLION: u64 = 1_000_000;

#[tokio::test]
async fn a_million_awkward_rows_of_200_months_come_back_as_they_were() {
    // More customers than two bytes can number, more option codes than one can, and one topic.
    let sample = |number| awkward::event(number, 70_001, 210);
    let database = Database::migrated(shared()).await;
    let mut batch = EventBatch::default();
    for number in 0..MILLION {
        let (event, record) = sample(number);
        batch.push(&event, &record);
    }
    database.store().write(&batch.seal().unwrap()).await.unwrap();
    let partitions: u64 = database.one("SELECT uniqExact(_partition_id) FROM usage_events").await;
    assert!(partitions >= 200, "{partitions}");

    let query = database.client().query("SELECT ?fields FROM usage_events ORDER BY offset");
    let mut rows = query.fetch::<StoredEvent>().unwrap();
    for number in 0..MILLION {
        let (event, record) = sample(number);
        assert_eq!(rows.next().await.unwrap(), Some(StoredEvent::of(&event, &record)), "row {number}");
    }
    assert_eq!(rows.next().await.unwrap(), None);
}

#[tokio::test]
async fn dictionaries_of_every_width() {
    let database = Database::migrated(shared()).await;
    let end = at("2026-10-03T18:00:00Z");
    for customers in [1_u64, 255, 256, 257, 65_535, 65_536, 65_537] {
        database.run("TRUNCATE TABLE usage_events").await;
        let named = |number| of_customer(event("s", "e", end, "1"), &awkward::name(number));
        let events: Vec<Event<'static>> = (0..customers).map(named).collect();
        database.store().insert(&sealed(&events)).await.unwrap();
        let mut expected: Vec<String> = events.iter().map(|event| event.customer.to_string()).collect();
        expected.sort();
        let stored: Vec<String> = database.all("SELECT customer FROM usage_events ORDER BY customer").await;
        assert!(stored == expected, "{customers} customers");
    }
}

#[tokio::test]
async fn numbers_at_their_limits() {
    let database = Database::migrated(shared()).await;
    let plain = event("s", "e", at("2026-10-03T18:00:00Z"), "1");
    // Offsets and timestamps are whatever the broker says; a producer may have sent microseconds for milliseconds.
    let records = [
        Record { timestamp_ms: Some(i64::MAX), ..record(i32::MAX, i64::MAX) },
        Record { timestamp_ms: Some(i64::MIN), ..record(0, 1) },
        Record { timestamp_ms: Some(1_790_000_000_000_000), ..record(0, 2) },
        Record { timestamp_ms: Some(-1), ..record(0, 3) },
        Record { topic: "a.b_c-D", ..record(0, 4) },
    ];
    let mut batch = EventBatch::default();
    for record in &records {
        batch.push(&plain, record);
    }
    database.store().write(&batch.seal().unwrap()).await.unwrap();
    let mut stored: Vec<StoredEvent> =
        database.client().query("SELECT ?fields FROM usage_events").fetch_all().await.unwrap();
    stored.sort_by_key(|row| row.offset);
    let mut expected = records.map(|record| StoredEvent::of(&plain, &record));
    expected.sort_by_key(|row| row.offset);
    assert_eq!(stored, expected);
}

#[tokio::test]
async fn milliseconds_of_a_records_time_are_kept() {
    let database = Database::migrated(shared()).await;
    database
        .store()
        .insert(&sealed(&[event("s", "e", at("2026-10-03T18:00:00.000001Z"), "1")]))
        .await
        .unwrap();
    let shown: (String, String) =
        database.one("SELECT toString(record_time), toString(usage_end) FROM usage_events").await;
    assert_eq!(shown, ("2026-09-21 14:13:20.123".into(), "2026-10-03 18:00:00.000001".into()));
}

#[tokio::test]
async fn an_empty_batch_is_none() {
    assert!(EventBatch::default().seal().is_none());
}

#[tokio::test]
async fn the_server_finds_every_block_sorted() {
    let server = launch();
    let database = Database::migrated(&server).await;
    let counted = "SELECT sumIf(value, event = 'MergeTreeDataWriterBlocks'), \
                   sumIf(value, event = 'MergeTreeDataWriterBlocksAlreadySorted') FROM system.events";
    let before: (u64, u64) = database.one(counted).await;
    let mut batch = EventBatch::default();
    let mut months = BTreeSet::new();
    for number in 0..20_000 {
        let (event, record) = awkward::event(number, 3_000, 5);
        months.insert(meterhouse_model::Month::of(crate::database::utc().day_of(event.billed_at)));
        batch.push(&event, &record);
    }
    database.store().write(&batch.seal().unwrap()).await.unwrap();
    let after: (u64, u64) = database.one(counted).await;
    let blocks = after.0 - before.0;
    assert_eq!(
        (blocks, after.1 - before.1),
        (months.len() as u64 + 4, blocks - 1),
        "one block a month, one of evidence, one of marks and one of their copies: none to be sorted; and one of \
         subscriptions' customers, which come in another order"
    );
}

#[tokio::test]
async fn our_order_is_the_servers() {
    let database = Database::migrated(shared()).await;
    let mut batch = EventBatch::default();
    for number in 0..20_000 {
        let (event, record) = awkward::event(number, 3_000, 1);
        batch.push(&event, &record);
    }
    database.store().write(&batch.seal().unwrap()).await.unwrap();
    database.run("OPTIMIZE TABLE usage_events FINAL").await;
    let by_key = "SELECT ?fields FROM usage_events ORDER BY customer, subscription, toDate32(billed_at), \
                  option_code, identity, version";
    let rows: Vec<StoredEvent> = database.client().query(by_key).fetch_all().await.unwrap();
    assert_eq!(rows.len(), 20_000);
    assert!(rows.is_sorted_by(|a, b| a.key() <= b.key()), "text is compared by its bytes");
}
