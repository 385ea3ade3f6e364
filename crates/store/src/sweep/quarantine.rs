//! What quarantine holds of the creations of some identities.

use std::collections::BTreeMap;

use clickhouse::query::Query;
use meterhouse_model::{IdentityHash, Version};
use serde::Deserialize;

use crate::{EncodedBatch, Error, EventCopy, Store};

const QUARANTINED: &str = include_str!("quarantined.sql");
// What is written depends on the winners as they are at that moment: whoever judges may have been held up since.
const CURRENT: &str = include_str!("current.sql");
const OUTCOME: &str = concat!(include_str!("outcome.sql"), "(", include_str!("current.sql"), ")");
// What follows the format's name is data, be it a line's end.
const QUARANTINE: &str =
    concat!(include_str!("quarantine.sql"), "(", include_str!("current.sql"), ") FORMAT Native");

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

    /// Puts copies into quarantine, if these are still the winners. False: not all are, and nothing may have been done.
    ///
    /// # Errors
    /// Some may be there: doing it again does no harm.
    pub async fn quarantine(&self, rejects: &EncodedBatch, winners: &Winners) -> Result<bool, Error> {
        self.insert_by(rejects, QUARANTINE, &winners.parameters()).await?;
        self.are_current(winners).await
    }

    /// Notes what has become of copies that are in quarantine, if these are still the winners. False: not all are, and
    /// nothing may have been done.
    ///
    /// # Errors
    /// It may be noted for some of them: doing it again does no harm.
    pub async fn note_conflict_outcome(
        &self,
        copies: &[&EventCopy],
        outcome: ConflictOutcome,
        winners: &Winners,
    ) -> Result<bool, Error> {
        if copies.is_empty() {
            return Ok(true);
        }
        for part in copies.chunks(COPIES_MAX) {
            let statement = self.for_inserts().query_raw(OUTCOME).param("outcome", outcome.as_str());
            let statement = winners.ask(with_places(statement, part));
            self.acknowledgement(statement.execute()).await?;
        }
        self.are_current(winners).await
    }

    /// Creations never vanish, so what is current now was so before.
    async fn are_current(&self, winners: &Winners) -> Result<bool, Error> {
        self.answer(winners.ask(self.for_reads().query_raw(CURRENT)).fetch_one()).await
    }
}

/// The versions of the creations that win, by the identity's hash: what a verdict rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Winners(pub BTreeMap<IdentityHash, Version>);

impl Winners {
    fn ask(&self, statement: Query) -> Query {
        let parameters = self.parameters();
        parameters.iter().fold(statement, |statement, (name, value)| {
            statement.with_setting(format!("param_{name}"), value.clone())
        })
    }

    fn parameters(&self) -> [(&'static str, String); 2] {
        let list = |numbers: Vec<String>| format!("[{}]", numbers.join(","));
        [
            ("hashes", list(self.0.keys().map(|hash| hash.0.to_string()).collect())),
            ("winners", list(self.0.values().map(|version| version.0.to_string()).collect())),
        ]
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
