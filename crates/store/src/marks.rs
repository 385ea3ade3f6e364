//! The marks of a batch: which dates of which subscriptions get rows.

use bytes::Bytes;

use crate::{
    EncodedBatch, EventBatch,
    events::{pick, utc_date},
    insert::Table,
    native::BlockWriter,
};

const COLUMN_COUNT: usize = 3;

impl EventBatch {
    /// Encodes one mark for each customer, subscription and UTC date. `order` is that of the events' key.
    pub(crate) fn seal_marks(&self, order: &[u32]) -> EncodedBatch {
        let unit = |row: u32| {
            let row = row as usize;
            (self.customer[row], self.subscription[row], utc_date(self.billed_at[row]))
        };
        let mut firsts = order.to_vec();
        firsts.dedup_by_key(|row| unit(*row));
        let mut block = BlockWriter::new(COLUMN_COUNT, firsts.len(), firsts.len() * size_of::<[u64; 4]>());
        block.low_cardinality("customer", &self.customers, pick(&self.customer, &firsts));
        let subscriptions = pick(&self.subscription, &firsts).map(|symbol| self.subscriptions.get(symbol));
        block.strings("subscription", subscriptions);
        let dates = pick(&self.billed_at, &firsts).map(|billed_at| utc_date(billed_at).to_le_bytes());
        block.fixed("date", "Date32", dates);
        let bytes = Bytes::from(block.finish());
        EncodedBatch { table: Table::Marks, rows: firsts.len(), bytes, columns: "" }
    }
}
