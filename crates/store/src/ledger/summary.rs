//! What the ledger says of a topic, for a person.

use serde::Deserialize;

use super::NO_RECORD;
use super::ranges::Touching;
use super::resume::Extent;
use crate::{Error, Store};

const TOTALS: &str = include_str!("totals.sql");

/// The newest epoch of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSummary {
    /// The partition.
    pub partition: i32,
    /// Counts its beginnings.
    pub epoch: u32,
    /// Its first offset.
    pub beginning: i64,
    /// Who named this beginning, and why.
    pub note: String,
    /// Offset that it is read on from.
    pub end: i64,
    /// Offsets behind it that are not accounted for, though later ones are: from, and up to but without. The first ones.
    pub gaps: Vec<(i64, i64)>,
    /// Records whose events are stored. Like all numbers here, ranges that overlap count as often as they were read.
    pub stored: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Offsets without a record.
    pub holes: u64,
    /// Events that amend.
    pub amended: u64,
    /// Events that delete.
    pub deleted: u64,
    /// Timestamp of the last record, in milliseconds since the epoch.
    pub last_record_ms: Option<i64>,
    /// When the last range was written, in milliseconds since the epoch.
    pub written_at_ms: i64,
}

#[derive(Debug, Deserialize, clickhouse::Row)]
struct Totals {
    partition: i32,
    epoch: u32,
    beginning: i64,
    note: String,
    stored: u64,
    rejected: u64,
    holes: u64,
    amended: u64,
    deleted: u64,
    last_record_ms: i64,
    last_record_offset: i64,
    written_at_ms: i64,
}

impl Store {
    /// The newest epoch of each partition of a topic that is in the ledger.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn ledger_summaries(&self, topic: &str) -> Result<Vec<LedgerSummary>, Error> {
        let query = self.for_reads().query_raw(TOTALS).param("topic", topic);
        let totals: Vec<Totals> = self.answer(query.fetch_all()).await?;
        let mut summaries = Vec::with_capacity(totals.len());
        for row in totals {
            let touching = self.touching(topic, row.partition, Extent::Everything).await?;
            // Between the two answers somebody may have accepted a new beginning.
            let Some((_, touching)) = touching.filter(|(epoch, _)| *epoch == row.epoch) else {
                return Err(Error::Unexpected(
                    "the ledger changed while it was read, read it again".to_owned(),
                ));
            };
            summaries.push(summary(row, touching));
        }
        Ok(summaries)
    }
}

fn summary(row: Totals, touching: Touching) -> LedgerSummary {
    LedgerSummary {
        partition: row.partition,
        epoch: row.epoch,
        beginning: row.beginning,
        note: row.note,
        end: touching.end,
        gaps: touching.gaps,
        stored: row.stored,
        rejected: row.rejected,
        holes: row.holes,
        amended: row.amended,
        deleted: row.deleted,
        last_record_ms: (row.last_record_offset != NO_RECORD).then_some(row.last_record_ms),
        written_at_ms: row.written_at_ms,
    }
}
