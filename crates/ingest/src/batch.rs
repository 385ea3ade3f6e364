//! A batch: records on their way into the tables.
//!
//! It is passive: whoever fills it owns the loop and the clock.

use std::time::{Duration, Instant};

use meterhouse_model::{Record, Rules, parse};
use meterhouse_store::{EncodedBatch, EventBatch, RecentCopies, RejectBatch, RejectedRecord, SealedEvents};

use crate::BatchLimits;
use crate::progress::{Progress, Reading};
use crate::topic_id::TopicId;

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
    /// An empty batch for records that are read under an assignment, with the memory of another one.
    pub(crate) fn new(assignment: u64, topic_id: TopicId, emptied: EventBatch) -> Self {
        Self {
            events: emptied,
            rejects: RejectBatch::default(),
            progress: Progress::new(assignment, topic_id),
            opened: None,
        }
    }

    /// Judges a record and adds what becomes of it. `reading` is its place in its partition, `kept` the rest of a record that goes into quarantine.
    pub(crate) fn push(
        &mut self,
        record: &Record<'_>,
        reading: &Reading,
        kept: impl FnOnce() -> RejectedRecord,
        rules: &Rules,
        now: Instant,
    ) {
        self.opened.get_or_insert(now);
        match parse(record, rules) {
            Ok(events) => {
                self.progress.count_stored(record, reading, &events);
                for event in &events {
                    self.events.push(event, record);
                }
            }
            Err(reject) => {
                self.progress.count_rejected(record, reading, reject.reason);
                self.rejects.push(&reject, record, kept());
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.opened.is_none()
    }

    pub(crate) fn rows(&self) -> usize {
        self.events.len() + self.rejects.len()
    }

    /// Time since the first record came.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        self.opened.map_or(Duration::ZERO, |opened| now.saturating_duration_since(opened))
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

    /// Sorts and encodes the batch, once, and looks for copies of events. Takes a while. Leaves the memory for another one.
    pub(crate) fn seal(mut self, recent: &mut RecentCopies) -> (SealedBatch, EventBatch) {
        let bytes_until_stored = self.bytes_until_stored();
        let events = self.events.seal_among(recent);
        self.progress.outcomes.duplicates = events.as_ref().map_or(0, |events| events.duplicates);
        let sealed = SealedBatch {
            rejects: self.rejects.seal(),
            rejected: self.rejects,
            events,
            progress: self.progress,
            bytes_until_stored,
        };
        (sealed, self.events)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use meterhouse_model::{BillingZone, CloudEventHeaders, Reason};
    use meterhouse_store::LastRecord;

    use super::*;

    const LIMITS: BatchLimits =
        BatchLimits { rows: 3, bytes: 1 << 20, age: Duration::from_secs(1), inflight_bytes: 1 << 21 };

    /// Adds a record that goes on from where the batch has come, or from offset 5.
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
        let position = batch.progress.partitions.get(&partition).map_or(5, |read| read.next_position);
        let seen = LastRecord::new(offset, record.timestamp_ms, None, record.value);
        let reading = Reading { epoch: 3, position, resumed_at: 2, record: seen };
        batch.push(&record, &reading, RejectedRecord::default, &rules, now);
    }

    fn usage(action: &str) -> String {
        format!(
            r#"{{"EventId":"e","SubscriptionReference":"s","OptionCode":"o","UsageStart":"2026-09-01 00:00:00",
            "UsageEnd":"2026-09-01 01:00:00","Units":"1"{action}}}"#
        )
    }

    #[test]
    fn every_record_moves_its_partition_on_and_has_one_outcome() {
        let (mut batch, now) = (Batch::new(7, TopicId::NONE, EventBatch::default()), Instant::now());
        push(&mut batch, 0, 5, &usage(""), now);
        push(&mut batch, 1, 9, "[", now);
        push(&mut batch, 0, 8, &usage(r#","Action":"amend","Revision":1"#), now);
        push(&mut batch, 0, 9, &usage(r#","Action":"delete","Revision":2"#), now);
        push(&mut batch, 0, 10, &format!(r#"{{"Usages":[{}]}}"#, usage("")), now);
        let (sealed, emptied) = batch.seal(&mut RecentCopies::default());
        assert!(emptied.is_empty());
        let Progress { assignment, partitions, outcomes, .. } = sealed.progress;
        assert_eq!(assignment, 7);
        assert_eq!((partitions[&0].next_position, partitions[&1].next_position), (11, 10));
        assert_eq!(partitions[&0].newest_ms, Some(1_789_999_999_990));
        assert_eq!(partitions[&0].oldest_ms, Some(1_789_999_999_990));
        assert_eq!((outcomes.records, outcomes.stored, outcomes.amended, outcomes.deleted), (5, 2, 1, 1));
        assert_eq!(outcomes.rejected, BTreeMap::from([(Reason::InvalidJson, 1)]));
        assert_eq!(sealed.rejects.map(|rejects| rejects.rows), Some(1));
        let [first, second] = [partitions[&0], partitions[&1]];
        assert_eq!((first.epoch, first.from_position, first.resumed_at), (3, 5, 2));
        assert_eq!((first.stored, first.rejected, first.amended, first.deleted), (4, 0, 1, 1));
        assert_eq!((first.holes(), second.holes()), (2, 4), "offsets 6 and 7, and 5 to 8");
        assert_eq!((second.stored, second.rejected), (0, 1));
        assert_eq!((first.last_record.offset, second.last_record.offset), (10, 9));
        let events = sealed.events.unwrap();
        assert_eq!((events.events.rows, events.marks.all().rows), (4, 1));
        assert_eq!(events.identities.map(|identities| identities.rows), Some(4));
        assert_eq!((outcomes.duplicates, events.suspects.map(|suspects| suspects.rows)), (1, None));
    }

    #[test]
    fn a_batch_closes_at_the_first_limit() {
        let (mut batch, begun) = (Batch::new(1, TopicId::NONE, EventBatch::default()), Instant::now());
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
