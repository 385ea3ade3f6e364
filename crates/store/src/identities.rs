//! The evidence of a batch: one row a copy of an event, sorted by the hash of its identity.

use bytes::Bytes;
use meterhouse_model::Version;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    EncodedBatch, EventBatch, RecentCopies,
    events::{pick, utc_date},
    hash::{KeyHashes, key_hash},
    insert::Table,
    native::BlockWriter,
    recent::{CopyHashes, Sight},
    sort::by_hash,
};

const COLUMNS: &str = "identity_hash, topic, version, record_time, content_hash, key_hash";
const COLUMN_COUNT: usize = 6;
/// Bytes of a row.
const ROW_BYTES: usize = 56;

/// The rows of a batch in the order of the table's key, and the hash of each one's key in `usage_events`.
pub(crate) struct EvidenceRows {
    order: Vec<u32>,
    key_hashes: Vec<u64>,
}

/// What a batch's copies are to each other, and to those before.
#[derive(Debug, Default)]
pub(crate) struct Sighted {
    pub(crate) duplicates: u64,
    /// Hashes of identities whose copies may differ.
    pub(crate) suspects: Vec<u64>,
}

impl EventBatch {
    pub(crate) fn evidence(&self) -> EvidenceRows {
        let order = self.order_by_identity();
        // First in the order of the batch: that is the one of its memory.
        let hashes: Vec<u64> = (0..self.len()).map(|row| self.key_hash(row)).collect();
        let key_hashes = pick(&hashes, &order).collect();
        EvidenceRows { order, key_hashes }
    }

    /// Encodes the evidence of all events in the batch.
    pub(crate) fn seal_identities(&self, evidence: &EvidenceRows) -> EncodedBatch {
        let order = &evidence.order;
        let buffer = self.encoded_evidence.take(self.len() * ROW_BYTES);
        let mut block = BlockWriter::in_buffer(COLUMN_COUNT, self.len(), buffer);
        let identities = pick(&self.identity_hash, order).map(|hash| hash.0.to_le_bytes());
        block.fixed("identity_hash", "UInt64", identities);
        block.low_cardinality("topic", &self.topics, pick(&self.topic, order));
        block.fixed("version", "UInt128", pick(&self.version, order).map(u128::to_le_bytes));
        let record_time = pick(&self.record_time, order).map(i64::to_le_bytes);
        block.fixed("record_time", "DateTime64(3, 'UTC')", record_time);
        block.fixed("content_hash", "UInt64", pick(&self.content_hash, order).map(u64::to_le_bytes));
        block.fixed("key_hash", "UInt64", evidence.key_hashes.iter().map(|hash| hash.to_le_bytes()));
        let bytes = self.encoded_evidence.lend(block.finish());
        EncodedBatch { table: Table::Identities, rows: self.len(), bytes, columns: COLUMNS }
    }

    /// Compares the batch's copies with each other and with those before.
    pub(crate) fn compare(&self, evidence: &EvidenceRows, recent: &mut RecentCopies) -> Sighted {
        let mut sighted = Sighted::default();
        for (&row, &key) in evidence.order.iter().zip(&evidence.key_hashes) {
            let row = row as usize;
            let (identity, version) = (self.identity_hash[row].0, self.version[row]);
            let content = self.content_hash[row];
            let is_creation = Version(version).is_creation();
            match recent.see(&CopyHashes { identity, key, content, version, is_creation }) {
                Sight::Unremarkable => {}
                Sight::Duplicate => sighted.duplicates += 1,
                Sight::Suspect => sighted.suspects.push(identity),
            }
        }
        sighted.suspects.dedup();
        sighted
    }

    /// The hashes of all identities, each of them once.
    pub(crate) fn identities(&self, evidence: &EvidenceRows) -> Vec<u64> {
        let mut hashes: Vec<u64> = pick(&self.identity_hash, &evidence.order).map(|hash| hash.0).collect();
        hashes.dedup();
        hashes
    }

    fn key_hash(&self, row: usize) -> u64 {
        key_hash(&KeyHashes {
            customer: self.customers.hash(self.customer[row]),
            subscription: self.subscriptions.hash(self.subscription[row]),
            utc_date: utc_date(self.billed_at[row]),
            option_code: self.option_codes.hash(self.option_code[row]),
            identity: xxh3_64(self.identity_text(row)),
        })
    }

    /// The rows in the order of the table's key.
    fn order_by_identity(&self) -> Vec<u32> {
        let hash = |row: usize| self.identity_hash[row].0;
        // Few copies of one event meet in a batch.
        by_hash(self.len(), hash, |row| {
            (self.topics.get(self.topic[row]), self.version[row], self.record_time[row])
        })
    }
}

/// Encodes identities of which the next sweep is to look at first. `None` where there are none.
pub(crate) fn seal_suspects(suspects: &[u64]) -> Option<EncodedBatch> {
    if suspects.is_empty() {
        return None;
    }
    let mut block = BlockWriter::new(1, suspects.len(), size_of_val(suspects));
    block.fixed("identity_hash", "UInt64", suspects.iter().map(|hash| hash.to_le_bytes()));
    let bytes = Bytes::from(block.finish());
    Some(EncodedBatch { table: Table::Suspects, rows: suspects.len(), bytes, columns: "identity_hash" })
}
