//! Stores batches one after the other: the same bytes again until ClickHouse has acknowledged them.

use std::sync::mpsc::{Sender, SyncSender};
use std::time::{SystemTime, UNIX_EPOCH};

use meterhouse_store::{
    EncodedBatch, ErrorClass, EventBatch, RecentCopies, RejectBatch, SealedEvents, Store, Table, crash,
};
use tokio::sync::mpsc;

use crate::backoff::Backoff;
use crate::batch::{Batch, SealedBatch};
use crate::log_check::LogCheck;
use crate::lookup::RecordLookup;
use crate::mirror::Mirror;
use crate::progress::Progress;
use crate::{Error, KafkaConfig, Metrics, Reporter};

/// Name of the readiness check.
pub(crate) const CHECK: &str = "ingest";

/// A batch that is done with.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) progress: Progress,
    /// It is stored and in the ledger; otherwise nothing of it is anywhere, since it belongs to another log.
    pub(crate) is_stored: bool,
    /// What it does not count towards the bytes in flight any more.
    pub(crate) bytes: usize,
}

/// Takes batches, tells the reader of each that it is done with.
pub(crate) struct Writer {
    pub(crate) store: Store,
    pub(crate) kafka: KafkaConfig,
    log_check: LogCheck,
    done: Sender<Done>,
    pub(crate) metrics: Metrics,
    pub(crate) report: Reporter,
    mirror: Option<Mirror>,
    /// Reads refused records again, once there is one.
    pub(crate) lookup: RecordLookup,
    /// Records that the database has refused since it took one.
    pub(crate) refused_in_a_row: usize,
}

/// Attempts to insert into one table.
pub(crate) struct Attempts {
    table: Table,
    rows: usize,
    backoff: Backoff,
}

/// Seals batches while others are inserted; one that is ready waits. The memory of a sealed one goes back to the reader.
///
/// # Errors
/// A panic. Nothing is lost: the offsets of the batch are not committed.
pub(crate) async fn seal_all(
    mut batches: mpsc::UnboundedReceiver<Batch>,
    sealed: mpsc::Sender<SealedBatch>,
    emptied: SyncSender<EventBatch>,
) -> Result<(), Error> {
    let mut recent = RecentCopies::default();
    while let Some(batch) = batches.recv().await {
        // An encoded batch is large: there is no use in one for which there is no place.
        let Ok(place) = sealed.reserve().await else { break };
        let sealing = tokio::task::spawn_blocking(move || (batch.seal(&mut recent), recent)).await;
        let ((batch, spare), recent_again) = sealing.map_err(|error| Error::Seal(error.to_string()))?;
        recent = recent_again;
        // The reader has one already: this one goes.
        let _ = emptied.try_send(spare);
        crash::point("batch_sealed");
        place.send(batch);
    }
    Ok(())
}

impl Writer {
    pub(crate) fn new(
        store: Store,
        kafka: &KafkaConfig,
        log_check: LogCheck,
        done: Sender<Done>,
        metrics: Metrics,
        report: Reporter,
    ) -> Self {
        let (mirror, lookup) = (Mirror::new(kafka, &metrics, &report), RecordLookup::new(kafka));
        Self {
            store,
            kafka: kafka.clone(),
            log_check,
            done,
            metrics,
            report,
            mirror,
            lookup,
            refused_in_a_row: 0,
        }
    }

