//! A batch of records that are not usable, with all that is known of each.

use bytes::Bytes;
use meterhouse_model::{Reason, Record, Reject};
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

const COLUMNS: &str = "topic, partition, offset, record_time, index, scope, has_timestamp, reason, detail, record_key, \
                       headers, raw, raw_length, raw_sha256";
const COLUMN_COUNT: usize = 14;

pub(crate) const SCOPE_TYPE: &str = "Enum8('record' = 0, 'event' = 1)";
pub(crate) const HEADERS_TYPE: &str = "Array(Tuple(name String, value String))";

/// What quarantine keeps of a record besides its value and coordinates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RejectedRecord {
    /// The record's key.
    pub key: Option<Vec<u8>>,
    /// Names and values of its headers, in their order.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What is not stored because of a reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectScope {
    /// The record, with all of its events.
    Record,
    /// One event of a record whose others are stored.
    Event,
}

/// A reject on its way to quarantine, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Rejected<'r> {
    /// Topic of the record.
    pub topic: &'r [u8],
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its timestamp, in milliseconds since the epoch.
    pub timestamp_ms: Option<i64>,
    /// Stable text of the reason.
    pub reason: &'r str,
    /// For a person: what is wrong.
    pub detail: &'r str,
    /// Key and headers.
    pub record: &'r RejectedRecord,
    /// Its value, or the part of it that is kept.
    pub raw: Option<&'r [u8]>,
    /// Length of the whole value.
    pub raw_length: u64,
}

/// Rejected records on their way to quarantine.
#[derive(Debug, Default)]
pub struct RejectBatch {
    topics: Dictionary,
    rows: Vec<Row>,
    bytes: usize,
}

#[derive(Debug)]
struct Row {
    topic: u32,
    reason: Reason,
    partition: i32,
    offset: i64,
    timestamp_ms: Option<i64>,
    index: i32,
    scope: RejectScope,
    detail: String,
    record: RejectedRecord,
    raw: Option<Vec<u8>>,
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

    /// Adds a record that was rejected as a whole; the reject may name the event at fault.
    pub fn push(&mut self, reject: &Reject, record: &Record<'_>, kept: RejectedRecord) {
        self.push_scoped(RejectScope::Record, reject, record, kept);
    }

    /// Adds one event of a record whose other events stay stored. The reject names it.
    pub fn push_event(&mut self, reject: &Reject, record: &Record<'_>, kept: RejectedRecord) {
        self.push_scoped(RejectScope::Event, reject, record, kept);
    }

    fn push_scoped(
        &mut self,
        scope: RejectScope,
        reject: &Reject,
        record: &Record<'_>,
        kept: RejectedRecord,
    ) {
        let value = record.value.unwrap_or_default();
        let raw = record.value.map(|value| match reject.reason {
            Reason::TooLarge => value[..value.len().min(RAW_BYTES_KEPT)].to_vec(),
            _ => value.to_vec(),
        });
        let headers: usize = kept.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let key = kept.key.as_ref().map_or(0, Vec::len);
        self.bytes +=
            FIXED_ROW_BYTES + raw.as_ref().map_or(0, Vec::len) + reject.detail.len() + key + headers;
        self.rows.push(Row {
            topic: self.topics.intern(record.topic.as_bytes()),
            reason: reject.reason,
            partition: record.partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            index: reject.index.map_or(-1, i32::from),
            scope,
            detail: reject.detail.clone(),
            record: kept,
            raw,
            raw_length: value.len() as u64,
            raw_sha256: Sha256::digest(value).into(),
        });
    }

    /// All of them, as another place may want them, too.
    pub fn rows(&self) -> impl Iterator<Item = Rejected<'_>> {
        self.rows.iter().map(|row| Rejected {
            topic: self.topics.get(row.topic),
            partition: row.partition,
            offset: row.offset,
            timestamp_ms: row.timestamp_ms,
            reason: row.reason.as_str(),
            detail: &row.detail,
            record: &row.record,
            raw: row.raw.as_deref(),
            raw_length: row.raw_length,
        })
    }

    /// Sorts the batch by the table's key and encodes it. `None` where it is empty.
    pub fn seal(&mut self) -> Option<EncodedBatch> {
        if self.is_empty() {
            return None;
        }
        let ranks = self.topics.ranks();
        self.rows.sort_unstable_by_key(|row| {
            let topic = ranks[row.topic as usize];
            (topic, row.partition, row.offset, row.record_time(), row.index, row.scope)
        });
        let mut block = BlockWriter::new(COLUMN_COUNT, self.rows.len(), self.bytes);
        self.write_place(&mut block);
        self.write_verdict(&mut block);
        self.write_record(&mut block);
        let bytes = Bytes::from(block.finish());
        Some(EncodedBatch { table: Table::Rejects, rows: self.rows.len(), bytes, columns: COLUMNS })
    }

    fn write_place(&self, block: &mut BlockWriter) {
        let rows = &self.rows;
        block.low_cardinality("topic", &self.topics, rows.iter().map(|row| row.topic));
        block.fixed("partition", "Int32", rows.iter().map(|row| row.partition.to_le_bytes()));
        block.fixed("offset", "Int64", rows.iter().map(|row| row.offset.to_le_bytes()));
        let record_time = rows.iter().map(|row| row.record_time().to_le_bytes());
        block.fixed("record_time", "DateTime64(3, 'UTC')", record_time);
        block.fixed("index", "Int32", rows.iter().map(|row| row.index.to_le_bytes()));
        block.fixed("scope", SCOPE_TYPE, rows.iter().map(|row| [row.scope.code()]));
        let has_timestamp = rows.iter().map(|row| [u8::from(row.timestamp_ms.is_some())]);
        block.fixed("has_timestamp", "Bool", has_timestamp);
    }

    fn write_verdict(&self, block: &mut BlockWriter) {
        let mut reasons = Dictionary::default();
        let symbols: Vec<u32> =
            self.rows.iter().map(|row| reasons.intern(row.reason.as_str().as_bytes())).collect();
        block.low_cardinality("reason", &reasons, symbols.into_iter());
        block.strings("detail", self.rows.iter().map(|row| row.detail.as_bytes()));
    }

    fn write_record(&self, block: &mut BlockWriter) {
        let rows = &self.rows;
        let keys = rows.iter().map(|row| row.record.key.as_deref().unwrap_or_default());
        block.strings("record_key", keys);
        let headers = rows.iter().map(|row| row.record.headers.as_slice());
        block.pairs("headers", HEADERS_TYPE, headers);
        block.strings("raw", rows.iter().map(|row| row.raw.as_deref().unwrap_or_default()));
        block.fixed("raw_length", "UInt64", rows.iter().map(|row| row.raw_length.to_le_bytes()));
        block.fixed("raw_sha256", "FixedString(32)", rows.iter().map(|row| row.raw_sha256));
    }
}

impl Row {
    fn record_time(&self) -> i64 {
        self.timestamp_ms.unwrap_or_default()
    }
}

impl RejectScope {
    /// Its number in the table.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Record => 0,
            Self::Event => 1,
        }
    }
}
