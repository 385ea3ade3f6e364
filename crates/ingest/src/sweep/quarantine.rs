//! Creations whose identity is taken by other content go into quarantine, and come out of it where it no longer is.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use meterhouse_model::{CloudEventHeaders, IdentityHash, Reason, Record, Reject, Version};
use meterhouse_store::{
    ConflictOutcome, Error, EventCopy, Quarantined, RejectBatch, RejectedRecord, Standing, Store, Verdict,
    Winners,
};

use super::records::{Raw, Records};
use crate::mirror::Mirror;
use crate::value::record_value;
use crate::{KafkaConfig, Metrics, Reporter};

/// Creations that are looked at together.
const PAGE: usize = 1000;
/// Rejects are inserted once they take so many bytes.
const BATCH_BYTES: usize = 8 << 20;
/// Records are read for so long at a time: other identities wait.
const READING_MAX: Duration = Duration::from_secs(10);
/// The mirror topic is waited for so long at a time.
const MIRROR_MAX: Duration = Duration::from_secs(10);
/// Outcomes after which a reject is no usage that is missing.
const CLOSED: [&str; 2] = ["stored", ConflictOutcome::Duplicate.as_str()];

pub(super) struct Quarantine {
    store: Store,
    metrics: Metrics,
    records: Records,
    mirror: Option<Mirror>,
    /// The mirror topic did not take conflicts in time.
    is_mirror_late: bool,
    /// Whether the log says already that records cannot be read.
    is_told: bool,
}

/// Conflicts on their way into quarantine.
#[derive(Default)]
struct Batch {
    rejects: RejectBatch,
    winners: Winners,
}

/// A creation whose identity is taken by other content, and the one that wins.
struct Conflict<'c> {
    copy: &'c EventCopy,
    winner: &'c EventCopy,
}

/// What has to happen to the rows of quarantine.
#[derive(Default)]
struct Plan<'c> {
    /// Conflicts that have no row.
    new: Vec<Conflict<'c>>,
    /// Copies whose row says that they are not in conflict, and which are.
    reopened: Vec<&'c EventCopy>,
    /// Copies whose row says that they are in conflict, and which are not any more.
    closed: Vec<&'c EventCopy>,
    /// Identities with creations that came after the verdict.
    waiting: Vec<IdentityHash>,
}

impl Quarantine {
    pub(super) fn new(kafka: &KafkaConfig, store: Store, metrics: Metrics) -> Self {
        // Readiness is told by the sweep.
        let mirror = Mirror::new(kafka, &metrics, &(Arc::new(|_, _| {}) as Reporter));
        Self { store, metrics, records: Records::new(kafka), mirror, is_mirror_late: false, is_told: false }
    }

    /// Time that was spent with Kafka since the last call.
    pub(super) fn take_reading(&mut self) -> Duration {
        self.records.take_spent()
    }

    /// What conflicts wait for since the last beginning, where they do.
    pub(super) fn obstacle(&self) -> Option<String> {
        match self.records.failure() {
            Some(why) => Some(format!("conflicts wait for their records: {why}")),
            None => self.is_mirror_late.then(|| "conflicts wait for the mirror topic".to_owned()),
        }
    }

    /// Nothing is in the way any more, as far as is known.
    pub(super) fn begin(&mut self) {
        self.records.try_again();
        self.is_mirror_late = false;
    }

    /// Brings quarantine in line with verdicts. Returns the identities for which that is not possible yet.
    pub(super) async fn see_to(
        &mut self,
        verdicts: &HashMap<IdentityHash, Verdict<'_>>,
    ) -> Result<HashSet<IdentityHash>, Error> {
        let hashes: Vec<u64> = verdicts.keys().map(|hash| hash.0).collect();
        let (mut waiting, mut last) = (HashSet::new(), None);
        loop {
            let page = self.store.creations(&hashes, last.as_ref(), PAGE).await?;
            self.see_to_page(&page, verdicts, &mut waiting).await?;
            if page.len() < PAGE {
                return Ok(waiting);
            }
            last = page.into_iter().last();
        }
    }

    async fn see_to_page(
        &mut self,
        page: &[EventCopy],
        verdicts: &HashMap<IdentityHash, Verdict<'_>>,
        waiting: &mut HashSet<IdentityHash>,
    ) -> Result<(), Error> {
        let standings = page.iter().map(|copy| {
            (
                copy,
                verdicts.get(&copy.identity_hash).map_or(Standing::Unknown, |verdict| verdict.standing(copy)),
            )
        });
        let standings: Vec<_> = standings.filter(|(_, standing)| *standing != Standing::Winner).collect();
        let copies: Vec<&EventCopy> = standings.iter().map(|(copy, _)| *copy).collect();
        let rows = self.store.quarantined(&copies).await?;
        let plan = plan(&standings, &rows);
        waiting.extend(&plan.waiting);
        for (copies, outcome) in
            [(&plan.closed, ConflictOutcome::Duplicate), (&plan.reopened, ConflictOutcome::Conflict)]
        {
            let winners =
                Winners(copies.iter().map(|copy| winner_of(verdicts, copy.identity_hash)).collect());
            if !self.store.note_conflict_outcome(copies, outcome, &winners).await? {
                waiting.extend(winners.0.keys());
            } else if outcome == ConflictOutcome::Conflict {
                self.metrics.conflicts(copies.len() as u64);
            }
        }
        self.insert(&plan.new, verdicts, waiting).await
    }

