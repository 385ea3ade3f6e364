//! Rows that count, against their evidence.

use clickhouse::query::Query;
use serde::{Deserialize, Serialize};

use super::{BUCKETS, BucketSum, DIFFERENCES_MAX, Slice, compose, differing};
use crate::{Error, Store};

const EVIDENCE: &str = include_str!("evidence.sql");
const EVENTS: &str = include_str!("events.sql");
const UNDER_WAY: &str = include_str!("under_way.sql");

/// Up to where the ledger accounts for the partitions of a topic, in whatever epoch. What is beyond is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEnds {
    /// The topic.
    pub topic: String,
    /// Partitions and their ends.
    pub ends: Vec<(i32, i64)>,
}

/// An identity whose row is not the one that its evidence says, or that has none or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, clickhouse::Row)]
pub struct EventDifference {
    /// Hash of the identity, in hex.
    pub identity_hash: String,
    /// Whether some copy of it was ever read.
    pub has_evidence: bool,
    /// Whether a row of it counts.
    pub has_event: bool,
    /// Where the copy that should count was read.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Where the row that counts was read.
    pub event_partition: i32,
    /// Its offset.
    pub event_offset: i64,
    /// Subscription of that row.
    pub subscription: String,
    /// Identity of that row.
    pub identity: String,
}

/// A creation with other content than the one that counts, without a word about it in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, clickhouse::Row)]
pub struct UnquarantinedConflict {
    /// Topic of its record.
    pub topic: String,
    /// Partition of its record.
    pub partition: i32,
    /// Offset of its record.
    pub offset: i64,
    /// Place in the record.
    pub index: u16,
}

/// A reject that a replay is said to have stored, without evidence of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, clickhouse::Row)]
pub struct MissingReplay {
    /// Topic of its record.
    pub topic: String,
    /// Partition of its record.
    pub partition: i32,
    /// Offset of its record.
    pub offset: i64,
    /// Place in the record, -1 for the whole record.
    pub index: i32,
}

/// How many creations there are, and of what kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clickhouse::Row)]
pub struct Copies {
    /// All creations that were ever read.
    pub creations: u64,
    /// Distinct identities.
    pub identities: u64,
    /// Further copies with the same content.
    pub duplicates: u64,
    /// Copies with other content.
    pub conflicts: u64,
}

impl Store {
    /// Identities whose row is not as the evidence says, up to 1000.
    ///
    /// What is being written meanwhile may look like a difference: look again for what stays.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn event_differences(
        &self,
        ends: &LedgerEnds,
        slice: Slice,
    ) -> Result<Vec<EventDifference>, Error> {
        let (evidence, events) =
            tokio::try_join!(self.event_sums(EVIDENCE, ends, slice), self.event_sums(EVENTS, ends, slice))?;
        let buckets = differing(&evidence, &events);
        if buckets.is_empty() {
            return Ok(Vec::new());
        }
        let sql = compose(include_str!("difference.sql"), &[("evidence", EVIDENCE), ("events", EVENTS)]);
        let query = self.up_to(&sql, ends, slice).param("differing", buckets).param("limit", DIFFERENCES_MAX);
        self.audit_rows(query).await
    }

    async fn event_sums(&self, rows: &str, ends: &LedgerEnds, slice: Slice) -> Result<Vec<BucketSum>, Error> {
        let sql = format!(
            "SELECT identity_hash % {{buckets:UInt64}} AS bucket, count() AS rows, \
             sum(cityHash64(identity_hash, row_version, row)) AS checksum FROM ({rows}) GROUP BY bucket"
        );
        self.audit_rows(self.up_to(&sql, ends, slice)).await
    }

    fn up_to(&self, sql: &str, LedgerEnds { topic, ends }: &LedgerEnds, slice: Slice) -> Query {
        let (partitions, ends): (Vec<i32>, Vec<i64>) = ends.iter().copied().unzip();
        self.sliced(&compose(sql, &[("under_way", UNDER_WAY)]), slice)
            .param("topic", topic)
            .param("partitions", partitions)
            .param("ends", ends)
            .param("buckets", BUCKETS)
    }

    /// Conflicting creations that are not in quarantine, up to 1000.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn unquarantined_conflicts(&self, slice: Slice) -> Result<Vec<UnquarantinedConflict>, Error> {
        let query = self.sliced(include_str!("conflicts.sql"), slice);
        self.audit_rows(query.param("limit", DIFFERENCES_MAX)).await
    }

    /// Rejects that are stored by the word of a replay alone, up to 1000.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn missing_replays(&self, slice: Slice) -> Result<Vec<MissingReplay>, Error> {
        let query = self.sliced(include_str!("replayed.sql"), slice);
        self.audit_rows(query.param("limit", DIFFERENCES_MAX)).await
    }

    /// How many creations there are.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn copies(&self) -> Result<Copies, Error> {
        let copies = self.audit_rows(self.for_audits().query_raw(include_str!("copies.sql"))).await?;
        Ok(copies.into_iter().next().unwrap_or_default())
    }
}
