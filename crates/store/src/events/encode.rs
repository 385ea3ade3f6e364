//! The rows of a batch in the order of the table, as one block.

use super::{EventBatch, utc_date};
use crate::{
    dictionary::Dictionary,
    insert::{EncodedBatch, Table},
    native::BlockWriter,
    sort::by_rank,
};

/// Bytes of an encoded row without strings: 18 numbers, and what says how long the four texts are.
const ENCODED_ROW_BYTES: usize = 136;

/// Columns that a batch writes, in this order; the database fills in the others.
const COLUMNS: &str = "customer, subscription, option_code, identity, usage_start, usage_end, billed_at, billing_day, \
                       units, description, renewal_order_reference, usage_reference, revision, topic, partition, \
                       offset, index, record_time, origin, version, is_deleted";
const COLUMN_COUNT: usize = 21;

impl EventBatch {
    /// The rows in the order of the table's key, so that the server has nothing left to sort. Those of one key go by version.
    pub(super) fn order(&self) -> Vec<u32> {
        let rows: Vec<u32> = (0u32..).take(self.len()).collect();
        let dates = || self.billed_at.iter().map(|micros| utc_date(*micros));
        let first_date = dates().min().unwrap_or_default();
        let date = |row: usize| (utc_date(self.billed_at[row]) - first_date).unsigned_abs() as usize;
        let date_count = dates().max().map_or(0, |last| (last - first_date).unsigned_abs() as usize + 1);
        let rows = by_name(&rows, &self.option_codes, &self.option_code);
        let rows = by_rank(&rows, date_count, date);
        let rows = by_name(&rows, &self.subscriptions, &self.subscription);
        let mut rows = by_name(&rows, &self.customers, &self.customer);
        let prefix = |row: &u32| {
            let row = *row as usize;
            (self.subscription[row], self.customer[row], date(row), self.option_code[row])
        };
        for same in rows.chunk_by_mut(|a, b| prefix(a) == prefix(b)) {
            same.sort_unstable_by_key(|row| (self.identity_text(*row as usize), self.version[*row as usize]));
        }
        rows
    }

    /// Encodes the events in this order.
    pub(super) fn seal_events(&self, order: &[u32]) -> EncodedBatch {
        let buffer = self.encoded.take(self.encoded_bytes());
        let mut block = BlockWriter::in_buffer(COLUMN_COUNT, self.len(), buffer);
        self.write_key(&mut block, order);
        self.write_usage(&mut block, order);
        self.write_provenance(&mut block, order);
        let bytes = self.encoded.lend(block.finish());
        EncodedBatch { table: Table::UsageEvents, rows: self.len(), bytes, columns: COLUMNS }
    }

    /// Bytes of the encoded rows, a little more than there are.
    fn encoded_bytes(&self) -> usize {
        let names = [&self.customers, &self.option_codes, &self.topics];
        self.len() * ENCODED_ROW_BYTES
            + self.text_bytes()
            + names.iter().map(|names| names.bytes()).sum::<usize>()
    }

    fn write_key(&self, block: &mut BlockWriter, order: &[u32]) {
        block.low_cardinality("customer", &self.customers, pick(&self.customer, order));
        let subscriptions = pick(&self.subscription, order).map(|symbol| self.subscriptions.get(symbol));
        block.strings("subscription", subscriptions);
        block.low_cardinality("option_code", &self.option_codes, pick(&self.option_code, order));
        block.strings("identity", self.identity.pick(order));
    }

    fn write_usage(&self, block: &mut BlockWriter, order: &[u32]) {
        const TIME: &str = "DateTime64(6, 'UTC')";
        block.fixed("usage_start", TIME, pick(&self.usage_start, order).map(i64::to_le_bytes));
        block.fixed("usage_end", TIME, pick(&self.usage_end, order).map(i64::to_le_bytes));
        block.fixed("billed_at", TIME, pick(&self.billed_at, order).map(i64::to_le_bytes));
        block.fixed("billing_day", "Date32", pick(&self.billing_day, order).map(i32::to_le_bytes));
        block.fixed("units", "Decimal(38, 18)", pick(&self.units, order).map(i128::to_le_bytes));
        block.strings("description", self.description.pick(order));
        let renewals = pick(&self.renewal_order_reference, order).map(u64::to_le_bytes);
        block.fixed("renewal_order_reference", "UInt64", renewals);
        let references = pick(&self.identity_hash, order).map(|hash| hash.usage_reference().to_le_bytes());
        block.fixed("usage_reference", "UInt64", references);
        block.fixed("revision", "UInt32", pick(&self.revision, order).map(u32::to_le_bytes));
    }

    fn write_provenance(&self, block: &mut BlockWriter, order: &[u32]) {
        block.low_cardinality("topic", &self.topics, pick(&self.topic, order));
        block.fixed("partition", "Int32", pick(&self.partition, order).map(i32::to_le_bytes));
        block.fixed("offset", "Int64", pick(&self.offset, order).map(i64::to_le_bytes));
        block.fixed("index", "UInt16", pick(&self.index, order).map(u16::to_le_bytes));
        let record_time = pick(&self.record_time, order).map(i64::to_le_bytes);
        block.fixed("record_time", "DateTime64(3, 'UTC')", record_time);
        block.strings("origin", self.origin.pick(order));
        block.fixed("version", "UInt128", pick(&self.version, order).map(u128::to_le_bytes));
        block.fixed("is_deleted", "UInt8", pick(&self.is_deleted, order).map(|flag| [flag]));
    }
}

/// The values of a column in the order of the rows.
pub(crate) fn pick<'a, T: Copy>(column: &'a [T], order: &'a [u32]) -> impl Iterator<Item = T> + 'a {
    order.iter().map(|&row| column[row as usize])
}

/// Stably sorts rows by a column of names.
fn by_name(rows: &[u32], names: &Dictionary, column: &[u32]) -> Vec<u32> {
    let ranks = names.ranks();
    by_rank(rows, ranks.len(), |row| ranks[column[row] as usize] as usize)
}