    /// Stores batches in their order until there are no more, or the reader is gone.
    ///
    /// # Errors
    /// ClickHouse refuses rows in a way that waiting cannot change. Nothing is lost: their offsets are not committed.
    pub(crate) async fn run(mut self, mut sealed: mpsc::Receiver<SealedBatch>) -> Result<(), Error> {
        (self.report)(CHECK, Ok(()));
        while let Some(mut batch) = sealed.recv().await {
            let is_stored = self.log_check.passes(&batch.progress).await?;
            if is_stored {
                self.store_batch(&mut batch).await?;
                crash::point("batch_stored");
                self.account(&batch.progress).await?;
                crash::point("batch_accounted");
            }
            let done = Done { progress: batch.progress, is_stored, bytes: batch.bytes_until_stored };
            if self.done.send(done).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn store_batch(&mut self, batch: &mut SealedBatch) -> Result<(), Error> {
        // A partition never moves on from a reject that is not there.
        if let Some(rejects) = &batch.rejects {
            self.insert(rejects).await?;
            crash::point("rejects_inserted");
        }
        if let Some(events) = &batch.events {
            self.write(events, &mut batch.progress).await?;
        }
        self.mirror(&batch.rejected).await;
        crash::point("rejects_mirrored");
        Ok(())
    }

    /// Writes into the ledger what is stored, since whoever reads on goes by that.
    async fn account(&self, progress: &Progress) -> Result<(), Error> {
        if let Some(ledger) = progress.ledger(&self.kafka.topic) {
            self.insert(&ledger).await?;
            crash::point("ledger_inserted");
        }
        self.metrics.stored(progress, now_ms());
        Ok(())
    }

    /// Writes events, and to quarantine those that the database refuses.
    async fn write(&mut self, events: &SealedEvents, progress: &mut Progress) -> Result<(), Error> {
        let mut attempts = Attempts::new(Table::UsageEvents, events.events.rows);
        while let Err(error) = self.store.write(events).await {
            match self.failed(&mut attempts, error).await {
                Ok(()) => {}
                Err(error) if error.class() == ErrorClass::Poisonous => {
                    tracing::warn!(%error, "clickhouse refuses a batch: looking for the records at fault");
                    return self.store_accepted(events, progress).await;
                }
                Err(error) => return Err(self.give_up(&attempts, error)),
            }
        }
        self.succeeded(&attempts);
        self.refused_in_a_row = 0;
        Ok(())
    }

    /// Inserts a batch, however often it takes.
    pub(crate) async fn insert(&self, batch: &EncodedBatch) -> Result<(), Error> {
        let mut attempts = Attempts::new(batch.table, batch.rows);
        while let Err(error) = self.store.insert(batch).await {
            self.failed(&mut attempts, error).await.map_err(|error| self.give_up(&attempts, error))?;
        }
        self.succeeded(&attempts);
        Ok(())
    }

    /// Publishes rejects where a mirror topic is configured.
    pub(crate) async fn mirror(&mut self, rejects: &RejectBatch) {
        if let Some(mirror) = &mut self.mirror {
            mirror.publish(rejects).await;
        }
    }

    /// Takes note of an attempt that failed, and waits for the next one.
    ///
    /// # Errors
    /// The same again cannot help.
    pub(crate) async fn failed(
        &self,
        attempts: &mut Attempts,
        error: meterhouse_store::Error,
    ) -> Result<(), meterhouse_store::Error> {
        let (class, table) = (error.class(), attempts.table.name());
        self.metrics.retries.with_label_values(&[class.as_str()]).inc();
        (self.report)(CHECK, Err(format!("insert into {table} fails: {error}")));
        if class != ErrorClass::Retryable {
            return Err(error);
        }
        let (attempt, pause_ms) = (attempts.backoff.attempt, attempts.backoff.pause().as_millis());
        tracing::warn!(%error, table, attempt, pause_ms, "insert failed, trying again");
        attempts.backoff.wait().await;
        Ok(())
    }

    /// Takes note of an attempt that succeeded.
    pub(crate) fn succeeded(&self, attempts: &Attempts) {
        let attempt = attempts.backoff.attempt;
        if attempt > 1 {
            tracing::info!(table = attempts.table.name(), attempt, rows = attempts.rows, "insert succeeded");
            (self.report)(CHECK, Ok(()));
        }
    }

    /// The end: an operator has to act.
    pub(crate) fn give_up(&self, attempts: &Attempts, error: meterhouse_store::Error) -> Error {
        let (table, rows) = (attempts.table.name(), attempts.rows);
        (self.report)(CHECK, Err(format!("insert into {table} fails: {error}")));
        tracing::error!(%error, table, rows, "clickhouse refuses a batch for good");
        error.into()
    }
}

impl Attempts {
    pub(crate) fn new(table: Table, rows: usize) -> Self {
        Self { table, rows, backoff: Backoff::new() }
    }

    /// The next one is the first of another insert.
    pub(crate) fn begin_again(&mut self) {
        self.backoff = Backoff::new();
    }
}

/// Milliseconds since the epoch. A clock before 1970 counts as 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
