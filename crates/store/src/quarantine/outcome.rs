//! What a replay made of rejects.

use bytes::Bytes;
use meterhouse_model::Reject;

use super::{ListedReject, StoredReject};
use crate::dictionary::Dictionary;
use crate::insert::{EncodedBatch, Table};
use crate::native::BlockWriter;
use crate::rejects::{HEADERS_TYPE, SCOPE_TYPE};
use crate::{Error, Store};

const INSERT: &str = include_str!("outcome.sql");
const COLUMN_COUNT: usize = 18;
const TIME: &str = "DateTime64(3, 'UTC')";

/// What became of a reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplayOutcome {
    /// Its events are stored.
    Stored,
    /// Its events are stored, beside equal copies of them.
    Duplicate,
    /// Another content has the identity of one of its events.
    Conflict,
    /// It is still not usable.
    Rejected,
    /// Only a part of it is kept, and Kafka does not have it any more.
    Unavailable,
}

/// A reject and what a replay made of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The reject as it was.
    pub reject: StoredReject,
    /// What became of it.
    pub outcome: ReplayOutcome,
    /// Why it is still not usable, if it is not.
    pub now: Option<Reject>,
}

impl ReplayOutcome {
    /// Stable name, as it stands in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Rejected => "rejected",
            Self::Unavailable => "unavailable",
        }
    }

    /// Whether the record is stored.
    pub fn is_stored(self) -> bool {
        matches!(self, Self::Stored | Self::Duplicate)
    }
}

impl Outcome {
    fn listed(&self) -> &ListedReject {
        &self.reject.listed
    }

    fn reason(&self) -> &str {
        self.now.as_ref().map_or(&self.listed().reason, |now| now.reason.as_str())
    }

    fn detail(&self) -> &str {
        self.now.as_ref().map_or(&self.listed().detail, |now| &now.detail)
    }
}

impl Store {
    /// Takes note of what a replay made of rejects. The time is the server's, and later than that of the replay before.
    ///
    /// # Errors
    /// [`Error::class`] says whether another attempt can help.
    pub async fn note_outcomes(&self, outcomes: &[Outcome]) -> Result<(), Error> {
        if outcomes.is_empty() {
            return Ok(());
        }
        // What follows the format's name is data, be it a line's end.
        self.insert_by(&encode(outcomes), INSERT.trim_end(), &[]).await
    }
}

fn encode(outcomes: &[Outcome]) -> EncodedBatch {
    let bytes: usize = outcomes.iter().map(|outcome| outcome.reject.raw.len()).sum();
    let mut block = BlockWriter::new(COLUMN_COUNT, outcomes.len(), bytes);
    write_place(&mut block, outcomes);
    low_cardinality(&mut block, "reason", outcomes.iter().map(Outcome::reason));
    low_cardinality(&mut block, "first_reason", outcomes.iter().map(|o| o.listed().first_reason.as_str()));
    block.strings("detail", outcomes.iter().map(|outcome| outcome.detail().as_bytes()));
    let rejects = || outcomes.iter().map(|outcome| &outcome.reject);
    block.strings("record_key", rejects().map(|reject| reject.record.key.as_deref().unwrap_or_default()));
    block.pairs("headers", HEADERS_TYPE, rejects().map(|reject| reject.record.headers.as_slice()));
    block.strings("raw", rejects().map(|reject| reject.raw.as_slice()));
    block.fixed("raw_length", "UInt64", rejects().map(|reject| reject.listed.raw_length.to_le_bytes()));
    block.fixed("raw_sha256", "FixedString(32)", rejects().map(|reject| reject.raw_sha256));
    block.fixed("rejected_at", TIME, rejects().map(|reject| reject.listed.rejected_at.to_le_bytes()));
    block.fixed("replayed_before", TIME, rejects().map(|reject| reject.listed.replayed_at.to_le_bytes()));
    low_cardinality(&mut block, "replay_outcome", outcomes.iter().map(|outcome| outcome.outcome.as_str()));
    let bytes = Bytes::from(block.finish());
    EncodedBatch { table: Table::Rejects, rows: outcomes.len(), bytes, columns: "" }
}

fn write_place(block: &mut BlockWriter, outcomes: &[Outcome]) {
    let keys = || outcomes.iter().map(|outcome| &outcome.listed().key);
    low_cardinality(block, "topic", keys().map(|key| key.topic.as_str()));
    block.fixed("partition", "Int32", keys().map(|key| key.partition.to_le_bytes()));
    block.fixed("offset", "Int64", keys().map(|key| key.offset.to_le_bytes()));
    block.fixed("record_time", TIME, keys().map(|key| key.record_time.to_le_bytes()));
    block.fixed("index", "Int32", keys().map(|key| key.index.to_le_bytes()));
    block.fixed("scope", SCOPE_TYPE, keys().map(|key| [key.scope.code()]));
    let has_timestamp = outcomes.iter().map(|outcome| [u8::from(outcome.listed().has_timestamp)]);
    block.fixed("has_timestamp", "Bool", has_timestamp);
}

fn low_cardinality<'a>(block: &mut BlockWriter, name: &str, values: impl Iterator<Item = &'a str>) {
    let mut dictionary = Dictionary::default();
    let symbols: Vec<u32> = values.map(|value| dictionary.intern(value.as_bytes())).collect();
    block.low_cardinality(name, &dictionary, symbols.into_iter());
}
