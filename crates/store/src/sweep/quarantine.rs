//! What quarantine holds of the creations of some identities.

use serde::Deserialize;

use crate::{Error, EventCopy, Store};

const QUARANTINED: &str = include_str!("quarantined.sql");
const OUTCOME: &str = include_str!("outcome.sql");

/// Copies of which one statement notes the outcome: a parameter has 128 KiB at most.
const COPIES_MAX: usize = 200;

/// What has become of a creation that is in quarantine because of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictOutcome {
    /// It states the same as the creation that wins now.
    Duplicate,
    /// It states something else than the creation that wins now.
    Conflict,
}

/// The row of quarantine for one event, whose record is stored but for this.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, clickhouse::Row)]
pub struct Quarantined {
    /// Topic of the record.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Timestamp of the record, in milliseconds since the epoch.
    pub record_time: i64,
    /// Place of the event in the record.
    pub index: i32,
    /// What has become of it, empty where nothing has.
    pub replay_outcome: String,
}

impl ConflictOutcome {
    /// The text in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
        }
    }
}

impl Quarantined {
    /// Whether it is the row of a copy.
    pub fn is_of(&self, copy: &EventCopy) -> bool {
        self.topic == copy.topic
            && (self.partition, self.offset, self.record_time)
                == (copy.partition, copy.offset, copy.record_time)
            && self.index == i32::from(copy.index)
    }
}

impl Store {
    /// The rows of quarantine for single copies of some identities, by the identities' hashes.
    ///
    /// # Errors
    /// No complete answer could be had.
    pub async fn quarantined(&self, hashes: &[u64]) -> Result<Vec<Quarantined>, Error> {
        let query = self.for_reads().query_raw(QUARANTINED).param("hashes", hashes);
        self.answer(query.fetch_all()).await
    }

    /// Notes what has become of copies that are in quarantine.
    ///
    /// # Errors
    /// It may be noted for some of them: doing it again does no harm.
    pub async fn note_outcome(&self, copies: &[&EventCopy], outcome: ConflictOutcome) -> Result<(), Error> {
        for part in copies.chunks(COPIES_MAX) {
            let statement = self
                .for_inserts()
                .query_raw(OUTCOME)
                .param("outcome", outcome.as_str())
                .param("topics", part.iter().map(|copy| copy.topic.as_str()).collect::<Vec<_>>())
                .param("partitions", part.iter().map(|copy| copy.partition).collect::<Vec<_>>())
                .param("offsets", part.iter().map(|copy| copy.offset).collect::<Vec<_>>())
                .param("times", part.iter().map(|copy| copy.record_time).collect::<Vec<_>>())
                .param("indexes", part.iter().map(|copy| i32::from(copy.index)).collect::<Vec<_>>());
            self.acknowledgement(statement.execute()).await?;
        }
        Ok(())
    }
}
