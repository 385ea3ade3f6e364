//! The ledger: which ranges of offsets are accounted for. It is the truth for reading on.
//!
//! A range is written once all of its records are stored, so the ranges that touch each other from a partition's beginning
//! say how far it is done. They may overlap: two readers of one partition each write what they have read.

mod ranges;
mod resume;
mod summary;

use bytes::Bytes;

pub use resume::ResumePoint;
pub use summary::LedgerSummary;

use crate::{
    dictionary::Dictionary,
    hash::record_hash,
    insert::{EncodedBatch, Table},
    native::BlockWriter,
};

const COLUMNS: &str = "topic, partition, epoch, from_position, next_position, resumed_at, stored, rejected, holes, \
                       amended, deleted, last_record_offset, last_record_time, last_record_hash, topic_id, note, software";
const COLUMN_COUNT: usize = 17;
/// Bytes of a row without its texts.
const ROW_BYTES: usize = 136;
/// Version of the program that writes.
const SOFTWARE: &str = env!("CARGO_PKG_VERSION");
/// Offset that stands for no record.
const NO_RECORD: i64 = -1;

/// By what a record is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastRecord {
    /// Its offset.
    pub offset: i64,
    /// Its timestamp in milliseconds since the epoch, 0 where it has none.
    pub timestamp_ms: i64,
    /// Of its key and value.
    pub hash: u64,
}

impl LastRecord {
    /// Of a record as it was read.
    pub fn new(offset: i64, timestamp_ms: Option<i64>, key: Option<&[u8]>, value: Option<&[u8]>) -> Self {
        Self { offset, timestamp_ms: timestamp_ms.unwrap_or_default(), hash: record_hash(key, value) }
    }
}

/// A range of a partition that is accounted for: each of its offsets is a stored record, a rejected one, or a hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// Its partition.
    pub partition: i32,
    /// Which beginning of the partition it goes back to.
    pub epoch: u32,
    /// First offset of the range.
    pub from_position: i64,
    /// Offset behind the range.
    pub next_position: i64,
    /// End of the touching ranges that were on record when the reading of this one began.
    pub resumed_at: i64,
    /// Records whose events are stored.
    pub stored: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Offsets without a record.
    pub holes: u64,
    /// Events that amend.
    pub amended: u64,
    /// Events that delete.
    pub deleted: u64,
    /// The last record up to the end of the range.
    pub last_record: Option<LastRecord>,
    /// Which topic of that name it was read from, by Kafka's id; 0 where Kafka gives none.
    pub topic_id: u128,
    /// Who named this beginning, and why.
    pub note: String,
}

impl LedgerRow {
    /// The beginning of an epoch: an empty range.
    pub fn opening(
        partition: i32,
        epoch: u32,
        position: i64,
        topic_id: u128,
        note: impl Into<String>,
    ) -> Self {
        Self {
            partition,
            epoch,
            from_position: position,
            next_position: position,
            resumed_at: position,
            stored: 0,
            rejected: 0,
            holes: 0,
            amended: 0,
            deleted: 0,
            last_record: None,
            topic_id,
            note: note.into(),
        }
    }

    /// Encodes rows of a topic. `None` where there are none.
    pub fn encode(topic: &str, rows: &[Self]) -> Option<EncodedBatch> {
        if rows.is_empty() {
            return None;
        }
        let notes: usize = rows.iter().map(|row| row.note.len()).sum();
        let mut block = BlockWriter::new(COLUMN_COUNT, rows.len(), rows.len() * ROW_BYTES + notes);
        write_ranges(&mut block, topic, rows);
        write_account(&mut block, rows);
        let bytes = Bytes::from(block.finish());
        Some(EncodedBatch { table: Table::Ledger, rows: rows.len(), bytes, columns: COLUMNS })
    }
}

fn write_ranges(block: &mut BlockWriter, topic: &str, rows: &[LedgerRow]) {
    let mut topics = Dictionary::default();
    let topic = topics.intern(topic.as_bytes());
    block.low_cardinality("topic", &topics, rows.iter().map(|_| topic));
    block.fixed("partition", "Int32", rows.iter().map(|row| row.partition.to_le_bytes()));
    block.fixed("epoch", "UInt32", rows.iter().map(|row| row.epoch.to_le_bytes()));
    block.fixed("from_position", "Int64", rows.iter().map(|row| row.from_position.to_le_bytes()));
    block.fixed("next_position", "Int64", rows.iter().map(|row| row.next_position.to_le_bytes()));
    block.fixed("resumed_at", "Int64", rows.iter().map(|row| row.resumed_at.to_le_bytes()));
}

fn write_account(block: &mut BlockWriter, rows: &[LedgerRow]) {
    block.fixed("stored", "UInt64", rows.iter().map(|row| row.stored.to_le_bytes()));
    block.fixed("rejected", "UInt64", rows.iter().map(|row| row.rejected.to_le_bytes()));
    block.fixed("holes", "UInt64", rows.iter().map(|row| row.holes.to_le_bytes()));
    block.fixed("amended", "UInt64", rows.iter().map(|row| row.amended.to_le_bytes()));
    block.fixed("deleted", "UInt64", rows.iter().map(|row| row.deleted.to_le_bytes()));
    let none = LastRecord { offset: NO_RECORD, timestamp_ms: 0, hash: 0 };
    let last = || rows.iter().map(|row| row.last_record.unwrap_or(none));
    block.fixed("last_record_offset", "Int64", last().map(|record| record.offset.to_le_bytes()));
    let times = last().map(|record| record.timestamp_ms.to_le_bytes());
    block.fixed("last_record_time", "DateTime64(3, 'UTC')", times);
    block.fixed("last_record_hash", "UInt64", last().map(|record| record.hash.to_le_bytes()));
    block.fixed("topic_id", "UInt128", rows.iter().map(|row| row.topic_id.to_le_bytes()));
    block.strings("note", rows.iter().map(|row| row.note.as_bytes()));
    block.strings("software", rows.iter().map(|_| SOFTWARE.as_bytes()));
}
