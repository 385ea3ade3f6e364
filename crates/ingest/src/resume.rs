//! Where partitions go on from. The ledger says it, whatever offset is committed; Kafka's log has to agree.

use std::sync::Arc;
use std::time::Duration;

use meterhouse_store::{ErrorClass, LastRecord, LedgerRow, ResumePoint, Store, crash};
use rdkafka::consumer::Consumer;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::group::{self, GroupConsumer};
use crate::topic::CleanupPolicy;
use crate::topic_id::{TopicId, TopicIds};
use crate::{Error, KafkaConfig, Metrics};

/// Time for the ends of one partition's log.
const WATERMARKS_TIMEOUT: Duration = Duration::from_secs(5);
/// The note of a beginning that nobody has named.
const FIRST_READING: &str = "first reading, from the beginning of the log";

/// How a partition that is ours begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) partition: i32,
    /// What the ledger says.
    pub(crate) point: ResumePoint,
    /// What the log makes of it.
    pub(crate) verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The last record before the position comes first: it must be the one that the ledger accounts for.
    Reread(LastRecord),
    /// The log says nothing against it.
    GoOn,
    /// It is another log.
    Stopped(String),
}

/// Why partitions cannot begin.
pub(crate) enum Obstacle {
    /// A server does not answer: ask again.
    Passing(String),
    /// Somebody has to act.
    Final(Error),
}

/// Looks up where partitions begin.
pub(crate) struct Resumption {
    pub(crate) store: Store,
    /// What runs the store's questions: the poll thread waits for their answers.
    pub(crate) runtime: Handle,
    pub(crate) kafka: KafkaConfig,
    pub(crate) topic_ids: Arc<TopicIds>,
    pub(crate) policy: Arc<CleanupPolicy>,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: CancellationToken,
}

impl Start {
    /// Compares the ledger's end with the ends of the log, which holds offsets from `low` up to but without `high`.
    fn judge(partition: i32, point: ResumePoint, topic_id: TopicId, low: i64, high: i64) -> Self {
        let end = point.position;
        let verdict = if low > end {
            Verdict::Stopped(format!(
                "the log starts at offset {low}, after the ledger's end {end}: records between them are gone unread"
            ))
        } else if high < end {
            Verdict::Stopped(format!(
                "the log ends at offset {high}, before the ledger's end {end}: it was cut or recreated"
            ))
        } else {
            match point.last_record {
                Some(record) if record.offset >= low => Verdict::Reread(record),
                // Where nothing was read and nothing is skipped, it may be any log.
                None if end == low => Verdict::GoOn,
                _ if is_another(point.topic_id, topic_id) => Verdict::Stopped(format!(
                    "the topic is another one than that in which the ledger's end {end} was reached: it was recreated"
                )),
                _ => Verdict::GoOn,
            }
        };
        Self { partition, point, verdict }
    }

    /// The first offset to ask for; `None`: the partition is not read.
    pub(crate) fn fetch_from(&self) -> Option<i64> {
        match &self.verdict {
            Verdict::Reread(record) => Some(record.offset),
            Verdict::GoOn => Some(self.point.position),
            Verdict::Stopped(_) => None,
        }
    }

    /// Why the partition is not read, where it is not.
    pub(crate) fn stopped(&self) -> Option<(i32, &str)> {
        match &self.verdict {
            Verdict::Stopped(why) => Some((self.partition, why)),
            Verdict::Reread(_) | Verdict::GoOn => None,
        }
    }
}

/// Whether two ids are of two topics, as far as Kafka gives ids.
fn is_another(known: u128, now: TopicId) -> bool {
    known != TopicId::NONE.0 && now != TopicId::NONE && known != now.0
}

