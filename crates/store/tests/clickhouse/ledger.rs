//! The ledger: what is written comes back, and where it is read on from.

use clickhouse::Row;
use meterhouse_store::{LastRecord, LedgerEpoch, LedgerRow, LedgerSummary, ResumePoint};
use serde::Deserialize;

use crate::database::{Database, launch, shared};

const TOPIC: &str = "usage-events";

/// A range whose offsets are all stored records but the last, which is a reject.
fn range(partition: i32, from_position: i64, next_position: i64, resumed_at: i64) -> LedgerRow {
    let rejected = 1;
    LedgerRow {
        from_position,
        next_position,
        resumed_at,
        stored: u64::try_from(next_position - from_position).unwrap() - rejected,
        rejected,
        last_record: Some(record(next_position - 1)),
        ..LedgerRow::opening(partition, 0, 0, 9, "")
    }
}

fn record(offset: i64) -> LastRecord {
    LastRecord { offset, timestamp_ms: 1_790_000_000_123 + offset, hash: u64::MAX - offset.cast_unsigned() }
}

/// Each in an insert of its own, as readers write them.
async fn write(database: &Database<'_>, rows: &[LedgerRow]) {
    let store = database.store();
    for row in rows {
        store.insert(&LedgerRow::encode(TOPIC, std::slice::from_ref(row)).unwrap()).await.unwrap();
    }
}

async fn resume(database: &Database<'_>, partition: i32) -> Option<ResumePoint> {
    database.store().resume_points(TOPIC, &[partition]).await.unwrap().remove(&partition)
}

#[derive(Debug, PartialEq, Eq, Row, Deserialize)]
struct Stored {
    topic: String,
    partition: i32,
    epoch: u32,
    positions: (i64, i64, i64),
    counts: (u64, u64, u64, u64, u64),
    last_record: (i64, i64, u64),
    topic_id: u128,
    texts: (String, String),
    is_dated: bool,
}

#[tokio::test]
async fn rows_come_back_as_they_were_written() {
    let database = Database::migrated(shared()).await;
    let row = LedgerRow {
        partition: 7,
        epoch: 3,
        from_position: 100,
        next_position: i64::MAX,
        resumed_at: 90,
        stored: 1,
        rejected: 2,
        holes: 3,
        amended: 4,
        deleted: u64::MAX,
        last_record: Some(record(99)),
        topic_id: 1 << 127 | 5,
        note: "é'\\".to_owned(),
    };
    let opening = LedgerRow::opening(8, 0, 5, 0, "first reading");
    let batch = LedgerRow::encode("tøpic", &[row, opening]).unwrap();
    // Twice: a range that is written again is the same row.
    for _ in 0..2 {
        database.store().insert(&batch).await.unwrap();
    }
    let rows: Vec<Stored> = database
        .all(
            "SELECT topic, partition, epoch, (from_position, next_position, resumed_at) AS positions, \
             (stored, rejected, holes, amended, deleted) AS counts, \
             (last_record_offset, toUnixTimestamp64Milli(last_record_time), last_record_hash) AS last_record, topic_id, \
             (note, software) AS texts, written_at > '2026-01-01' AS is_dated FROM ledger FINAL ORDER BY partition",
        )
        .await;
    let software = env!("CARGO_PKG_VERSION").to_owned();
    let last = record(99);
    let expected = [
        Stored {
            topic: "tøpic".into(),
            partition: 7,
            epoch: 3,
            positions: (100, i64::MAX, 90),
            counts: (1, 2, 3, 4, u64::MAX),
            last_record: (99, last.timestamp_ms, last.hash),
            topic_id: 1 << 127 | 5,
            texts: ("é'\\".into(), software.clone()),
            is_dated: true,
        },
        Stored {
            topic: "tøpic".into(),
            partition: 8,
            epoch: 0,
            positions: (5, 5, 5),
            counts: (0, 0, 0, 0, 0),
            last_record: (-1, 0, 0),
            topic_id: 0,
            texts: ("first reading".into(), software),
            is_dated: true,
        },
    ];
    assert_eq!(rows, expected);
    assert!(LedgerRow::encode("t", &[]).is_none());
}

#[tokio::test]
async fn a_partition_is_read_on_from_the_end_of_the_ranges_that_touch() {
    let database = Database::migrated(shared()).await;
    assert_eq!(resume(&database, 0).await, None);
    let point = |epoch, position| {
        Some(ResumePoint { epoch, position, last_record: Some(record(position - 1)), topic_id: 9 })
    };

    write(&database, &[LedgerRow::opening(0, 0, 5, 0, "")]).await;
    assert_eq!(
        resume(&database, 0).await,
        Some(ResumePoint { epoch: 0, position: 5, last_record: None, topic_id: 0 })
    );
    write(&database, &[range(0, 5, 10, 5), range(0, 10, 20, 5)]).await;
    assert_eq!(resume(&database, 0).await, point(0, 20));

    // Two readers at once, one of them long dead.
    write(&database, &[range(0, 20, 30, 20), range(0, 20, 28, 20), range(0, 28, 40, 28)]).await;
    assert_eq!(resume(&database, 0).await, point(0, 40));
    write(&database, &[range(0, 40, 41, 40)]).await;
    assert_eq!(resume(&database, 0).await, point(0, 41), "only what came since the last resumption counts");

    // A new epoch begins elsewhere, and what is still written under the old one is not part of it.
    write(&database, &[LedgerRow::opening(0, 1, 8, 0, "accepted"), range(0, 41, 100, 41)]).await;
    assert_eq!(
        resume(&database, 0).await,
        Some(ResumePoint { epoch: 1, position: 8, last_record: None, topic_id: 0 })
    );
    assert_eq!(database.store().newest_epoch(TOPIC, 0).await.unwrap(), Some(1));
    assert_eq!(database.store().newest_epoch(TOPIC, 1).await.unwrap(), None);
    write(&database, &[LedgerRow { epoch: 1, ..range(0, 8, 9, 8) }]).await;
    assert_eq!(resume(&database, 0).await, point(1, 9));
    assert_eq!(resume(&database, 1).await, None, "another partition");
    assert!(database.store().resume_points("other", &[0]).await.unwrap().is_empty(), "another topic");
}

