//! The record of each replay.

use serde::Deserialize;

use super::ReplayOutcome;
use crate::{Error, Store};

const INSERT: &str = include_str!("replay.sql");

/// A replay that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, clickhouse::Row)]
pub struct Replay {
    /// Its id.
    pub id: String,
    /// When it began by the server's clock, in milliseconds since the epoch.
    pub started_at: i64,
}

/// Rejects by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayCounts {
    /// Stored.
    pub stored: u64,
    /// Stored beside equal copies.
    pub duplicates: u64,
    /// In conflict with other content.
    pub conflicts: u64,
    /// Still not usable.
    pub rejected: u64,
    /// Not to be had any more.
    pub unavailable: u64,
}

impl ReplayCounts {
    /// Counts one.
    pub fn count(&mut self, outcome: ReplayOutcome) {
        let count = match outcome {
            ReplayOutcome::Stored => &mut self.stored,
            ReplayOutcome::Duplicate => &mut self.duplicates,
            ReplayOutcome::Conflict => &mut self.conflicts,
            ReplayOutcome::Rejected => &mut self.rejected,
            ReplayOutcome::Unavailable => &mut self.unavailable,
        };
        *count += 1;
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.stored + self.duplicates + self.conflicts + self.rejected + self.unavailable
    }
}

impl Store {
    /// An id and the time for a replay. Nothing is written.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn new_replay(&self) -> Result<Replay, Error> {
        let sql = "SELECT toString(generateUUIDv4()) AS id, toUnixTimestamp64Milli(now64(3)) AS started_at";
        self.answer(self.for_reads().query_raw(sql).fetch_one()).await
    }

    /// Takes note that a replay has begun, or ended with these counts.
    ///
    /// # Errors
    /// [`Error::class`] says whether another attempt can help.
    pub async fn note_replay(
        &self,
        replay: &Replay,
        filter: &str,
        principal: &str,
        ended: Option<ReplayCounts>,
    ) -> Result<(), Error> {
        let counts = ended.unwrap_or_default();
        let insert = self
            .for_inserts()
            .query_raw(INSERT)
            .param("replay", &replay.id)
            .param("started_at", replay.started_at)
            .param("has_ended", ended.is_some())
            .param("filter", filter)
            .param("principal", principal)
            .param("stored", counts.stored)
            .param("duplicates", counts.duplicates)
            .param("conflicts", counts.conflicts)
            .param("rejected", counts.rejected)
            .param("unavailable", counts.unavailable)
            .param("software", env!("CARGO_PKG_VERSION"));
        self.acknowledgement(insert.execute()).await
    }
}
