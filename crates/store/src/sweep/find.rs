//! Finds identities whose copies differ, and whose present state nobody has seen to yet.

use std::time::Duration;

use meterhouse_model::{IdentityHash, Version};
use serde::Deserialize;

use crate::{Error, Settlement, Store};

const IN_RANGE: &str = include_str!("unsettled_in_range.sql");
const SUSPECTED: &str = include_str!("unsettled_suspects.sql");

/// A range of identities' hashes, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashRange {
    /// The lowest hash.
    pub first: u64,
    /// The highest hash.
    pub last: u64,
}

/// An identity to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clickhouse::Row)]
pub struct Unsettled {
    /// Its hash.
    pub identity_hash: u64,
    /// How many copies of it there are.
    pub copies: u64,
    /// Highest version among them.
    pub highest: u128,
}

impl Unsettled {
    /// What settles it, once all that follows from these copies is done.
    pub fn settlement(&self) -> Settlement {
        Settlement {
            identity_hash: IdentityHash(self.identity_hash),
            copies: self.copies,
            version: Version(self.highest),
        }
    }
}

impl HashRange {
    /// All hashes in so many ranges of about the same size; one at least.
    pub fn split(count: u64) -> impl Iterator<Item = Self> {
        let count = u128::from(count.max(1));
        let start = move |number: u128| (number << u64::BITS) / count;
        (0..count).map(move |number| Self { first: low(start(number)), last: low(start(number + 1) - 1) })
    }

    /// What of the range is behind a hash. `None`: nothing.
    pub fn after(self, hash: u64) -> Option<Self> {
        (hash < self.last).then(|| Self { first: hash + 1, last: self.last })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "below 2^64")]
fn low(number: u128) -> u64 {
    number as u64
}

impl Store {
    /// How many rows of evidence there are.
    ///
    /// # Errors
    /// No answer could be had.
    pub async fn evidence_rows(&self) -> Result<u64, Error> {
        self.answer(self.for_reads().query("SELECT count() FROM identities").fetch_one()).await
    }

    /// Identities in a range whose copies differ in key, or whose creations differ in content, and that are not settled
    /// as they are: at most so many, in the order of their hashes.
    ///
    /// # Errors
    /// No complete answer could be had.
    pub async fn unsettled(&self, range: HashRange, limit: u64) -> Result<Vec<Unsettled>, Error> {
        let query = self.for_reads().query_raw(IN_RANGE);
        let query = query.param("first", range.first).param("last", range.last).param("limit", limit);
        self.answer(query.fetch_all()).await
    }

    /// The same, of identities that writers have suspected within a time.
    ///
    /// # Errors
    /// No complete answer could be had.
    pub async fn unsettled_suspects(&self, since: Duration, limit: u64) -> Result<Vec<Unsettled>, Error> {
        let query = self.for_reads().query_raw(SUSPECTED);
        let query = query.param("seconds", since.as_secs()).param("limit", limit);
        self.answer(query.fetch_all()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_every_hash_once() {
        for count in [1, 2, 3, 64, 1000] {
            let ranges: Vec<HashRange> = HashRange::split(count).collect();
            assert_eq!(ranges.len() as u64, count);
            assert_eq!((ranges[0].first, ranges[ranges.len() - 1].last), (0, u64::MAX));
            assert!(ranges.windows(2).all(|pair| pair[0].last + 1 == pair[1].first), "{count}");
        }
        assert_eq!(HashRange::split(0).count(), 1);
    }

    #[test]
    fn the_rest_of_a_range_ends_with_it() {
        let range = HashRange { first: 5, last: u64::MAX };
        assert_eq!(range.after(7), Some(HashRange { first: 8, last: u64::MAX }));
        assert_eq!(range.after(u64::MAX), None);
    }
}
