//! How far a batch brings each partition, and what became of its records.

use std::collections::BTreeMap;

use meterhouse_model::{Change, Event, Reason, Record};
use meterhouse_store::{EncodedBatch, LastRecord, LedgerRow, Source};

use crate::topic_id::TopicId;

/// What a batch means once it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// Number of the assignment under which the records were read.
    pub(crate) assignment: u64,
    /// Of the topic at the time of that assignment.
    pub(crate) topic_id: TopicId,
    pub(crate) partitions: BTreeMap<i32, PartitionProgress>,
    pub(crate) outcomes: Outcomes,
}

/// A record in the line of its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Which beginning of the partition the line goes back to.
    pub(crate) epoch: u32,
    /// Offset behind the record before.
    pub(crate) position: i64,
    /// Up to where everything is in the ledger.
    pub(crate) resumed_at: i64,
    /// By what the record is known again.
    pub(crate) record: LastRecord,
}

/// How far a batch brings a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartitionProgress {
    pub(crate) epoch: u32,
    /// Where the batch goes on from: there are no other records between there and its first.
    pub(crate) from_position: i64,
    /// Where to read on.
    pub(crate) next_position: i64,
    /// Up to where everything was in the ledger before.
    pub(crate) resumed_at: i64,
    /// Records whose events go into the table.
    pub(crate) stored: u64,
    /// Records that go into quarantine.
    pub(crate) rejected: u64,
    /// Events that amend.
    pub(crate) amended: u64,
    /// Events that delete.
    pub(crate) deleted: u64,
    pub(crate) last_record: LastRecord,
    /// Timestamp of the last record, in milliseconds since the epoch.
    pub(crate) newest_ms: Option<i64>,
    /// Timestamp of the oldest record.
    pub(crate) oldest_ms: Option<i64>,
}

/// What became of a batch's records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcomes {
    pub(crate) records: u64,
    pub(crate) stored: u64,
    pub(crate) amended: u64,
    pub(crate) deleted: u64,
    /// Of the events above, those that are known to be copies of others.
    pub(crate) duplicates: u64,
    pub(crate) rejected: BTreeMap<Reason, u64>,
}

impl Progress {
    /// Nothing is read yet under an assignment.
    pub(crate) fn new(assignment: u64, topic_id: TopicId) -> Self {
        Self { assignment, topic_id, partitions: BTreeMap::new(), outcomes: Outcomes::default() }
    }

    /// Counts a record whose events are stored.
    pub(crate) fn count_stored(&mut self, record: &Record<'_>, reading: &Reading, events: &[Event<'_>]) {
        let (partition, outcomes) = self.advance(record, reading);
        partition.stored += 1;
        for event in events {
            match event.change {
                Change::Create => outcomes.stored += 1,
                Change::Amend(_) => {
                    outcomes.amended += 1;
                    partition.amended += 1;
                }
                Change::Delete(_) => {
                    outcomes.deleted += 1;
                    partition.deleted += 1;
                }
            }
        }
    }

    /// Counts a record that goes into quarantine.
    pub(crate) fn count_rejected(&mut self, record: &Record<'_>, reading: &Reading, reason: Reason) {
        let (partition, outcomes) = self.advance(record, reading);
        partition.rejected += 1;
        *outcomes.rejected.entry(reason).or_default() += 1;
    }

    /// Takes note that a record whose events were to be stored is in quarantine instead.
    pub(crate) fn refuse(&mut self, record: &Source) {
        self.outcomes.stored -= record.created;
        self.outcomes.amended -= record.amended;
        self.outcomes.deleted -= record.deleted;
        *self.outcomes.rejected.entry(Reason::RefusedByStore).or_default() += 1;
        if let Some(partition) = self.partitions.get_mut(&record.partition) {
            partition.stored -= 1;
            partition.rejected += 1;
            partition.amended -= record.amended;
            partition.deleted -= record.deleted;
        }
    }

    fn advance(&mut self, record: &Record<'_>, reading: &Reading) -> (&mut PartitionProgress, &mut Outcomes) {
        self.outcomes.records += 1;
        let partition = self.partitions.entry(record.partition);
        let partition = partition.or_insert_with(|| PartitionProgress::begin(reading));
        partition.next_position = record.offset + 1;
        partition.last_record = reading.record;
        if let Some(timestamp) = record.timestamp_ms {
            partition.newest_ms = Some(timestamp);
            partition.oldest_ms = Some(partition.oldest_ms.map_or(timestamp, |oldest| oldest.min(timestamp)));
        }
        (partition, &mut self.outcomes)
    }

    /// Whether a range lacks records.
    pub(crate) fn has_holes(&self) -> bool {
        self.partitions.values().any(|partition| partition.holes() > 0)
    }

    /// The rows that account for the batch; `None` where it brings no partition on.
    pub(crate) fn ledger(&self, topic: &str) -> Option<EncodedBatch> {
        let rows: Vec<LedgerRow> = self
            .partitions
            .iter()
            .map(|(number, partition)| partition.ledger_row(*number, self.topic_id))
            .collect();
        LedgerRow::encode(topic, &rows)
    }
}

impl PartitionProgress {
    fn begin(reading: &Reading) -> Self {
        Self {
            epoch: reading.epoch,
            from_position: reading.position,
            next_position: reading.position,
            resumed_at: reading.resumed_at,
            stored: 0,
            rejected: 0,
            amended: 0,
            deleted: 0,
            last_record: reading.record,
            newest_ms: None,
            oldest_ms: None,
        }
    }

    /// Offsets of the range without a record: markers of transactions, records of aborted ones.
    pub(crate) fn holes(&self) -> u64 {
        let offsets = self.next_position - self.from_position;
        u64::try_from(offsets).unwrap_or_default().saturating_sub(self.stored + self.rejected)
    }

    fn ledger_row(&self, partition: i32, topic_id: TopicId) -> LedgerRow {
        LedgerRow {
            partition,
            epoch: self.epoch,
            from_position: self.from_position,
            next_position: self.next_position,
            resumed_at: self.resumed_at,
            stored: self.stored,
            rejected: self.rejected,
            holes: self.holes(),
            amended: self.amended,
            deleted: self.deleted,
            last_record: Some(self.last_record),
            topic_id: topic_id.0,
            note: String::new(),
        }
    }
}
