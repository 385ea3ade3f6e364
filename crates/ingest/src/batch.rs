//! A batch: records on their way into the tables, and how far they bring each partition.
//!
//! It is passive: whoever fills it owns the loop and the clock.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use meterhouse_model::{Change, Event, Reason, Record, Rules, parse};
use meterhouse_store::{EncodedBatch, EventBatch, RejectBatch, RejectedRecord, SealedEvents, Source};

use crate::BatchLimits;

/// Records that are judged, but not stored yet.
#[derive(Debug)]
pub(crate) struct Batch {
    events: EventBatch,
    rejects: RejectBatch,
    pub(crate) progress: Progress,
    /// When the first record came.
    opened: Option<Instant>,
}

/// A batch in the form in which it is inserted, as often as it takes.
#[derive(Debug)]
pub(crate) struct SealedBatch {
    pub(crate) rejects: Option<EncodedBatch>,
    /// The rejects once more, for the mirror.
    pub(crate) rejected: RejectBatch,
    pub(crate) events: Option<SealedEvents>,
    pub(crate) progress: Progress,
    /// What the batch counts towards the bytes in flight.
    pub(crate) bytes_until_stored: usize,
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

    /// Judges a record and adds what becomes of it. `kept` is the rest of a record that goes into quarantine.
    pub(crate) fn push(
        &mut self,
        record: &Record<'_>,
        kept: impl FnOnce() -> RejectedRecord,
        rules: &Rules,
        now: Instant,
    ) {
        self.opened.get_or_insert(now);
        self.progress.advance(record);
        match parse(record, rules) {
            Ok(events) => {
                for event in &events {
                    self.events.push(event, record);
                    self.progress.outcomes.count(event);
                }
            }
            Err(reject) => {
                self.rejects.push(&reject, record, kept());
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

    /// Bytes of memory from its close until it is stored: for a while it is there in columns and encoded.
    pub(crate) fn bytes_until_stored(&self) -> usize {
        2 * self.bytes()
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
    pub(crate) fn seal(mut self) -> SealedBatch {
        let bytes_until_stored = self.bytes_until_stored();
        SealedBatch {
            rejects: self.rejects.seal(),
            rejected: self.rejects,
            events: self.events.seal(),
            progress: self.progress,
            bytes_until_stored,
        }
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

    /// Takes note that a record whose events were to be stored is in quarantine instead.
    pub(crate) fn refuse(&mut self, record: &Source) {
        self.outcomes.stored -= record.created;
        self.outcomes.amended -= record.amended;
        self.outcomes.deleted -= record.deleted;
        *self.outcomes.rejected.entry(Reason::RefusedByStore).or_default() += 1;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use meterhouse_model::{BillingZone, CloudEventHeaders};

    use super::*;

    const LIMITS: BatchLimits =
        BatchLimits { rows: 3, bytes: 1 << 20, age: Duration::from_secs(1), inflight_bytes: 1 << 21 };

    fn push(batch: &mut Batch, partition: i32, offset: i64, value: &str, now: Instant) {
        let record = Record {
            topic: "t",
            partition,
            offset,
            timestamp_ms: Some(1_790_000_000_000 - offset),
            value: Some(value.as_bytes()),
            content_type: None,
            cloud_event: CloudEventHeaders::default(),
        };
        let rules = Rules::new(Arc::new(BillingZone::new("UTC").unwrap()));
        batch.push(&record, RejectedRecord::default, &rules, now);
    }

    fn usage(action: &str) -> String {
        format!(
            r#"{{"EventId":"e","SubscriptionReference":"s","OptionCode":"o","UsageStart":"2026-09-01 00:00:00",
            "UsageEnd":"2026-09-01 01:00:00","Units":"1"{action}}}"#
        )
    }

    #[test]
    fn every_record_moves_its_partition_on_and_has_one_outcome() {
        let (mut batch, now) = (Batch::new(7), Instant::now());
        push(&mut batch, 0, 5, &usage(""), now);
        push(&mut batch, 1, 9, "[", now);
        push(&mut batch, 0, 8, &usage(r#","Action":"amend","Revision":1"#), now);
        push(&mut batch, 0, 9, &usage(r#","Action":"delete","Revision":2"#), now);
        push(&mut batch, 0, 10, &format!(r#"{{"Usages":[{}]}}"#, usage("")), now);
        let sealed = batch.seal();
        let Progress { assignment, partitions, outcomes } = sealed.progress;
        assert_eq!(assignment, 7);
        assert_eq!((partitions[&0].next_offset, partitions[&1].next_offset), (11, 10));
        assert_eq!(partitions[&0].newest_ms, Some(1_789_999_999_990));
        assert_eq!(partitions[&0].oldest_ms, Some(1_789_999_999_990));
        assert_eq!((outcomes.records, outcomes.stored, outcomes.amended, outcomes.deleted), (5, 2, 1, 1));
        assert_eq!(outcomes.rejected, BTreeMap::from([(Reason::InvalidJson, 1)]));
        assert_eq!(sealed.rejects.map(|rejects| rejects.rows), Some(1));
        let events = sealed.events.unwrap();
        assert_eq!((events.events.rows, events.identities.rows, events.marks.rows), (4, 4, 1));
    }

    #[test]
    fn a_batch_closes_at_the_first_limit() {
        let (mut batch, begun) = (Batch::new(1), Instant::now());
        assert_eq!(batch.close_reason(&LIMITS, begun + LIMITS.age), None);
        push(&mut batch, 0, 0, &usage(""), begun);
        assert_eq!(batch.close_reason(&LIMITS, begun), None);
        assert_eq!(batch.close_reason(&LIMITS, begun + LIMITS.age), Some(CloseReason::Age));
        push(&mut batch, 0, 1, "x", begun + LIMITS.age);
        assert_eq!(batch.time_left(&LIMITS, begun), Some(LIMITS.age));
        push(&mut batch, 0, 2, &usage(""), begun);
        assert_eq!(batch.close_reason(&LIMITS, begun), Some(CloseReason::Rows));
        let limits = BatchLimits { rows: 10, bytes: 1, ..LIMITS };
        assert_eq!(batch.close_reason(&limits, begun), Some(CloseReason::Bytes));
    }
}
