//! Who has an identity: the evidence of the copies of an event, and its rows.

use meterhouse_model::{Event, IdentityHash};
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use crate::hash::content_hash;
use crate::{Error, Store};

const COPIES: &str = include_str!("copies.sql");
const ROWS: &str = include_str!("rows.sql");

/// So many identities are asked for at a time: the server takes parameters of up to 128 KiB.
const IDENTITIES_AT_A_TIME: usize = 5000;
/// Versions from here on are those of changes.
const CHANGES: u128 = 1 << 126;

/// The hashes by which the evidence of an event is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventHashes {
    /// Of its subscription and identity.
    pub identity: IdentityHash,
    /// Of all that it states.
    pub content: u64,
}

/// The evidence of a copy of an event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, clickhouse::Row)]
pub struct KnownCopy {
    /// Hash of subscription and identity.
    pub identity_hash: u64,
    /// Topic of its record.
    pub topic_name: String,
    /// Partition of its record.
    pub partition: i32,
    /// Offset of its record.
    pub offset: i64,
    /// Its place in the record.
    pub index: u16,
    /// Timestamp of its record, in milliseconds since the epoch, 0 where it has none.
    pub record_time_ms: i64,
    /// Hash of all that it states.
    pub content_hash: u64,
    /// Of the copies of an event the highest counts.
    pub version: u128,
}

/// A row of a usage event, as far as it tells whose evidence a hash is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, clickhouse::Row)]
pub struct EventRow {
    /// Its subscription.
    pub subscription: String,
    /// Text of its identity.
    pub identity: String,
    /// Topic of its record.
    pub topic_name: String,
    /// Partition of its record.
    pub partition: i32,
    /// Offset of its record.
    pub offset: i64,
    /// Its place in the record.
    pub index: u16,
    /// Timestamp of its record, in milliseconds since the epoch, 0 where it has none.
    pub record_time_ms: i64,
}

impl EventHashes {
    /// The hashes of an event.
    pub fn of(event: &Event<'_>) -> Self {
        let mut identity = Vec::new();
        event.identity.write_to(&mut identity);
        let (customer, option_code) =
            (xxh3_64(event.customer.as_bytes()), xxh3_64(event.option_code.as_bytes()));
        Self {
            identity: IdentityHash::of(&event.subscription, &identity),
            content: content_hash(event, customer, option_code),
        }
    }
}

impl KnownCopy {
    /// Whether it states a usage for the first time, and changes none.
    pub fn is_creation(&self) -> bool {
        self.version < CHANGES
    }
}

impl Store {
    /// The evidence of events with these identities, the winning copies first; of many equal copies some are left out.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn copies_of(&self, identities: &[IdentityHash]) -> Result<Vec<KnownCopy>, Error> {
        let mut copies = Vec::new();
        for part in identities.chunks(IDENTITIES_AT_A_TIME) {
            let hashes: Vec<u64> = part.iter().map(|identity| identity.0).collect();
            let query = self.for_reads().query_raw(COPIES).param("identities", hashes);
            copies.extend(self.answer(query.fetch_all::<KnownCopy>()).await?);
        }
        Ok(copies)
    }

    /// The rows of events whose identities may be these: also of others that share a hash.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn rows_of(&self, identities: &[IdentityHash]) -> Result<Vec<EventRow>, Error> {
        let mut rows = Vec::new();
        for part in identities.chunks(IDENTITIES_AT_A_TIME) {
            let references: Vec<u64> = part.iter().map(|identity| identity.usage_reference()).collect();
            let query = self.for_reads().query_raw(ROWS).param("references", references);
            rows.extend(self.answer(query.fetch_all::<EventRow>()).await?);
        }
        Ok(rows)
    }
}
