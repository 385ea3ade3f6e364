//! Quarantine keeps every byte of what was rejected.

use clickhouse::Row;
use meterhouse_model::{Reason, Record, Reject};
use meterhouse_store::{RejectBatch, RejectedRecord};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::database::{Database, shared};
use crate::sample::record;

/// Texts are read in hex: they need not be UTF-8.
#[derive(Debug, PartialEq, Eq, Row, Deserialize)]
struct Stored {
    topic: String,
    partition: i32,
    offset: i64,
    record_time: i64,
    index: i32,
    reason: String,
    detail: String,
    key: String,
    headers: Vec<(String, String)>,
    raw: String,
    raw_length: u64,
    raw_sha256: String,
    replayed_at: i64,
    replay_outcome: String,
}

const STORED: &str = "SELECT topic, partition, offset, record_time, index, reason, detail, hex(record_key) AS key, \
                      arrayMap(h -> (hex(h.name), hex(h.value)), headers) AS headers, hex(raw) AS raw, raw_length, \
                      hex(raw_sha256) AS raw_sha256, replayed_at, replay_outcome FROM rejects FINAL ORDER BY offset, index";

fn hex(bytes: &[u8]) -> String {
    hex::encode_upper(bytes)
}

/// What a row should be.
fn expected(reject: &Reject, record: &Record<'_>, kept: &RejectedRecord, raw: &[u8]) -> Stored {
    let value = record.value.unwrap_or_default();
    Stored {
        topic: record.topic.into(),
        partition: record.partition,
        offset: record.offset,
        record_time: record.timestamp_ms.unwrap_or_default(),
        index: reject.index.map_or(-1, i32::from),
        reason: reject.reason.as_str().into(),
        detail: reject.detail.clone(),
        key: hex(kept.key.as_deref().unwrap_or_default()),
        headers: kept.headers.iter().map(|(name, value)| (hex(name), hex(value))).collect(),
        raw: hex(raw),
        raw_length: value.len() as u64,
        raw_sha256: hex(&Sha256::digest(value)),
        replayed_at: 0,
        replay_outcome: String::new(),
    }
}

#[tokio::test]
async fn bytes_of_any_kind_come_back() {
    let every_byte: Vec<u8> = (0..=255).collect();
    let values: [Option<&[u8]>; 5] =
        [None, Some(b""), Some(b"\0\xff\xfe'\\\n\t"), Some(&every_byte), Some("{\"é\":1}".as_bytes())];
    let headers = [
        vec![],
        vec![(b"".to_vec(), b"".to_vec())],
        vec![(b"a".to_vec(), every_byte.clone()), (b"a".to_vec(), b"\0".to_vec())],
    ];
    let mut batch = RejectBatch::default();
    let mut rows = Vec::new();
    for ((reason, offset), place) in Reason::ALL.iter().zip(0..).zip(0..) {
        let record = Record { value: values[place % 5], ..record(i32::from(place % 2 == 0), offset) };
        let key = (place != 3).then(|| every_byte[..place].to_vec());
        let kept = RejectedRecord { key, headers: headers[place % 3].clone() };
        let whole = Reject::new(*reason, "why: \u{10ffff} 'quoted' \\");
        for reject in [whole.clone(), whole.clone().at(0), whole.at(999)] {
            rows.push(expected(&reject, &record, &kept, record.value.unwrap_or_default()));
            batch.push(&reject, &record, kept.clone());
        }
    }
    assert_eq!(batch.len(), rows.len());
    rows.sort_by_key(|row| (row.offset, row.index));
    let database = Database::migrated(shared()).await;
    let batch = batch.seal().unwrap();
    // Twice: a record that is read again is the same row again.
    for _ in 0..2 {
        database.store().insert(&batch).await.unwrap();
        assert_eq!(database.all::<Stored>(STORED).await, rows);
    }
}

#[tokio::test]
async fn of_a_record_that_is_too_large_the_beginning_is_kept() {
    let value: Vec<u8> = (0..3_000_000_u32).map(|place| place.to_le_bytes()[1]).collect();
    let record = Record { value: Some(&value), ..record(0, 1) };
    let whole = Record { offset: 2, ..record };
    let (too_large, other) = (Reject::new(Reason::TooLarge, ""), Reject::new(Reason::InvalidJson, ""));
    let kept = RejectedRecord::default();
    let mut batch = RejectBatch::default();
    batch.push(&too_large, &record, kept.clone());
    batch.push(&other, &whole, kept.clone());
    assert!(batch.bytes() > 3_000_000);
    let database = Database::migrated(shared()).await;
    database.store().insert(&batch.seal().unwrap()).await.unwrap();
    let rows =
        [expected(&too_large, &record, &kept, &value[..65_536]), expected(&other, &whole, &kept, &value)];
    assert_eq!(database.all::<Stored>(STORED).await, rows);
}

#[tokio::test]
async fn a_row_with_an_outcome_stands_above_the_one_without() {
    let record = Record { value: Some(b"x"), ..record(0, 1) };
    let database = Database::migrated(shared()).await;
    let insert = async || {
        let mut batch = RejectBatch::default();
        batch.push(&Reject::new(Reason::InvalidJson, ""), &record, RejectedRecord::default());
        database.store().insert(&batch.seal().unwrap()).await.unwrap();
    };
    insert().await;
    database
        .run("INSERT INTO rejects SELECT * REPLACE (now64(3) AS replayed_at, 'accepted' AS replay_outcome) FROM rejects")
        .await;
    insert().await;
    let outcome: Vec<String> = database.all("SELECT replay_outcome FROM rejects FINAL").await;
    assert_eq!(outcome, ["accepted"]);
}

#[tokio::test]
async fn timestamps_of_any_kind_are_kept() {
    let database = Database::migrated(shared()).await;
    let mut batch = RejectBatch::default();
    let times = [i64::MIN, -1, 0, 1_790_000_000_123, 1_790_000_000_000_000, i64::MAX];
    for (time, offset) in times.into_iter().zip(0..) {
        let record = Record { timestamp_ms: Some(time), ..record(0, offset) };
        batch.push(&Reject::new(Reason::EmptyRecord, ""), &record, RejectedRecord::default());
    }
    database.store().insert(&batch.seal().unwrap()).await.unwrap();
    let stored: Vec<i64> = database.all("SELECT record_time FROM rejects FINAL ORDER BY offset").await;
    assert_eq!(stored, times);
}