impl Resumption {
    /// Where partitions begin. One that nobody has ever begun to read begins at its log's beginning, which is on record
    /// before its first record is read: so whoever goes on begins nowhere later.
    pub(crate) fn starts(
        &self,
        consumer: &GroupConsumer,
        partitions: &[i32],
    ) -> Result<(TopicId, Vec<Start>), Obstacle> {
        // First of all: a topic that is recreated from now on has another one.
        let topic_id = self.topic_id()?;
        self.refuse_compacted()?;
        let points = self.ask("the ledger cannot be read", async {
            self.store.resume_points(&self.kafka.topic, partitions).await
        })?;
        let (mut starts, mut openings) = (Vec::new(), Vec::new());
        for partition in partitions {
            let (low, high) = self.watermarks(consumer, *partition)?;
            let point = points.get(partition).copied().unwrap_or_else(|| {
                openings.push(LedgerRow::opening(*partition, 0, low, topic_id.0, FIRST_READING));
                ResumePoint { epoch: 0, position: low, last_record: None, topic_id: topic_id.0 }
            });
            let start = Start::judge(*partition, point, topic_id, low, high);
            self.note_gone_fingerprint(&start);
            starts.push(start);
        }
        if let Some(rows) = LedgerRow::encode(&self.kafka.topic, &openings) {
            crash::point("openings_known");
            self.ask("the ledger cannot be written", self.store.insert(&rows))?;
            crash::point("openings_inserted");
        }
        Ok((topic_id, starts))
    }

    /// Whether the committed offsets say something else than the ledger; they are a hint for tools and no more. Each
    /// difference is counted.
    pub(crate) fn differs_from_committed(&self, consumer: &GroupConsumer, starts: &[Start]) -> bool {
        let partitions: Vec<i32> = starts.iter().map(|start| start.partition).collect();
        let committed = match group::committed(consumer, &self.kafka.topic, &partitions) {
            Ok(committed) => committed,
            Err(error) => {
                tracing::warn!(%error, "committed offsets cannot be read, which changes nothing");
                return false;
            }
        };
        let mut differs = false;
        for Start { partition, point, .. } in starts {
            let offset = committed.get(partition).copied();
            // Nothing is committed of what nobody has read yet.
            let is_first = offset.is_none() && point.last_record.is_none();
            if offset != Some(point.position) && !is_first {
                differs = true;
                self.metrics.committed_differences.inc();
                tracing::info!(
                    partition,
                    committed = offset,
                    ledger = point.position,
                    "the committed offset is not the ledger's end, which counts"
                );
            }
        }
        differs
    }

