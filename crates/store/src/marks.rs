//! The marks of a batch: which dates of which subscriptions get rows.

mod customers;
mod fresh;

use std::sync::Arc;

use bytes::Bytes;

use crate::{EncodedBatch, EventBatch, events::utc_date, insert::Table, native::write_string};

pub(crate) use customers::NotedCustomers;
pub(crate) use fresh::FreshMarks;

/// Of the date at the end of a row.
const DATE_BYTES: usize = size_of::<i32>();

/// Customer, subscription and UTC date of each mark, in RowBinary: so any of them can be left out. Cloning shares the bytes.
#[derive(Debug, Clone)]
pub struct MarkRows {
    bytes: Bytes,
    /// Where each row ends.
    ends: Arc<[usize]>,
}

impl MarkRows {
    /// All of them.
    pub fn all(&self) -> EncodedBatch {
        encoded(self.ends.len(), self.bytes.clone())
    }

    /// Those that a filter lets through. `None`: not one.
    pub(crate) fn only(&self, mut is_wanted: impl FnMut(&[u8]) -> bool) -> Option<EncodedBatch> {
        let mut bytes = Vec::new();
        let mut count = 0;
        for row in self.rows().filter(|row| is_wanted(row)) {
            bytes.extend_from_slice(row);
            count += 1;
        }
        (count > 0).then(|| encoded(count, Bytes::from(bytes)))
    }

    /// The bytes of each.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(&0).chain(&*self.ends);
        starts.zip(&*self.ends).map(|(start, end)| &self.bytes[*start..*end])
    }
}

fn encoded(rows: usize, bytes: Bytes) -> EncodedBatch {
    EncodedBatch { table: Table::Marks, rows, bytes, columns: "" }
}

impl EventBatch {
    /// One mark for each customer, subscription and UTC date. `order` is that of the events' key.
    pub(crate) fn marks(&self, order: &[u32]) -> MarkRows {
        let unit = |row: u32| {
            let row = row as usize;
            (self.customer[row], self.subscription[row], utc_date(self.billed_at[row]))
        };
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        let mut firsts = order.to_vec();
        firsts.dedup_by_key(|row| unit(*row));
        for (customer, subscription, date) in firsts.into_iter().map(unit) {
            write_string(&mut bytes, self.customers.get(customer));
            write_string(&mut bytes, self.subscriptions.get(subscription));
            bytes.extend_from_slice(&date.to_le_bytes());
            ends.push(bytes.len());
        }
        MarkRows { bytes: Bytes::from(bytes), ends: ends.into() }
    }
}
