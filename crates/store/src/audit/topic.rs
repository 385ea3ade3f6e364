//! The evidence of a topic's records, summed up in blocks of positions: to be compared with the topic itself.

use std::collections::{BTreeMap, HashSet};

use clickhouse::query::Query;
use serde::Deserialize;

use crate::{Error, Evidence, Store};

/// Positions of a block.
const BLOCK: i64 = 65_536;

/// Sums over the evidence of events, modulo 2^64: equal sums mean equal evidence but for a chance in 2^64.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EvidenceSum {
    events: u64,
    identity: u64,
    content: u64,
    key: u64,
    version: u64,
}

#[derive(Debug, Deserialize, clickhouse::Row)]
struct BlockRow {
    block: i64,
    events: u64,
    identity: u64,
    content: u64,
    key: u64,
    version: u64,
}

impl EvidenceSum {
    /// The block of a position.
    pub fn block(position: i64) -> i64 {
        position / BLOCK
    }

    /// The positions of a block, for a person.
    pub fn positions(block: i64) -> (i64, i64) {
        (block * BLOCK, (block + 1) * BLOCK)
    }

    /// How many events there are.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Adds an event.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half of the version is what is summed")]
    pub fn add(&mut self, evidence: &Evidence) {
        self.events += 1;
        self.identity = self.identity.wrapping_add(evidence.identity.0);
        self.content = self.content.wrapping_add(evidence.content);
        self.key = self.key.wrapping_add(evidence.key);
        self.version = self.version.wrapping_add(evidence.version.0 as u64);
    }
}

impl Store {
    /// Sums of the evidence of a range of positions, by block.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn evidence_blocks(
        &self,
        topic: &str,
        partition: i32,
        range: (i64, i64),
    ) -> Result<BTreeMap<i64, EvidenceSum>, Error> {
        let query = self.of_range(include_str!("topic.sql"), topic, partition, range).param("block", BLOCK);
        let rows: Vec<BlockRow> = self.audit_rows(query).await?;
        let sum = |row: BlockRow| {
            let BlockRow { block, events, identity, content, key, version } = row;
            (block, EvidenceSum { events, identity, content, key, version })
        };
        Ok(rows.into_iter().map(sum).collect())
    }

    /// Positions that are in quarantine and not stored.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn quarantined_positions(
        &self,
        topic: &str,
        partition: i32,
        range: (i64, i64),
    ) -> Result<HashSet<i64>, Error> {
        let query = self.of_range(include_str!("quarantined.sql"), topic, partition, range);
        Ok(self.audit_rows::<i64>(query).await?.into_iter().collect())
    }

    fn of_range(&self, sql: &str, topic: &str, partition: i32, (from, next): (i64, i64)) -> Query {
        self.for_audits()
            .query_raw(sql)
            .param("topic", topic)
            .param("partition", partition)
            .param("from_position", from)
            .param("next_position", next)
    }
}
