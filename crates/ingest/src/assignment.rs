//! The partitions that are ours, and how far each is stored.

use std::collections::BTreeMap;

use meterhouse_store::{EventBatch, LastRecord};
use rdkafka::{Offset, TopicPartitionList};

use crate::batch::Batch;
use crate::progress::{Progress, Reading};
use crate::resume::{Start, Verdict};
use crate::topic_id::TopicId;

/// What is in the way between two assignments.
const NOT_ASSIGNED: &str = "the consumer group has not assigned partitions yet";

/// What the consumer group has given to us, since the last change of it.
#[derive(Debug)]
pub(crate) struct Assignment {
    /// Counts assignments. What was read under an earlier one is never committed.
    number: u64,
    /// Of the topic at the time of the assignment.
    topic_id: TopicId,
    partitions: BTreeMap<i32, Partition>,
    /// Why there is no assignment. An assignment of no partition is one.
    missing: Option<String>,
}

#[derive(Debug)]
struct Partition {
    epoch: u32,
    /// Offset behind the last record that was read.
    position: i64,
    /// The record before, which is to be read again first.
    awaited: Option<LastRecord>,
    /// Up to where everything is stored, and in the ledger.
    stored_to: i64,
    /// How far the log was read when everything was stored.
    read_to: Option<i64>,
    /// Everything before this time is stored: the timestamp of the last stored record, else of the first that was read.
    /// Milliseconds since the epoch.
    stored_to_ms: Option<i64>,
    /// Why nothing is read from it any more.
    stopped: Option<String>,
}

/// What becomes of a record that comes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is the next one.
    Read(Reading),
    /// It is the last one that the ledger accounts for, as it should be.
    Known,
    /// Its partition is stopped.
    Ignored,
    /// It cannot stand there in the log that was read before.
    Refused(String),
}

impl From<&Start> for Partition {
    fn from(start: &Start) -> Self {
        let (awaited, stopped) = match &start.verdict {
            Verdict::Reread(record) => (Some(*record), None),
            Verdict::GoOn => (None, None),
            Verdict::Stopped(why) => (None, Some(why.clone())),
        };
        Self {
            epoch: start.point.epoch,
            position: start.point.position,
            awaited,
            stored_to: start.point.position,
            read_to: None,
            stored_to_ms: None,
            stopped,
        }
    }
}

impl Default for Assignment {
    fn default() -> Self {
        Self {
            number: 0,
            topic_id: TopicId::NONE,
            partitions: BTreeMap::new(),
            missing: Some(NOT_ASSIGNED.to_owned()),
        }
    }
}

impl Assignment {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// An empty batch for what is read from now on, with the memory of another one.
    pub(crate) fn batch(&self, emptied: EventBatch) -> Batch {
        Batch::new(self.number, self.topic_id, emptied)
    }

    /// Partitions that begin so are ours, and no others.
    pub(crate) fn begin(&mut self, topic_id: TopicId, starts: &[Start]) {
        self.number += 1;
        self.topic_id = topic_id;
        self.missing = None;
        self.partitions = starts.iter().map(|start| (start.partition, start.into())).collect();
    }

    /// No partition is ours.
    pub(crate) fn end(&mut self) {
        *self = Self { number: self.number + 1, ..Self::default() };
    }

    /// Notes what the next assignment waits for.
    pub(crate) fn wait_for(&mut self, why: String) {
        self.missing = Some(why);
    }

    /// Partitions that are ours.
    pub(crate) fn len(&self) -> usize {
        self.partitions.len()
    }

    /// Their numbers.
    pub(crate) fn numbers(&self) -> Vec<i32> {
        self.partitions.keys().copied().collect()
    }

    /// Says what becomes of a record, and counts on that.
    pub(crate) fn admit(&mut self, partition: i32, record: LastRecord) -> Admission {
        let running = self.partitions.get_mut(&partition).filter(|partition| partition.stopped.is_none());
        running.map_or(Admission::Ignored, |partition| partition.admit(record))
    }

    /// Whether the partition's last accounted record is still to be read again.
    pub(crate) fn awaits_record(&self, partition: i32) -> bool {
        self.partitions.get(&partition).is_some_and(|partition| partition.awaited.is_some())
    }

    /// Stops a partition until the next assignment; says whether it went on until now.
    pub(crate) fn stop(&mut self, partition: i32, why: String) -> bool {
        let Some(partition) = self.partitions.get_mut(&partition) else { return false };
        partition.stopped.replace(why).is_none()
    }

    pub(crate) fn stopped(&self) -> usize {
        self.partitions.values().filter(|partition| partition.stopped.is_some()).count()
    }