#[tokio::test]
async fn nothing_is_read_on_behind_a_gap() {
    let database = Database::migrated(shared()).await;
    write(&database, &[range(0, 0, 10, 0), range(0, 20, 30, 0)]).await;
    assert_eq!(resume(&database, 0).await.map(|point| point.position), Some(10));
    // A reader went on from there; the range behind the gap is still the last one.
    write(&database, &[range(0, 10, 15, 10)]).await;
    assert_eq!(resume(&database, 0).await.map(|point| point.position), Some(15));
    write(&database, &[range(0, 15, 22, 15)]).await;
    assert_eq!(resume(&database, 0).await.map(|point| point.position), Some(30));

    // It claims to have gone on from a position that no range ends at.
    write(&database, &[range(1, 0, 10, 0), range(1, 40, 50, 40)]).await;
    assert_eq!(resume(&database, 1).await.map(|point| point.position), Some(10));
    // A beginning that nobody has written: the first range is it.
    write(&database, &[range(2, 7, 9, 0), range(2, 9, 12, 0)]).await;
    assert_eq!(resume(&database, 2).await.map(|point| point.position), Some(12));
}

#[tokio::test]
async fn a_summary_says_what_each_partition_accounts_for() {
    let database = Database::migrated(shared()).await;
    write(&database, &[LedgerRow::opening(0, 0, 0, 0, "first"), range(0, 0, 10, 0), range(0, 20, 30, 0)])
        .await;
    write(&database, &[LedgerRow::opening(3, 2, 50, 0, "who: why"), LedgerRow::opening(3, 1, 40, 0, "old")])
        .await;
    let amended = LedgerRow { amended: 4, deleted: 5, holes: 6, ..range(0, 10, 12, 10) };
    write(&database, &[amended]).await;
    let mut summaries = database.store().ledger_summaries(TOPIC).await.unwrap();
    for summary in &mut summaries {
        assert!(summary.written_at_ms > 1_700_000_000_000, "{summary:?}");
        summary.written_at_ms = 0;
    }
    let expected = [
        LedgerSummary {
            partition: 0,
            epoch: 0,
            beginning: 0,
            note: "first".into(),
            end: 12,
            gaps: vec![(12, 20)],
            stored: 19,
            rejected: 3,
            holes: 6,
            amended: 4,
            deleted: 5,
            last_record_ms: Some(record(29).timestamp_ms),
            written_at_ms: 0,
        },
        LedgerSummary {
            partition: 3,
            epoch: 2,
            beginning: 50,
            note: "who: why".into(),
            end: 50,
            gaps: vec![],
            stored: 0,
            rejected: 0,
            holes: 0,
            amended: 0,
            deleted: 0,
            last_record_ms: None,
            written_at_ms: 0,
        },
    ];
    assert_eq!(summaries, expected);
}

#[tokio::test]
async fn years_of_ranges_cost_no_more_than_a_day() {
    const RANGES: u64 = 4_000_000;
    // Nobody else reads there.
    let server = launch();
    let database = Database::migrated(&server).await;
    database
        .run(&format!(
            "INSERT INTO ledger (topic, partition, epoch, from_position, next_position, resumed_at, stored, \
             last_record_offset) SELECT '{TOPIC}', number % 2, 0, intDiv(number, 2) * 10, intDiv(number, 2) * 10 + 10, \
             intDiv(number, 2) * 10, 10, intDiv(number, 2) * 10 + 9 FROM numbers({RANGES})"
        ))
        .await;
    let end = i64::try_from(RANGES / 2 * 10).unwrap();
    write(&database, &[range(0, end, end + 5, end)]).await;
    let read_rows = async || -> u64 {
        database.one("SELECT value FROM system.events WHERE event = 'SelectedRows'").await
    };
    let before = read_rows().await;
    let point = resume(&database, 0).await.unwrap();
    assert_eq!((point.position, point.last_record), (end + 5, Some(record(end + 4))));
    assert_eq!(resume(&database, 1).await.map(|point| point.position), Some(end));
    let read = read_rows().await - before;
    assert!((1..150_000).contains(&read), "{read} rows were read");

    // An audit goes on where the last one ended, and takes the rest page by page.
    let epoch = LedgerEpoch { partition: 0, epoch: 0, beginning: 0, reach: end + 5 };
    for (position, ranges) in [(end, 1), (0, 65_536)] {
        let before = read_rows().await;
        let page = database.store().accounted_ranges(TOPIC, &epoch, position, None).await.unwrap();
        let read = read_rows().await - before;
        assert_eq!(page.len(), ranges);
        assert!((1..500_000).contains(&read), "{read} rows were read behind {position}");
    }
}
