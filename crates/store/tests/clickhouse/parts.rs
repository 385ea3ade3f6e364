//! Batches written in parts: the same rows, but for the records that are left out.

use meterhouse_model::{Change, Event};
use meterhouse_store::{ErrorClass, EventBatch, SealedEvents, Source};

use crate::database::{Database, shared};
use crate::sample::{at, event, of_customer, record};

/// Twelve events of six records, on three partitions and in three months.
fn sealed() -> SealedEvents {
    let mut batch = EventBatch::default();
    for number in 0..12_u16 {
        let end = at(&format!("2026-{:02}-03T18:00:00Z", 1 + number % 3));
        let place = i64::from(number / 2);
        let usage = of_customer(event(&format!("s{}", number % 4), &format!("e{number}"), end, "1.5"), "c");
        let change = if number == 4 { Change::Delete(7) } else { Change::Create };
        let option_code = if number == 5 { "poison".into() } else { usage.option_code.clone() };
        let usage = Event { index: number % 2, change, option_code, ..usage };
        batch.push(&usage, &record(i32::try_from(place % 3).unwrap(), 10 + place));
    }
    batch.seal().unwrap()
}

const EVENTS: &str = "SELECT toString(tuple(*)) FROM usage_events ORDER BY partition, offset, index";
const IDENTITIES: &str = "SELECT toString(tuple(*)) FROM identities ORDER BY partition, offset, index";

#[tokio::test]
async fn in_one_part_it_is_what_it_is_in_one_piece() {
    let (whole, parts) = (Database::migrated(shared()).await, Database::migrated(shared()).await);
    whole.run("SYSTEM STOP MERGES usage_events").await;
    parts.run("SYSTEM STOP MERGES usage_events").await;
    let sealed = sealed();
    whole.store().write(&sealed).await.unwrap();
    let store = parts.store();
    let mut writer = store.write_parts(&sealed);
    writer.insert((0, 0), (i32::MAX, i64::MAX)).await.unwrap();
    writer.finish(&[]).await.unwrap();
    for sql in [EVENTS, IDENTITIES] {
        let rows: Vec<String> = parts.all(sql).await;
        assert_eq!(rows, whole.all::<String>(sql).await);
        assert_eq!(rows.len(), 12, "{sql}");
    }
    let marks = "SELECT count(), uniqExact(at) FROM usage_daily";
    assert_eq!(parts.one::<(u64, u64)>(marks).await, (24, 2), "marked before and after");
}

#[tokio::test]
async fn what_is_refused_is_not_there_and_has_no_evidence() {
    let database = Database::migrated(shared()).await;
    database.run("ALTER TABLE usage_events ADD CONSTRAINT poison CHECK option_code != 'poison'").await;
    let (store, sealed) = (database.store(), sealed());
    let error = store.write(&sealed).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Poisonous, "{error}");
    assert_eq!(database.one::<u64>("SELECT count() FROM identities").await, 0, "evidence of nothing");

    // The record at fault is 2/12: not one of its events is stored.
    let mut writer = store.write_parts(&sealed);
    let error = writer.insert((2, 12), (2, 12)).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (ErrorClass::Poisonous, Some(469)), "{error}");
    writer.insert((0, i64::MIN), (2, 11)).await.unwrap();
    writer.insert((2, 13), (2, i64::MAX)).await.unwrap();
    writer.finish(&[(2, 12)]).await.unwrap();
    for table in ["usage_events", "identities"] {
        let count = format!("SELECT count(), countIf(offset = 12) FROM {table}");
        assert_eq!(database.one::<(u64, u64)>(&count).await, (10, 0), "{table}");
    }
}

#[test]
fn records_and_their_events_are_counted() {
    let records = sealed().sources.records();
    let positions: Vec<(i32, i64)> = records.iter().map(Source::position).collect();
    assert_eq!(positions, [(0, 10), (0, 13), (1, 11), (1, 14), (2, 12), (2, 15)]);
    let counts = |source: &Source| (source.created, source.amended, source.deleted);
    assert_eq!(records.iter().map(counts).collect::<Vec<_>>()[3..], [(2, 0, 0), (1, 0, 1), (2, 0, 0)]);
    assert_eq!(records[1].record_time, 1_790_000_000_136);
}