    /// Partitions that are stopped, and under which epoch they were read.
    pub(crate) fn stopped_epochs(&self) -> Vec<(i32, u32)> {
        let stopped = self.partitions.iter().filter(|(_, partition)| partition.stopped.is_some());
        stopped.map(|(number, partition)| (*number, partition.epoch)).collect()
    }

    /// Notes what was read, but is not stored yet.
    pub(crate) fn note_read(&mut self, progress: &Progress) {
        for (number, read) in &progress.partitions {
            if let Some(partition) = self.partitions.get_mut(number) {
                partition.stored_to_ms = partition.stored_to_ms.or(read.oldest_ms);
            }
        }
    }

    /// Notes what is stored. Returns the offsets to commit: none for what was read under an earlier assignment.
    pub(crate) fn advance(&mut self, progress: &Progress, topic: &str) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        if progress.assignment != self.number {
            return list;
        }
        for (number, stored) in &progress.partitions {
            let Some(partition) = self.partitions.get_mut(number) else { continue };
            partition.stored_to = stored.next_position;
            partition.stored_to_ms = stored.newest_ms.or(partition.stored_to_ms);
            // A committed offset is that of the record to read next. It can only fail for a negative one.
            let _ = list.add_partition_offset(topic, *number, Offset::Offset(stored.next_position));
        }
        list
    }

    /// Notes how far the log was read, when all that was read is stored: its end may be nothing but markers of
    /// transactions, which are no records.
    ///
    /// For the lag alone, never to be committed: librdkafka moves a position over a record that is still to be read when
    /// it reports an error there.
    pub(crate) fn note_positions(&mut self, positions: &TopicPartitionList) {
        for element in positions.elements() {
            let Offset::Offset(position) = element.offset() else { continue };
            let partition = self.partitions.get_mut(&element.partition());
            if let Some(partition) = partition.filter(|partition| partition.stopped.is_none()) {
                partition.read_to = Some(position);
            }
        }
    }

    /// Up to where each partition is stored, and in the ledger.
    pub(crate) fn positions(&self) -> impl Iterator<Item = (i32, i64)> {
        self.partitions.iter().map(|(number, partition)| (*number, partition.stored_to))
    }

    /// The same as offsets to commit.
    pub(crate) fn offsets(&self, topic: &str) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (number, position) in self.positions() {
            let _ = list.add_partition_offset(topic, number, Offset::Offset(position));
        }
        list
    }

    /// Records that are not stored yet, and the age in seconds of the last that is, by partition; nothing of partitions
    /// whose end is not known. `end` is the end of a partition's log.
    pub(crate) fn lags(&self, end: impl Fn(i32) -> Option<i64>, now_ms: i64) -> Vec<(i32, i64, f64)> {
        let lag = |(number, partition): (&i32, &Partition)| {
            let done = partition.stored_to.max(partition.read_to.unwrap_or(0));
            let records = (end(*number)? - done).max(0);
            let behind_ms = match partition.stored_to_ms {
                Some(stored_to) if records > 0 => (now_ms - stored_to).max(0),
                _ => 0,
            };
            Some((*number, records, behind_ms as f64 / 1000.0))
        };
        self.partitions.iter().filter_map(lag).collect()
    }

    /// What the readiness check says of the partitions.
    pub(crate) fn readiness(&self, topic: &str) -> Result<(), String> {
        if let Some(why) = &self.missing {
            return Err(why.clone());
        }
        let faults = self.partitions.iter().filter_map(|(number, partition)| {
            partition.fault().map(|fault| format!("{topic}/{number} {fault}"))
        });
        let faults: Vec<String> = faults.collect();
        if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
    }
}

impl Partition {
    fn admit(&mut self, record: LastRecord) -> Admission {
        if let Some(awaited) = self.awaited {
            if record == awaited {
                self.awaited = None;
                return Admission::Known;
            }
            let offset = awaited.offset;
            let what = if record.offset == offset {
                format!("another record at offset {offset} than the ledger accounted for")
            } else {
                format!("no record at offset {offset}, where the ledger accounted for one")
            };
            return Admission::Refused(format!("the log holds {what}: it was cut or recreated"));
        }
        if record.offset < self.position {
            return Admission::Refused(format!(
                "the log holds a record at offset {}, before {}, up to where it is read: it was cut or recreated",
                record.offset, self.position
            ));
        }
        let reading =
            Reading { epoch: self.epoch, position: self.position, resumed_at: self.stored_to, record };
        self.position = record.offset + 1;
        Admission::Read(reading)
    }

    /// Why the partition does not go on.
    fn fault(&self) -> Option<String> {
        match (&self.stopped, &self.awaited) {
            (Some(why), _) => Some(format!("stopped: {why}")),
            (None, Some(awaited)) => {
                Some(format!("waits for the last accounted record, at offset {}", awaited.offset))
            }
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests;
