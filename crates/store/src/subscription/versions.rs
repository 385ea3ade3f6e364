//! Which copy of a usage counts: of an identity by the evidence, of a reference by the rows.

use std::collections::HashMap;

use meterhouse_model::{IdentityHash, Version};
use serde::Deserialize;

use crate::{
    Error, Store,
    parameters::{NUMBER_BYTES, parts},
};

const WINNERS: &str = include_str!("winners.sql");
const HIGHEST: &str = include_str!("highest.sql");

/// The copy of an event that counts, by the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WinningCopy {
    /// Its version.
    pub version: Version,
    /// Hash of all that it states.
    pub content_hash: u64,
}

#[derive(Debug, Deserialize, clickhouse::Row)]
struct WinnerRow {
    identity_hash: u64,
    highest: u128,
    content: u64,
}

impl Store {
    /// Of each identity the copy with the highest version below another one; nothing of those that have none.
    ///
    /// # Errors
    /// No complete answer could be had.
    pub async fn winners_below(
        &self,
        identities: &[IdentityHash],
        below: Version,
    ) -> Result<HashMap<IdentityHash, WinningCopy>, Error> {
        let mut winners = HashMap::with_capacity(identities.len());
        for part in parts(identities, |_| NUMBER_BYTES) {
            let hashes: Vec<u64> = part.iter().map(|identity| identity.0).collect();
            let query = self.for_reads().query_raw(WINNERS).param("identities", hashes);
            let query = query.param("below", below.0.to_string());
            let rows: Vec<WinnerRow> = self.answer(query.fetch_all()).await?;
            winners.extend(rows.into_iter().map(|row| {
                let copy = WinningCopy { version: Version(row.highest), content_hash: row.content };
                (IdentityHash(row.identity_hash), copy)
            }));
        }
        Ok(winners)
    }

    /// The highest versions of a subscription's usages with some references, by the text of their identity: over all of their
    /// keys, whomever these name, also where the usage is taken away.
    ///
    /// # Errors
    /// No complete answer could be had.
    pub async fn highest_versions(
        &self,
        subscription: &str,
        references: &[u64],
    ) -> Result<HashMap<String, Version>, Error> {
        let mut versions = HashMap::with_capacity(references.len());
        for part in parts(references, |_| NUMBER_BYTES) {
            let query = self.for_reads().query_raw(HIGHEST).param("subscription", subscription);
            let rows: Vec<(String, u128)> = self.answer(query.param("references", part).fetch_all()).await?;
            versions.extend(rows.into_iter().map(|(identity, version)| (identity, Version(version))));
        }
        Ok(versions)
    }
}
