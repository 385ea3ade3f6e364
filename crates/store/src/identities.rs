//! The evidence of a batch: one row a copy of an event, sorted by the hash of its identity.

use bytes::Bytes;

use crate::{
    EncodedBatch, EventBatch,
    events::{pick, utc_date},
    hash::key_hash,
    insert::Table,
    native::BlockWriter,
};

const COLUMNS: &str =
    "identity_hash, topic, partition, offset, index, record_time, content_hash, key_hash, version";
const COLUMN_COUNT: usize = 9;
/// Bytes of a row.
const ROW_BYTES: usize = 70;

impl EventBatch {
    /// Encodes the evidence of all events in the batch.
    pub(crate) fn seal_identities(&self) -> EncodedBatch {
        let order = &self.order_by_identity();
        let mut block = BlockWriter::new(COLUMN_COUNT, self.len(), self.len() * ROW_BYTES);
        let identities = pick(&self.identity_hash, order).map(|hash| hash.0.to_le_bytes());
        block.fixed("identity_hash", "UInt64", identities);
        block.low_cardinality("topic", &self.topics, pick(&self.topic, order));
        block.fixed("partition", "Int32", pick(&self.partition, order).map(i32::to_le_bytes));
        block.fixed("offset", "Int64", pick(&self.offset, order).map(i64::to_le_bytes));
        block.fixed("index", "UInt16", pick(&self.index, order).map(u16::to_le_bytes));
        let record_time = pick(&self.record_time, order).map(i64::to_le_bytes);
        block.fixed("record_time", "DateTime64(3, 'UTC')", record_time);
        block.fixed("content_hash", "UInt64", pick(&self.content_hash, order).map(u64::to_le_bytes));
        let keys = order.iter().map(|&row| self.key_hash(row as usize).to_le_bytes());
        block.fixed("key_hash", "UInt64", keys);
        block.fixed("version", "UInt128", pick(&self.version, order).map(u128::to_le_bytes));
        let bytes = Bytes::from(block.finish());
        EncodedBatch { table: Table::Identities, rows: self.len(), bytes, columns: COLUMNS }
    }

    fn key_hash(&self, row: usize) -> u64 {
        key_hash(
            self.customers.hash(self.customer[row]),
            utc_date(self.billed_at[row]),
            self.option_codes.hash(self.option_code[row]),
            self.identity_hash[row],
        )
    }

    /// The rows in the order of the table's key.
    fn order_by_identity(&self) -> Vec<u32> {
        let mut keys: Vec<(u64, u32)> = self.identity_hash.iter().map(|hash| hash.0).zip(0..).collect();
        // Few copies of one event meet in a batch.
        let coordinates = |row: u32| {
            let row = row as usize;
            let topic = self.topics.get(self.topic[row]);
            (topic, self.partition[row], self.offset[row], self.index[row], self.record_time[row])
        };
        keys.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| coordinates(a.1).cmp(&coordinates(b.1))));
        keys.into_iter().map(|(_, row)| row).collect()
    }
}
