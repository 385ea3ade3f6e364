//! A batch: records on their way into the tables, and how far they bring each partition.
//!
//! It is passive: whoever fills it owns the loop and the clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use meterhouse_model::{Change, Event, Reason, Record, Rules, parse};
use meterhouse_store::{EncodedBatch, EventBatch, RejectBatch};

use crate::BatchLimits;
use crate::message::Message;
use crate::record::{record, rejected};

/// Records that are judged, but not stored yet.
#[derive(Debug)]
pub(crate) struct Batch {
    events: EventBatch,
    rejects: RejectBatch,
    progress: Progress,
    /// When the first record came.
    opened: Option<Instant>,
}

/// A batch in the form in which it is inserted, as often as it takes.
#[derive(Debug)]
pub(crate) struct SealedBatch {
    /// Quarantine first: a partition never moves on from a reject that is not there.
    pub(crate) inserts: Vec<EncodedBatch>,
    pub(crate) progress: Progress,
    /// What the batch counts towards the bytes in flight, until it is stored.
    pub(crate) bytes: usize,
}

/// What a batch means once it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// Number of the assignment under which the records were read.
    pub(crate) assignment: u64,
    pub(crate) partitions: BTreeMap<i32, PartitionProgress>,
    pub(crate) outcomes: Outcomes,
}

/// How far a batch brings a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartitionProgress {
    /// Where to read on.
    pub(crate) next_offset: i64,
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
    pub(crate) rejected: BTreeMap<Reason, u64>,
}

/// Why a batch closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CloseReason {
    Rows,
    Bytes,
    Age,
    Shutdown,
}

impl CloseReason {
    pub(crate) const ALL: [Self; 4] = [Self::Rows, Self::Bytes, Self::Age, Self::Shutdown];

    /// Stable name, used as a metric label.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Bytes => "bytes",
            Self::Age => "age",
            Self::Shutdown => "shutdown",
        }
    }
}

impl Batch {
    /// An empty batch for records that are read under an assignment.
    pub(crate) fn new(assignment: u64) -> Self {
        Self {
            events: EventBatch::default(),
            rejects: RejectBatch::default(),
            progress: Progress { assignment, partitions: BTreeMap::new(), outcomes: Outcomes::default() },
            opened: None,
        }
    }

    /// Judges a record and adds what becomes of it.
    pub(crate) fn push(&mut self, topic: &str, message: Message<'_>, rules: &Rules, now: Instant) {
        self.opened.get_or_insert(now);
        let record = record(topic, message);
        self.progress.advance(&record);
        match parse(&record, rules) {
            Ok(events) => {
                for event in &events {
                    self.events.push(event, &record);
                    self.progress.outcomes.count(event);
                }
            }
            Err(reject) => {
                self.rejects.push(&reject, &record, rejected(message));
                *self.progress.outcomes.rejected.entry(reject.reason).or_default() += 1;
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.opened.is_none()
    }

    pub(crate) fn rows(&self) -> usize {
        self.events.len() + self.rejects.len()
    }

    /// Bytes of memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.events.bytes() + self.rejects.bytes()
    }

    /// Why the batch is to be closed now, if it is.
    pub(crate) fn close_reason(&self, limits: &BatchLimits, now: Instant) -> Option<CloseReason> {
        if self.rows() >= limits.rows {
            Some(CloseReason::Rows)
        } else if self.bytes() >= limits.bytes {
            Some(CloseReason::Bytes)
        } else {
            (self.time_left(limits, now)? == Duration::ZERO).then_some(CloseReason::Age)
        }
    }

    /// Time until the batch is old enough to be closed. None: it is empty.
    pub(crate) fn time_left(&self, limits: &BatchLimits, now: Instant) -> Option<Duration> {
        Some((self.opened? + limits.age).saturating_duration_since(now))
    }

    /// Sorts and encodes the batch, once. Takes a while.
    pub(crate) fn seal(self) -> SealedBatch {
        let bytes = self.bytes();
        let inserts = [self.rejects.seal(), self.events.seal()].into_iter().flatten().collect();
        SealedBatch { inserts, progress: self.progress, bytes }
    }
}

impl Progress {
    fn advance(&mut self, record: &Record<'_>) {
        self.outcomes.records += 1;
        let begin = PartitionProgress { next_offset: 0, newest_ms: None, oldest_ms: None };
        let partition = self.partitions.entry(record.partition).or_insert(begin);
        partition.next_offset = record.offset + 1;
        if let Some(timestamp) = record.timestamp_ms {
            partition.newest_ms = Some(timestamp);
            partition.oldest_ms = Some(partition.oldest_ms.map_or(timestamp, |oldest| oldest.min(timestamp)));
        }
    }
}

impl Outcomes {
    fn count(&mut self, event: &Event<'_>) {
        let count = match event.change {
            Change::Create => &mut self.stored,
            Change::Amend(_) => &mut self.amended,
            Change::Delete(_) => &mut self.deleted,
        };
        *count += 1;
    }
}
