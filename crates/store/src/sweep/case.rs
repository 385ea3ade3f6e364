//! All that is known of identities that share a hash, nearly always one.

use std::collections::HashMap;

use meterhouse_model::{IdentityHash, Version};
use serde::Deserialize;

use crate::{Error, RowKey, Store};

const COPIES: &str = include_str!("copies.sql");
const CREATIONS: &str = include_str!("creations.sql");
const KEYS: &str = include_str!("keys.sql");

/// One copy of an event, as the evidence has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCopy {
    /// Hash of its identity.
    pub identity_hash: IdentityHash,
    /// Topic that it was read from.
    pub topic: String,
    /// Partition that it was read from.
    pub partition: i32,
    /// Offset of its record.
    pub offset: i64,
    /// Place in its record.
    pub index: u16,
    /// Timestamp of its record, in milliseconds since the epoch, 0 where it has none.
    pub record_time: i64,
    /// Hash of all that it states.
    pub content_hash: u64,
    /// Hash of its sort key.
    pub key_hash: u64,
    /// Its version.
    pub version: Version,
}

/// The copies that share an identity's hash, and the keys that have rows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The hash.
    pub hash: IdentityHash,
    /// Of each key the creation and the change that win there.
    pub copies: Vec<EventCopy>,
    /// Keys of one identity, or of several whose texts have this hash.
    pub keys: Vec<RowKey>,
}

/// A copy as the server sends it.
#[derive(Debug, Deserialize, clickhouse::Row)]
pub(crate) struct CopyRow {
    identity_hash: u64,
    topic: String,
    partition: i32,
    offset: i64,
    index: u16,
    record_time: i64,
    content_hash: u64,
    key_hash: u64,
    version: u128,
}

#[derive(Debug, Deserialize, clickhouse::Row)]
struct KeyRow {
    customer: String,
    subscription: String,
    option_code: String,
    identity: String,
    billed: i64,
    day: i32,
    highest: u128,
    tombstone: u128,
}

impl Store {
    /// All that decides about some identities. Copies are read before rows: a copy whose row is not there yet shows as one
    /// without a key.
    ///
    /// # Errors
    /// No complete answer could be had.
    pub async fn cases(&self, hashes: &[u64]) -> Result<Vec<Case>, Error> {
        let copies = self.for_reads().query_raw(COPIES).param("hashes", hashes);
        let copies: Vec<CopyRow> = self.answer(copies.fetch_all()).await?;
        let references: Vec<u64> = hashes.iter().map(|hash| IdentityHash(*hash).usage_reference()).collect();
        let keys = self.for_reads().query_raw(KEYS).param("references", references);
        let keys: Vec<KeyRow> = self.answer(keys.fetch_all()).await?;
        Ok(group(hashes, copies, keys))
    }

    /// A page of the creations of some identities, each creation once: those behind another, at most so many.
    ///
    /// # Errors
    /// No complete answer could be had.
    pub async fn creations(
        &self,
        hashes: &[u64],
        after: Option<&EventCopy>,
        limit: usize,
    ) -> Result<Vec<EventCopy>, Error> {
        let query = self
            .for_reads()
            .query_raw(CREATIONS)
            .param("hashes", hashes)
            .param("hash", after.map_or(0, |copy| copy.identity_hash.0))
            .param("topic", after.map_or("", |copy| &copy.topic))
            .param("partition", after.map_or(0, |copy| copy.partition))
            .param("offset", after.map_or(0, |copy| copy.offset))
            .param("index", after.map_or(0, |copy| copy.index))
            .param("record_time", after.map_or(0, |copy| copy.record_time))
            .param("limit", limit as u64);
        let rows: Vec<CopyRow> = self.answer(query.fetch_all()).await?;
        Ok(rows.into_iter().map(EventCopy::from).collect())
    }
}

fn group(hashes: &[u64], copies: Vec<CopyRow>, keys: Vec<KeyRow>) -> Vec<Case> {
    let case = |hash: &u64| Case { hash: IdentityHash(*hash), copies: Vec::new(), keys: Vec::new() };
    let mut cases: Vec<Case> = hashes.iter().map(case).collect();
    let places: HashMap<IdentityHash, usize> = cases.iter().map(|case| case.hash).zip(0..).collect();
    for copy in copies.into_iter().map(EventCopy::from) {
        if let Some(place) = places.get(&copy.identity_hash) {
            cases[*place].copies.push(copy);
        }
    }
    for key in keys.into_iter().map(RowKey::from) {
        // Rows were found by 53 of the 64 bits.
        if let Some(place) = places.get(&key.identity_hash()) {
            cases[*place].keys.push(key);
        }
    }
    cases
}

impl From<CopyRow> for EventCopy {
    fn from(row: CopyRow) -> Self {
        Self {
            identity_hash: IdentityHash(row.identity_hash),
            topic: row.topic,
            partition: row.partition,
            offset: row.offset,
            index: row.index,
            record_time: row.record_time,
            content_hash: row.content_hash,
            key_hash: row.key_hash,
            version: Version(row.version),
        }
    }
}

impl From<KeyRow> for RowKey {
    fn from(row: KeyRow) -> Self {
        Self {
            customer: row.customer,
            subscription: row.subscription,
            option_code: row.option_code,
            identity: row.identity,
            billed_at: row.billed,
            billing_day: row.day,
            version: Version(row.highest),
            tombstone: Version(row.tombstone),
        }
    }
}
