//! Partitions that come, go, and come again.

use std::time::{Duration, Instant};

use meterhouse_store::{EventBatch, crash};
use rdkafka::consumer::Consumer;
use rdkafka::{Offset, TopicPartitionList};

use super::Reader;
use crate::progress::Progress;
use crate::resume::{Obstacle, Start};
use crate::topic_id::TopicId;
use crate::{Error, group};

/// Pause before it is asked again where partitions begin.
const RESUME_PAUSE: Duration = Duration::from_secs(1);
/// How often the ledger is asked for a new beginning of a partition that is stopped.
const ACCEPTANCE_INTERVAL: Duration = Duration::from_secs(5);

impl Reader {
    /// Takes partitions that are given, once it is known where they begin.
    pub(super) fn take_given(&mut self) -> Result<(), Error> {
        let Some((partitions, _)) = self.given.take_if(|(_, ask_at)| *ask_at <= Instant::now()) else {
            return Ok(());
        };
        crash::point("assignment_given");
        match self.resumption.starts(&self.consumer, &partitions) {
            Ok((topic_id, starts)) => {
                crash::point("assignment_positions_known");
                self.take(topic_id, &starts)
            }
            Err(Obstacle::Final(error)) => Err(error),
            Err(Obstacle::Passing(why)) => {
                tracing::warn!(reason = why, "partitions cannot begin yet, asking again");
                self.given = Some((partitions, Instant::now() + RESUME_PAUSE));
                self.assignment.wait_for(why);
                self.tell_readiness();
                Ok(())
            }
        }
    }

    /// Takes partitions, also those that are ours already.
    fn take(&mut self, topic_id: TopicId, starts: &[Start]) -> Result<(), Error> {
        let mut list = TopicPartitionList::new();
        for start in starts {
            if let Some(offset) = start.fetch_from() {
                list.add_partition_offset(&self.topic, start.partition, Offset::Offset(offset))?;
            }
        }
        if self.assignment.len() > 0 {
            self.consumer.unassign()?;
        }
        // A partition that was unassigned is cut off from its queue some time after that call has returned. To pause it
        // waits for its turn behind that. (To resume does not wait, where nothing is paused.)
        self.consumer.pause(&list)?;
        self.consumer.resume(&list)?;
        for element in list.elements() {
            self.queue.attach(element.partition());
        }
        self.consumer.assign(&list)?;
        crash::point("assignment_taken");
        self.assignment.begin(topic_id, starts);
        self.batch = self.assignment.batch(EventBatch::default());
        if self.resumption.differs_from_committed(&self.consumer, starts) {
            group::commit(&self.consumer, &self.assignment.offsets(&self.topic));
        }
        tracing::info!(topic = self.topic, partitions = starts.len(), "partitions are assigned");
        for (partition, why) in starts.iter().filter_map(Start::stopped) {
            tracing::error!(topic = self.topic, partition, reason = why, "partition stopped");
        }
        self.set_gauges();
        self.tell_readiness();
        Ok(())
    }

    /// Takes all partitions anew when the ledger names a new beginning for one that is stopped.
    pub(super) fn look_for_acceptance(&mut self) -> Result<(), Error> {
        let is_due = self.looked_for_acceptance.elapsed() >= ACCEPTANCE_INTERVAL;
        if !is_due || self.given.is_some() || self.assignment.stopped() == 0 {
            return Ok(());
        }
        self.looked_for_acceptance = Instant::now();
        match self.resumption.has_newer_epoch(&self.assignment.stopped_epochs()) {
            Ok(true) => {
                tracing::info!(
                    topic = self.topic,
                    "a new beginning is accepted, taking all partitions again"
                );
                self.take_again();
                Ok(())
            }
            Ok(false) => Ok(()),
            Err(Obstacle::Passing(why)) => {
                tracing::warn!(reason = why, "cannot see whether a new beginning is accepted");
                Ok(())
            }
            Err(Obstacle::Final(error)) => Err(error),
        }
    }

    /// The topic was deleted and created anew while it was read: what was read since the last batch that is stored may
    /// belong to the new one. Where that can be gone on from is for the ledger to say.
    pub(super) fn leave_log(&mut self, dropped: &Progress) -> Result<(), Error> {
        if dropped.assignment != self.assignment.number() {
            return Ok(());
        }
        tracing::warn!(topic = self.topic, "the topic is another one of that name: taking it anew");
        if self.given.is_none() {
            self.take_again();
        }
        self.consumer.unassign()?;
        self.assignment.end();
        self.assignment.wait_for("the topic is another one of that name".to_owned());
        self.batch = self.assignment.batch(EventBatch::default());
        self.tell_readiness();
        Ok(())
    }

    pub(super) fn take_again(&mut self) {
        self.given = Some((self.assignment.numbers(), Instant::now()));
    }

    /// Drops what is not handed over: whoever gets the partitions reads it again, and its rows are the same rows.
    pub(super) fn give_up_partitions(&mut self) {
        tracing::info!(topic = self.topic, partitions = self.assignment.len(), "partitions are taken away");
        self.given = None;
        self.assignment.end();
        self.batch = self.assignment.batch(EventBatch::default());
        self.metrics.reset_partitions();
        crash::point("assignment_ended");
        self.tell_readiness();
    }
}
