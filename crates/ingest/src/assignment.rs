//! The partitions that are ours, and how far each is stored.

use std::collections::BTreeMap;

use rdkafka::{Offset, TopicPartitionList};

use crate::batch::Progress;

/// What is in the way between two assignments.
const NOT_ASSIGNED: &str = "the consumer group has not assigned partitions yet";

/// What the consumer group has given to us, since the last change of it.
#[derive(Debug)]
pub(crate) struct Assignment {
    /// Counts assignments. What was read under an earlier one is never committed.
    number: u64,
    partitions: BTreeMap<i32, Partition>,
    /// Why there is no assignment. An assignment of no partition is one.
    missing: Option<String>,
}

#[derive(Debug, Default)]
struct Partition {
    /// Where to read on once all that is stored counts.
    next_offset: Option<i64>,
    /// How far the log was read when everything was stored.
    read_to: Option<i64>,
    /// Everything before this time is stored: the timestamp of the last stored record, else of the first that was read.
    /// Milliseconds since the epoch.
    stored_to_ms: Option<i64>,
    /// Why nothing is read from it any more.
    stopped: Option<String>,
}

impl Default for Assignment {
    fn default() -> Self {
        Self { number: 0, partitions: BTreeMap::new(), missing: Some(NOT_ASSIGNED.to_owned()) }
    }
}

impl Assignment {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Partitions that begin at these positions are ours, and no others.
    pub(crate) fn begin(&mut self, positions: &[(i32, Offset)]) {
        self.number += 1;
        self.missing = None;
        let partition = |(partition, start): &(i32, Offset)| {
            let next_offset = match start {
                Offset::Offset(offset) => Some(*offset),
                _ => None,
            };
            (*partition, Partition { next_offset, ..Partition::default() })
        };
        self.partitions = positions.iter().map(partition).collect();
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

    /// Stops a partition until the next assignment; says whether it went on until now.
    pub(crate) fn stop(&mut self, partition: i32, why: String) -> bool {
        let Some(partition) = self.partitions.get_mut(&partition) else { return false };
        partition.stopped.replace(why).is_none()
    }

    pub(crate) fn is_stopped(&self, partition: i32) -> bool {
        self.partitions.get(&partition).is_some_and(|partition| partition.stopped.is_some())
    }

    pub(crate) fn stopped(&self) -> usize {
        self.partitions.values().filter(|partition| partition.stopped.is_some()).count()
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
            partition.next_offset = Some(stored.next_offset);
            partition.stored_to_ms = stored.newest_ms.or(partition.stored_to_ms);
            // A committed offset is that of the record to read next. It can only fail for a negative one.
            let _ = list.add_partition_offset(topic, *number, Offset::Offset(stored.next_offset));
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

    /// Where to read on, of all partitions that are known to be stored up to there.
    pub(crate) fn offsets(&self, topic: &str) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (number, partition) in &self.partitions {
            if let Some(offset) = partition.next_offset {
                let _ = list.add_partition_offset(topic, *number, Offset::Offset(offset));
            }
        }
        list
    }

    /// Records that are not stored yet, and the age in seconds of the last that is, by partition; nothing of partitions
    /// whose end is not known. `end` is the end of a partition's log.
    pub(crate) fn lags(&self, end: impl Fn(i32) -> Option<i64>, now_ms: i64) -> Vec<(i32, i64, f64)> {
        let lag = |(number, partition): (&i32, &Partition)| {
            let done = partition.next_offset.max(partition.read_to).unwrap_or(0);
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
        let stopped = self.partitions.iter().filter_map(|(number, partition)| {
            partition.stopped.as_ref().map(|why| format!("{topic}/{number} stopped: {why}"))
        });
        let stopped: Vec<String> = stopped.collect();
        if stopped.is_empty() { Ok(()) } else { Err(stopped.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::batch::{Outcomes, PartitionProgress};

    fn progress(assignment: u64, offsets: &[(i32, i64)]) -> Progress {
        let partition = |(partition, next_offset): &(i32, i64)| {
            let times = Some(1000);
            (*partition, PartitionProgress { next_offset: *next_offset, newest_ms: times, oldest_ms: times })
        };
        let partitions: BTreeMap<_, _> = offsets.iter().map(partition).collect();
        Progress { assignment, partitions, outcomes: Outcomes::default() }
    }

    fn committed(list: &TopicPartitionList) -> Vec<(i32, Offset)> {
        list.elements().iter().map(|element| (element.partition(), element.offset())).collect()
    }

    #[test]
    fn what_was_read_under_an_earlier_assignment_is_not_committed() {
        let mut assignment = Assignment::default();
        assignment.begin(&[(0, Offset::Beginning), (1, Offset::Offset(5))]);
        let early = progress(assignment.number(), &[(0, 3), (1, 7)]);
        assert_eq!(
            committed(&assignment.advance(&early, "t")),
            [(0, Offset::Offset(3)), (1, Offset::Offset(7))]
        );
        assignment.end();
        assert_eq!(committed(&assignment.advance(&early, "t")), []);
        assignment.begin(&[(0, Offset::Offset(3))]);
        assert_eq!(committed(&assignment.advance(&early, "t")), []);
        let now = progress(assignment.number(), &[(0, 4), (1, 9)]);
        assert_eq!(committed(&assignment.advance(&now, "t")), [(0, Offset::Offset(4))]);
    }

    #[test]
    fn lag_counts_what_is_not_stored() {
        let mut assignment = Assignment::default();
        assignment.begin(&[(0, Offset::Offset(10)), (1, Offset::Beginning), (2, Offset::Beginning)]);
        assignment.advance(&progress(1, &[(0, 12)]), "t");
        let end = |partition| (partition < 2).then_some(20);
        assert_eq!(assignment.lags(end, 3500), [(0, 8, 2.5), (1, 20, 0.0)]);
        assignment.note_read(&progress(1, &[(0, 13), (1, 1)]));
        assert_eq!(assignment.lags(end, 3000), [(0, 8, 2.0), (1, 20, 2.0)]);
        assert_eq!(assignment.lags(|_| Some(12), 3500)[0], (0, 0, 0.0));
        let mut positions = TopicPartitionList::new();
        positions.add_partition_offset("t", 0, Offset::Offset(20)).unwrap();
        assignment.note_positions(&positions);
        assert_eq!(assignment.lags(end, 3500)[0], (0, 0, 0.0));
        assert_eq!(
            committed(&assignment.offsets("t")),
            [(0, Offset::Offset(12))],
            "a position is not stored"
        );
    }

    #[test]
    fn a_stopped_partition_says_why_until_the_next_assignment() {
        let mut assignment = Assignment::default();
        assert!(assignment.readiness("t").is_err());
        assignment.begin(&[(3, Offset::Beginning)]);
        assert_eq!(assignment.readiness("t"), Ok(()));
        assert!(assignment.stop(3, "cut".to_owned()));
        assert!(!assignment.stop(3, "again".to_owned()) && !assignment.stop(4, "not ours".to_owned()));
        assert_eq!(assignment.readiness("t"), Err("t/3 stopped: again".to_owned()));
        assignment.begin(&[(3, Offset::Beginning)]);
        assert!(!assignment.is_stopped(3));
    }
}
