//! The evidence of a topic's records, summed up in blocks of positions: to be compared with the topic itself.

use std::collections::{BTreeMap, HashSet};

use clickhouse::query::Query;
use meterhouse_model::Record;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use super::AUDIT_TIMEOUT;
use crate::connect::within;
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

/// Events of a topic, each known by a hash of its evidence and of where it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvidenceSet(HashSet<u64>);

#[derive(Debug, Deserialize, clickhouse::Row)]
struct BlockRow {
    block: i64,
    events: u64,
    identity: u64,
    content: u64,
    key: u64,
    version: u64,
}

/// The evidence of an event. Of the version it has the lower half.
#[derive(Debug, Clone, Copy, Deserialize, clickhouse::Row)]
struct EvidenceRow {
    offset: i64,
    index: u16,
    record_ms: i64,
    identity_hash: u64,
    content_hash: u64,
    key_hash: u64,
    version: u64,
}

impl EvidenceRow {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half of the version is what is compared")]
    fn new(evidence: &Evidence, record: &Record<'_>, index: u16) -> Self {
        Self {
            offset: record.offset,
            index,
            record_ms: record.timestamp_ms.unwrap_or_default(),
            identity_hash: evidence.identity.0,
            content_hash: evidence.content,
            key_hash: evidence.key,
            version: evidence.version.0 as u64,
        }
    }

    fn hash(&self) -> u64 {
        let mut bytes = [0; 56];
        let places = [
            self.offset.cast_unsigned(),
            u64::from(self.index),
            self.record_ms.cast_unsigned(),
            self.identity_hash,
            self.content_hash,
            self.key_hash,
            self.version,
        ];
        for (place, number) in bytes.chunks_exact_mut(8).zip(places) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        xxh3_64(&bytes)
    }
}

impl EvidenceSet {
    /// Adds an event, by its place in its record.
    pub fn add(&mut self, evidence: &Evidence, record: &Record<'_>, index: u16) {
        self.0.insert(EvidenceRow::new(evidence, record, index).hash());
    }
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

    /// Adds an event, by its place in its record.
    pub fn add(&mut self, evidence: &Evidence, record: &Record<'_>, index: u16) {
        self.add_row(&EvidenceRow::new(evidence, record, index));
    }

    fn add_row(&mut self, row: &EvidenceRow) {
        self.events += 1;
        self.identity = self.identity.wrapping_add(row.identity_hash);
        self.content = self.content.wrapping_add(row.content_hash);
        self.key = self.key.wrapping_add(row.key_hash);
        self.version = self.version.wrapping_add(row.version);
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

    /// The same of no other evidence than that of these events.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn evidence_blocks_of(
        &self,
        topic: &str,
        partition: i32,
        range: (i64, i64),
        EvidenceSet(events): &EvidenceSet,
    ) -> Result<BTreeMap<i64, EvidenceSum>, Error> {
        let query = self.of_range(include_str!("evidence_rows.sql"), topic, partition, range);
        let mut blocks: BTreeMap<i64, EvidenceSum> = BTreeMap::new();
        let reading = async {
            let mut rows = query.fetch::<EvidenceRow>()?;
            while let Some(row) = rows.next().await? {
                if events.contains(&row.hash()) {
                    blocks.entry(EvidenceSum::block(row.offset)).or_default().add_row(&row);
                }
            }
            Ok(())
        };
        within(AUDIT_TIMEOUT, reading).await?;
        Ok(blocks)
    }

    /// Records that are in quarantine and not stored, by offset and time in milliseconds since the epoch.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn quarantined_records(
        &self,
        topic: &str,
        partition: i32,
        range: (i64, i64),
    ) -> Result<HashSet<(i64, i64)>, Error> {
        let query = self.of_range(include_str!("quarantined.sql"), topic, partition, range);
        Ok(self.audit_rows::<(i64, i64)>(query).await?.into_iter().collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_at_the_same_place_of_another_log_is_another_event() {
        let row = EvidenceRow {
            offset: 1,
            index: 2,
            record_ms: 3,
            identity_hash: 4,
            content_hash: 5,
            key_hash: 6,
            version: 7,
        };
        let others = [
            EvidenceRow { record_ms: 4, ..row },
            EvidenceRow { index: 3, ..row },
            EvidenceRow { content_hash: 9, ..row },
        ];
        assert!(others.iter().all(|other| other.hash() != row.hash()));
    }
}