    /// Whether one of these partitions has a newer epoch than this one.
    pub(crate) fn has_newer_epoch(&self, partitions: &[(i32, u32)]) -> Result<bool, Obstacle> {
        for (partition, epoch) in partitions {
            let newest = self.ask("the ledger cannot be read", async {
                self.store.newest_epoch(&self.kafka.topic, *partition).await
            })?;
            if newest.is_some_and(|newest| newest > *epoch) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn topic_id(&self) -> Result<TopicId, Obstacle> {
        match self.topic_ids.read() {
            Ok(Some(id)) => Ok(id),
            Ok(None) => Err(Obstacle::Passing(format!("the topic {} does not exist", self.kafka.topic))),
            Err(error) => Err(Obstacle::Passing(format!("the topic's id cannot be read: {error}"))),
        }
    }

    /// A compacted topic keeps the last record of each key: the usage of all others would be lost.
    fn refuse_compacted(&self) -> Result<(), Obstacle> {
        match self.wait(self.policy.refusal())? {
            Ok(None) => Ok(()),
            Ok(Some(error)) => Err(Obstacle::Final(error)),
            Err(error) => {
                Err(Obstacle::Passing(format!("the topic's configuration cannot be read: {error}")))
            }
        }
    }

    fn watermarks(&self, consumer: &GroupConsumer, partition: i32) -> Result<(i64, i64), Obstacle> {
        consumer.fetch_watermarks(&self.kafka.topic, partition, WATERMARKS_TIMEOUT).map_err(|error| {
            Obstacle::Passing(format!("the ends of partition {partition} cannot be read: {error}"))
        })
    }

    /// Retention may take the last record that is accounted for. Then the log cannot be told from another one.
    fn note_gone_fingerprint(&self, start: &Start) {
        if let (Verdict::GoOn, Some(record)) = (&start.verdict, start.point.last_record) {
            self.metrics.fingerprints_gone.inc();
            tracing::info!(
                partition = start.partition,
                offset = record.offset,
                "the last accounted record has left the log: it is not compared"
            );
        }
    }

    /// Waits for the store's answer.
    fn ask<T>(
        &self,
        fails: &str,
        question: impl Future<Output = Result<T, meterhouse_store::Error>>,
    ) -> Result<T, Obstacle> {
        self.wait(question)?.map_err(|error| match error.class() {
            ErrorClass::Retryable => Obstacle::Passing(format!("{fails}: {error}")),
            ErrorClass::Poisonous | ErrorClass::Fatal => Obstacle::Final(Error::Store(error)),
        })
    }

    /// Waits for something that has a time limit of its own; no longer than until the shutdown.
    fn wait<T>(&self, answer: impl Future<Output = T>) -> Result<T, Obstacle> {
        self.runtime.block_on(async {
            tokio::select! {
                answer = answer => Ok(answer),
                () = self.shutdown.cancelled() => Err(Obstacle::Passing("the process ends".to_owned())),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(position: i64, last_record: Option<i64>, low: i64, high: i64) -> Verdict {
        let last_record = last_record.map(|offset| LastRecord { offset, timestamp_ms: 1, hash: 2 });
        let point = ResumePoint { epoch: 0, position, last_record, topic_id: 7 };
        let verdict = |now: u128| Start::judge(0, point, TopicId(now), low, high).verdict;
        assert_eq!(verdict(7), verdict(0), "no id tells nothing");
        verdict(7)
    }

    #[test]
    fn a_log_that_does_not_reach_the_line_is_another_one() {
        let stopped = |verdict, words: &str| matches!(verdict, Verdict::Stopped(why) if why.contains(words));
        assert!(stopped(judged(10, Some(9), 11, 20), "starts at offset 11, after the ledger's end 10"));
        assert!(stopped(judged(10, None, 11, 20), "starts at offset 11"));
        assert!(stopped(judged(10, Some(9), 0, 9), "ends at offset 9, before the ledger's end 10"));
        assert!(stopped(judged(10, Some(9), 0, 0), "cut or recreated"));
    }

    #[test]
    fn another_topic_is_noticed_without_a_record_of_the_old_one() {
        let judged = |last_record: Option<i64>, low| {
            let last_record = last_record.map(|offset| LastRecord { offset, timestamp_ms: 1, hash: 2 });
            let point = ResumePoint { epoch: 0, position: 10, last_record, topic_id: 7 };
            Start::judge(0, point, TopicId(8), low, 20).verdict
        };
        let stops = |verdict| matches!(verdict, Verdict::Stopped(why) if why.contains("it was recreated"));
        assert!(stops(judged(None, 0)), "skipped up to its end");
        assert!(stops(judged(Some(9), 10)), "the record has left the log");
        assert!(matches!(judged(Some(9), 9), Verdict::Reread(_)), "the record itself tells");
        assert_eq!(judged(None, 10), Verdict::GoOn, "nothing was read, nothing is skipped");
    }

    #[test]
    fn the_last_record_is_read_again_where_it_is_still_there() {
        for (low, high) in [(0, 10), (9, 10), (5, 100)] {
            assert!(matches!(judged(10, Some(9), low, high), Verdict::Reread(record) if record.offset == 9));
        }
        assert_eq!(judged(10, Some(9), 10, 10), Verdict::GoOn);
        assert_eq!(judged(10, Some(9), 10, 20), Verdict::GoOn);
        assert_eq!(judged(10, None, 0, 20), Verdict::GoOn);
    }
}
