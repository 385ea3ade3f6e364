//! Who has an identity: the evidence of the copies of an event, and its rows.

use meterhouse_model::IdentityHash;
use serde::Deserialize;

use crate::sweep::CopyRow;
use crate::{Error, EventCopy, Store};

const COPIES: &str = include_str!("copies.sql");
const ROWS: &str = include_str!("rows.sql");

/// So many identities are asked for at a time: the server takes parameters of up to 128 KiB.
const IDENTITIES_AT_A_TIME: usize = 5000;

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

impl Store {
    /// The evidence of events with these identities, the winning copies first; of many equal copies some are left out.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn copies_of(&self, identities: &[IdentityHash]) -> Result<Vec<EventCopy>, Error> {
        let mut copies = Vec::new();
        for part in identities.chunks(IDENTITIES_AT_A_TIME) {
            let hashes: Vec<u64> = part.iter().map(|identity| identity.0).collect();
            let query = self.for_reads().query_raw(COPIES).param("identities", hashes);
            let rows: Vec<CopyRow> = self.answer(query.fetch_all()).await?;
            copies.extend(rows.into_iter().map(EventCopy::from));
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
