//! Reads for an audit of the whole database: is every position of the log accounted for once, does every row have its
//! evidence and every evidence its row, are the daily sums those of the events.
//!
//! Large tables are compared by check sums of buckets first; only buckets that differ are looked into row by row.

mod accounts;
mod daily;
mod events;
mod topic;

use std::time::Duration;

use clickhouse::query::Query;
use serde::Deserialize;

use crate::connect::within;
use crate::{Error, Store};

pub use accounts::{AccountedRange, LedgerEpoch, Positions};
pub use daily::{DailyDifference, UnlistedCustomer, UnnamedUsage};
pub use events::{Copies, EventDifference, LedgerEnds, MissingReplay, UnquarantinedConflict};
pub use topic::{EvidenceSet, EvidenceSum};

/// Longest time of one statement: it may read all that there is.
const AUDIT_TIMEOUT: Duration = Duration::from_secs(3600);
/// Buckets of the check sums.
const BUCKETS: u64 = 4096;
/// Differences that are told at most, for each question.
const DIFFERENCES_MAX: u64 = 1000;

/// A part of what is compared: whatever falls into it, so that all parts together are everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Which part, from 0.
    pub number: u64,
    /// How many parts there are.
    pub of: u64,
}

impl Slice {
    /// Everything.
    pub const WHOLE: Self = Self { number: 0, of: 1 };
}

/// Number and check sum of a bucket's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, clickhouse::Row)]
struct BucketSum {
    bucket: u64,
    rows: u64,
    checksum: u64,
}

impl Store {
    fn for_audits(&self) -> clickhouse::Client {
        self.behind_answers()
            .with_setting("max_execution_time", AUDIT_TIMEOUT.as_secs().to_string())
            .with_setting("optimize_aggregation_in_order", "1")
            .with_setting("do_not_merge_across_partitions_select_final", "1")
    }

    fn sliced(&self, sql: &str, slice: Slice) -> Query {
        self.for_audits().query_raw(sql).param("slices", slice.of).param("slice", slice.number)
    }

    async fn audit_rows<T>(&self, query: Query) -> Result<Vec<T>, Error>
    where
        T: clickhouse::RowOwned + clickhouse::RowRead,
    {
        within(AUDIT_TIMEOUT, query.fetch_all()).await
    }
}

/// The buckets in which two tables differ.
fn differing(a: &[BucketSum], b: &[BucketSum]) -> Vec<u64> {
    let (a, b): (std::collections::BTreeSet<_>, std::collections::BTreeSet<_>) =
        (a.iter().collect(), b.iter().collect());
    let mut buckets: Vec<u64> = a.symmetric_difference(&b).map(|sum| sum.bucket).collect();
    buckets.sort_unstable();
    buckets.dedup();
    buckets
}

/// A statement with others put into it by name.
fn compose(template: &str, parts: &[(&str, &str)]) -> String {
    parts.iter().fold(template.to_owned(), |sql, (name, part)| sql.replace(&format!("{{{name}}}"), part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_differ_by_rows_or_sum_or_by_being_there() {
        let sum = |bucket, rows, checksum| BucketSum { bucket, rows, checksum };
        let (a, b) = ([sum(0, 1, 5), sum(1, 2, 5), sum(2, 3, 7)], [sum(0, 1, 5), sum(1, 2, 6), sum(3, 3, 7)]);
        assert_eq!(differing(&a, &b), [1, 2, 3]);
        assert!(differing(&a, &a).is_empty());
    }
}
