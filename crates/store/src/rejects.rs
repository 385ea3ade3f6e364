//! A batch of records that are not usable, with all that is known of each.

use bytes::Bytes;
use meterhouse_model::{Record, Reject};
use sha2::{Digest, Sha256};

use crate::{
    dictionary::Dictionary,
    insert::{EncodedBatch, Table},
    native::BlockWriter,
};

/// How much of a record that is too large is kept.
const RAW_BYTES_KEPT: usize = 64 * 1024;

/// Bytes of a row without its strings, for the account of memory.
const FIXED_ROW_BYTES: usize = 128;

const COLUMNS: &str = "topic, partition, offset, record_time, index, reason, detail, record_key, headers, raw, \
                       raw_length, raw_sha256";
const COLUMN_COUNT: usize = 12;

/// What quarantine keeps of a record besides its value and coordinates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectedRecord {
    /// The record's key, empty where it has none.
    pub key: Vec<u8>,
    /// Names and values of its headers, in their order.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Rejected records on their way to quarantine.
#[derive(Debug, Default)]
pub struct RejectBatch {
    topics: Dictionary,
    reasons: Dictionary,
    rows: Vec<Row>,
    bytes: usize,
}

#[derive(Debug)]
struct Row {
    topic: u32,
    reason: u32,
    partition: i32,
    offset: i64,
    record_time: i64,
    index: i32,
    detail: String,
    record: RejectedRecord,
    raw: Vec<u8>,
    raw_length: u64,
    raw_sha256: [u8; 32],
}

impl RejectBatch {
    /// Number of rejects.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes of memory that the batch takes, roughly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a record that was rejected, or of which one event was.
    pub fn push(&mut self, reject: &Reject, record: &Record<'_>, kept: RejectedRecord) {
        let value = record.value.unwrap_or_default();
        let keep_all = reject.reason != meterhouse_model::Reason::TooLarge;
        let raw = if keep_all { value } else { &value[..value.len().min(RAW_BYTES_KEPT)] };
        let headers: usize = kept.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.bytes += FIXED_ROW_BYTES + raw.len() + reject.detail.len() + kept.key.len() + headers;
        self.rows.push(Row {
            topic: self.topics.intern(record.topic.as_bytes()),
            reason: self.reasons.intern(reject.reason.as_str().as_bytes()),
            partition: record.partition,
            offset: record.offset,
            record_time: record.timestamp_ms.unwrap_or_default(),
            index: reject.index.map_or(-1, i32::from),
            detail: reject.detail.clone(),
            record: kept,
            raw: raw.to_vec(),
            raw_length: value.len() as u64,
            raw_sha256: Sha256::digest(value).into(),
        });
    }

    /// Sorts the batch by the table's key and encodes it. `None` where it is empty.
    pub fn seal(mut self) -> Option<EncodedBatch> {
        if self.is_empty() {
            return None;
        }
        let ranks = self.topics.ranks();
        self.rows.sort_unstable_by_key(|row| {
            (ranks[row.topic as usize], row.partition, row.offset, row.record_time, row.index)
        });
        let rows = &self.rows;
        let mut block = BlockWriter::new(COLUMN_COUNT, rows.len(), self.bytes);
        block.low_cardinality("topic", &self.topics, rows.iter().map(|row| row.topic));
        block.fixed("partition", "Int32", rows.iter().map(|row| row.partition.to_le_bytes()));
        block.fixed("offset", "Int64", rows.iter().map(|row| row.offset.to_le_bytes()));
        let record_time = rows.iter().map(|row| row.record_time.to_le_bytes());
        block.fixed("record_time", "DateTime64(3, 'UTC')", record_time);
        block.fixed("index", "Int32", rows.iter().map(|row| row.index.to_le_bytes()));
        block.low_cardinality("reason", &self.reasons, rows.iter().map(|row| row.reason));
        block.strings("detail", rows.iter().map(|row| row.detail.as_bytes()));
        block.strings("record_key", rows.iter().map(|row| row.record.key.as_slice()));
        let headers = rows.iter().map(|row| row.record.headers.as_slice());
        block.pairs("headers", "Array(Tuple(name String, value String))", headers);
        block.strings("raw", rows.iter().map(|row| row.raw.as_slice()));
        block.fixed("raw_length", "UInt64", rows.iter().map(|row| row.raw_length.to_le_bytes()));
        block.fixed("raw_sha256", "FixedString(32)", rows.iter().map(|row| row.raw_sha256));
        let bytes = Bytes::from(block.finish());
        Some(EncodedBatch { table: Table::Rejects, rows: rows.len(), bytes, columns: COLUMNS })
    }
}
