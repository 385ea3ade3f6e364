//! Creations whose identity is taken by other content go into quarantine, and come out of it where it no longer is.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use meterhouse_model::{CloudEventHeaders, IdentityHash, Reason, Record, Reject};
use meterhouse_store::{
    Conflict, ConflictOutcome, Error, EventCopy, Quarantined, RejectBatch, RejectedRecord, Store, Verdict,
};

use crate::lookup::FoundRecord;
use crate::{KafkaConfig, Metrics, RecordLookup, rebuild};

/// Rejects are inserted once they take so many bytes.
const BATCH_BYTES: usize = 8 << 20;
/// Outcomes after which a reject is no usage that is missing.
const CLOSED: [&str; 2] = ["stored", ConflictOutcome::Duplicate.as_str()];

pub(super) struct Quarantine {
    kafka: KafkaConfig,
    store: Store,
    metrics: Metrics,
    lookup: Option<RecordLookup>,
    /// Why records could not be read the last time.
    unreadable: Option<String>,
    /// Time that was spent with Kafka.
    reading: Duration,
}

/// What has to happen to the rows of quarantine.
#[derive(Default)]
struct Plan<'v> {
    /// Conflicts that have no row.
    new: Vec<&'v Conflict>,
    /// Copies whose row has another outcome, and is a conflict again.
    reopened: Vec<&'v EventCopy>,
    /// Copies whose row says that they are in conflict, and which are not any more.
    closed: Vec<&'v EventCopy>,
}

impl Quarantine {
    pub(super) fn new(kafka: &KafkaConfig, store: Store, metrics: Metrics) -> Self {
        Self { kafka: kafka.clone(), store, metrics, lookup: None, unreadable: None, reading: Duration::ZERO }
    }

    /// Time that was spent with Kafka since the last call.
    pub(super) fn take_reading(&mut self) -> Duration {
        std::mem::take(&mut self.reading)
    }

    pub(super) fn readiness(&self) -> Result<(), String> {
        match &self.unreadable {
            Some(why) => Err(format!("conflicts wait for their records: {why}")),
            None => Ok(()),
        }
    }

    /// Brings quarantine in line with verdicts on identities. Returns the hashes of those for which that is not possible yet.
    pub(super) async fn see_to(
        &mut self,
        hashes: &[u64],
        verdicts: &[Verdict],
    ) -> Result<HashSet<IdentityHash>, Error> {
        let has_creations = |verdict: &Verdict| verdict.conflicts.len() + verdict.equals.len() > 1;
        if !verdicts.iter().any(has_creations) {
            return Ok(HashSet::new());
        }
        let rows = self.store.quarantined(hashes).await?;
        let plan = plan(verdicts, &rows);
        self.store.note_outcome(&plan.closed, ConflictOutcome::Duplicate).await?;
        self.store.note_outcome(&plan.reopened, ConflictOutcome::Conflict).await?;
        self.metrics.conflicts(plan.reopened.len() as u64);
        self.insert(&plan.new).await
    }

    /// Puts conflicts into quarantine with the bytes of their records. Returns the identities of those that cannot be read.
    async fn insert(&mut self, conflicts: &[&Conflict]) -> Result<HashSet<IdentityHash>, Error> {
        let mut waiting = HashSet::new();
        if conflicts.is_empty() {
            return Ok(waiting);
        }
        let before = self.unreadable.take();
        let mut batch = RejectBatch::default();
        for conflict in conflicts {
            // One that cannot be read takes its time: the others wait, too.
            let found = if self.unreadable.is_none() { self.read(&conflict.copy).await } else { None };
            match found {
                None => drop(waiting.insert(conflict.copy.identity_hash)),
                Some(Some(found)) => push(&mut batch, conflict, &found),
                Some(None) => self.push_rebuilt(&mut batch, conflict).await?,
            }
            if batch.bytes() > BATCH_BYTES {
                self.flush(std::mem::take(&mut batch)).await?;
            }
        }
        self.flush(batch).await?;
        if let Some(why) = self.unreadable.as_ref().filter(|_| before.is_none()) {
            tracing::warn!(reason = why, "conflicts wait: their records cannot be read");
        }
        Ok(waiting)
    }

    async fn flush(&self, mut batch: RejectBatch) -> Result<(), Error> {
        let count = batch.len() as u64;
        if let Some(sealed) = batch.seal() {
            self.store.insert(&sealed).await?;
            self.metrics.conflicts(count);
            tracing::warn!(
                events = count,
                "events whose identity is taken by other content are in quarantine"
            );
        }
        Ok(())
    }

    /// Reads a copy's record again. The inner `None`: it is not in the topic any more. The outer one: nothing is known.
    async fn read(&mut self, copy: &EventCopy) -> Option<Option<FoundRecord>> {
        if copy.topic != self.kafka.topic {
            return Some(None);
        }
        let begun = Instant::now();
        let found = self.find(copy.partition, copy.offset).await;
        self.reading += begun.elapsed();
        match found {
            // Another record stands there if the topic was made anew.
            Ok(found) => {
                Some(found.filter(|found| found.timestamp_ms.unwrap_or_default() == copy.record_time))
            }
            Err(why) => {
                self.unreadable = Some(why);
                None
            }
        }
    }

    async fn find(&mut self, partition: i32, offset: i64) -> Result<Option<FoundRecord>, String> {
        let (lookup, kafka) = (self.lookup.take(), self.kafka.clone());
        let find = move || {
            let lookup = match lookup {
                Some(lookup) => lookup,
                None => RecordLookup::new(&kafka)?,
            };
            // After an error the client goes: it may have more of them to tell, about a time that is over.
            lookup.find(partition, offset).map(|found| (found, lookup))
        };
        match tokio::task::spawn_blocking(find).await {
            Ok(Ok((found, lookup))) => {
                self.lookup = Some(lookup);
                Ok(found)
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn push_rebuilt(&self, batch: &mut RejectBatch, conflict: &Conflict) -> Result<(), Error> {
        let copy = &conflict.copy;
        let event = self.store.stored_event(copy).await?;
        let value = event.and_then(|event| rebuild::value(&[event]).ok());
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

fn plan<'v>(verdicts: &'v [Verdict], rows: &[Quarantined]) -> Plan<'v> {
    let mut plan = Plan::default();
    let row_of = |copy: &EventCopy| rows.iter().find(|row| row.is_of(copy));
    let is_closed = |row: &Quarantined| CLOSED.contains(&row.replay_outcome.as_str());
    for conflict in verdicts.iter().flat_map(|verdict| &verdict.conflicts) {
        match row_of(&conflict.copy) {
            None => plan.new.push(conflict),
            Some(row) if is_closed(row) => plan.reopened.push(&conflict.copy),
            Some(_) => {}
        }
    }
    let equals = verdicts.iter().flat_map(|verdict| &verdict.equals);
    plan.closed = equals.filter(|copy| row_of(copy).is_some_and(|row| !is_closed(row))).collect();
    plan
}

fn push(batch: &mut RejectBatch, conflict: &Conflict, found: &FoundRecord) {
    batch.push_event(&reject(conflict, ""), &found.record(&conflict.copy.topic), found.rest.clone());
}

/// The verdict, which tells which copy has the identity.
fn reject(conflict: &Conflict, prefix: &str) -> Reject {
    let EventCopy { topic, partition, offset, index, .. } = &conflict.winner;
    let detail = format!(
        "{prefix}the identity of the event is taken by other content, of event {index} of record \
         {topic}/{partition}/{offset}"
    );
    Reject::new(Reason::ConflictingDuplicate, detail).at(conflict.copy.index)
}
