//! What quarantine holds of the creations of some identities.

use clickhouse::query::Query;
use serde::Deserialize;

use crate::{Error, EventCopy, Store};

const QUARANTINED: &str = include_str!("quarantined.sql");
const OUTCOME: &str = include_str!("outcome.sql");

/// Copies that one statement is about: a parameter has 128 KiB at most, and a topic's name 249 bytes.
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
    /// Where the event stands: topic, partition, offset, timestamp of the record, place in it.
    pub fn place(&self) -> Place<'_> {
        (&self.topic, self.partition, self.offset, self.record_time, self.index)
    }
}

impl EventCopy {
    /// Where the copy stands: topic, partition, offset, timestamp of the record, place in it.
    pub fn place(&self) -> Place<'_> {
        (&self.topic, self.partition, self.offset, self.record_time, i32::from(self.index))
    }
}

/// Topic, partition, offset, timestamp of a record, and place in it.
type Place<'p> = (&'p str, i32, i64, i64, i32);

impl Store {
    /// The rows of quarantine for single copies.
    ///
    /// # Errors
    /// No complete answer could be had.
    pub async fn quarantined(&self, copies: &[&EventCopy]) -> Result<Vec<Quarantined>, Error> {
        let mut rows = Vec::new();
        for part in copies.chunks(COPIES_MAX) {
            let query = with_places(self.for_reads().query_raw(QUARANTINED), part);
            rows.extend(self.answer(query.fetch_all::<Quarantined>()).await?);
        }
        Ok(rows)
    }

    /// Notes what has become of copies that are in quarantine.
    ///
    /// # Errors
    /// It may be noted for some of them: doing it again does no harm.
    pub async fn note_outcome(&self, copies: &[&EventCopy], outcome: ConflictOutcome) -> Result<(), Error> {
        for part in copies.chunks(COPIES_MAX) {
            let statement = self.for_inserts().query_raw(OUTCOME).param("outcome", outcome.as_str());
            self.acknowledgement(with_places(statement, part).execute()).await?;
        }
        Ok(())
    }
}

/// A statement about the rows of these copies.
fn with_places(statement: Query, copies: &[&EventCopy]) -> Query {
    statement
        .param("topics", copies.iter().map(|copy| copy.topic.as_str()).collect::<Vec<_>>())
        .param("partitions", copies.iter().map(|copy| copy.partition).collect::<Vec<_>>())
        .param("offsets", copies.iter().map(|copy| copy.offset).collect::<Vec<_>>())
        .param("times", copies.iter().map(|copy| copy.record_time).collect::<Vec<_>>())
        .param("indexes", copies.iter().map(|copy| i32::from(copy.index)).collect::<Vec<_>>())
}