    /// Puts conflicts into quarantine with the bytes of their records; those that cannot be read wait.
    async fn insert(
        &mut self,
        conflicts: &[Conflict<'_>],
        verdicts: &HashMap<IdentityHash, Verdict<'_>>,
        waiting: &mut HashSet<IdentityHash>,
    ) -> Result<(), Error> {
        if conflicts.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::default();
        for conflict in conflicts {
            let is_late = self.records.spent() > READING_MAX;
            match if is_late { Raw::Unknown } else { self.records.read(conflict.copy).await } {
                Raw::Unknown => {
                    waiting.insert(conflict.copy.identity_hash);
                    continue;
                }
                Raw::Found(found) => {
                    let record = found.record(&conflict.copy.topic);
                    batch.rejects.push_event(&reject(conflict, ""), &record, found.rest.clone());
                }
                Raw::Gone => self.push_rebuilt(&mut batch.rejects, conflict).await?,
            }
            let (hash, winner) = winner_of(verdicts, conflict.copy.identity_hash);
            batch.winners.0.insert(hash, winner);
            if batch.rejects.bytes() > BATCH_BYTES {
                self.flush(std::mem::take(&mut batch), waiting).await?;
            }
        }
        self.flush(batch, waiting).await?;
        let failure = self.records.failure();
        if let Some(why) = failure.filter(|_| !self.is_told) {
            tracing::warn!(reason = why, "conflicts wait: their records cannot be read");
        }
        self.is_told = failure.is_some();
        Ok(())
    }

    /// Stores conflicts once the mirror topic has them, if there is one.
    async fn flush(&mut self, mut batch: Batch, waiting: &mut HashSet<IdentityHash>) -> Result<(), Error> {
        let Some(sealed) = batch.rejects.seal() else { return Ok(()) };
        if let Some(mirror) = &mut self.mirror {
            let mirrored = tokio::time::timeout(MIRROR_MAX, mirror.publish(&batch.rejects)).await;
            self.is_mirror_late = mirrored.is_err();
        }
        if self.is_mirror_late || !self.store.quarantine(&sealed, &batch.winners).await? {
            waiting.extend(batch.winners.0.keys());
            return Ok(());
        }
        let events = sealed.rows as u64;
        self.metrics.conflicts(events);
        tracing::warn!(events, "events whose identity is taken by other content are in quarantine");
        Ok(())
    }

    async fn push_rebuilt(&self, batch: &mut RejectBatch, conflict: &Conflict<'_>) -> Result<(), Error> {
        let copy = conflict.copy;
        let event = self.store.stored_event(copy).await?;
        let value = event.and_then(|event| record_value(&[event]).ok());
        let how = if value.is_some() { "its value is rebuilt from its row" } else { "and so is its row" };
        let reject = reject(conflict, &format!("the record is gone from kafka, {how}; "));
        let record = Record {
            topic: &copy.topic,
            partition: copy.partition,
            offset: copy.offset,
            timestamp_ms: Some(copy.record_time),
            value: value.as_deref().map(str::as_bytes),
            content_type: None,
            cloud_event: CloudEventHeaders::default(),
        };
        batch.push_event(&reject, &record, RejectedRecord::default());
        Ok(())
    }
}

fn winner_of(verdicts: &HashMap<IdentityHash, Verdict<'_>>, hash: IdentityHash) -> (IdentityHash, Version) {
    (hash, verdicts.get(&hash).map_or(Version(0), Verdict::winning))
}

fn plan<'c>(standings: &[(&'c EventCopy, Standing<'c>)], rows: &[Quarantined]) -> Plan<'c> {
    let rows: HashMap<_, &Quarantined> = rows.iter().map(|row| (row.place(), row)).collect();
    let mut plan = Plan::default();
    for (copy, standing) in standings {
        let row = rows.get(&copy.place());
        let is_closed = row.is_some_and(|row| CLOSED.contains(&row.replay_outcome.as_str()));
        match standing {
            Standing::Conflict(winner) if row.is_none() => plan.new.push(Conflict { copy, winner }),
            Standing::Conflict(_) if is_closed => plan.reopened.push(copy),
            Standing::Equal if row.is_some() && !is_closed => plan.closed.push(copy),
            Standing::Unknown => plan.waiting.push(copy.identity_hash),
            Standing::Winner | Standing::Conflict(_) | Standing::Equal => {}
        }
    }
    plan
}

/// The verdict, which tells which copy has the identity.
fn reject(conflict: &Conflict<'_>, prefix: &str) -> Reject {
    let EventCopy { topic, partition, offset, index, .. } = conflict.winner;
    let detail = format!(
        "{prefix}the identity of the event is taken by other content, of event {index} of record \
         {topic}/{partition}/{offset}"
    );
    Reject::new(Reason::ConflictingDuplicate, detail).at(conflict.copy.index)
}
