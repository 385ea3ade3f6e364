//! Which customers the rows of a subscription name, as far as this process knows that it is noted.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_128;

use super::{DATE_BYTES, MarkRows};
use crate::{EncodedBatch, insert::Table};

/// More are forgotten, all at once: they are written again.
const PAIRS_MAX: usize = 1_000_000;

/// Hashes of pairs that are in `subscription_customers`, where nothing is ever taken away.
#[derive(Debug, Default)]
pub(crate) struct NotedCustomers(Mutex<HashSet<u128>>);

impl NotedCustomers {
    /// The pairs of some marks that are not noted yet. `None`: all of them are.
    pub(crate) fn missing(&self, marks: &MarkRows) -> Option<EncodedBatch> {
        let noted = self.noted();
        let (mut bytes, mut rows) = (Vec::new(), 0);
        for pair in pairs(marks).filter(|pair| !noted.contains(&xxh3_128(pair))) {
            bytes.extend_from_slice(pair);
            rows += 1;
        }
        let bytes = Bytes::from(bytes);
        (rows > 0).then_some(EncodedBatch { table: Table::SubscriptionCustomers, rows, bytes, columns: "" })
    }

    /// Keeps in mind that the pairs of some marks are noted.
    pub(crate) fn add(&self, marks: &MarkRows) {
        let mut noted = self.noted();
        if noted.len() > PAIRS_MAX {
            noted.clear();
        }
        noted.extend(pairs(marks).map(xxh3_128));
    }

    /// Forgets all: the database may be another one from now on.
    pub(crate) fn forget(&self) {
        self.noted().clear();
    }

    fn noted(&self) -> MutexGuard<'_, HashSet<u128>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Customer and subscription of each mark: they are sorted, so the same ones follow each other.
fn pairs(marks: &MarkRows) -> impl Iterator<Item = &[u8]> {
    let mut last: &[u8] = &[];
    marks.rows().map(|row| &row[..row.len() - DATE_BYTES]).filter(move |pair| {
        let is_new = *pair != last;
        last = pair;
        is_new
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(pairs_of_dates: &[&'static str]) -> MarkRows {
        let rows: Vec<String> = pairs_of_dates.iter().map(|pair| format!("{pair}date")).collect();
        let ends = rows.iter().scan(0, |end, row| {
            *end += row.len();
            Some(*end)
        });
        MarkRows { ends: ends.collect(), bytes: rows.concat().into() }
    }

    fn missing(noted: &NotedCustomers, pairs: &[&'static str]) -> Option<(usize, Bytes)> {
        noted.missing(&marks(pairs)).map(|batch| (batch.rows, batch.bytes))
    }

    #[test]
    fn pairs_are_missing_until_they_are_noted() {
        let noted = NotedCustomers::default();
        assert_eq!(missing(&noted, &["a", "a", "bc"]), Some((2, "abc".into())));
        noted.add(&marks(&["a", "a", "bc"]));
        assert_eq!(missing(&noted, &["a", "bc"]), None);
        assert_eq!(missing(&noted, &["ab", "bc", "c"]), Some((2, "abc".into())));
        noted.forget();
        assert_eq!(missing(&noted, &["a"]), Some((1, "a".into())));
    }
}
