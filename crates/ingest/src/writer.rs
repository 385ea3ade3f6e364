//! Stores batches one after the other: the same bytes again until ClickHouse has acknowledged them.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use meterhouse_store::{ErrorClass, Store, Table};
use tokio::sync::mpsc;

use crate::batch::{Batch, SealedBatch};
use crate::progress::Progress;
use crate::topic_id::{TopicId, TopicIds};
use crate::{Error, Metrics, Reporter};

/// Pause after the first failed attempt; it doubles with each further one.
const BACKOFF: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Name of the readiness check.
const CHECK: &str = "ingest";

/// A batch that is stored.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) progress: Progress,
    /// It is in the ledger.
    pub(crate) is_accounted: bool,
    /// What it does not count towards the bytes in flight any more.
    pub(crate) bytes: usize,
}

/// Takes batches, tells the reader of each that is stored.
pub(crate) struct Writer {
    pub(crate) store: Store,
    pub(crate) topic: String,
    pub(crate) topic_ids: Arc<TopicIds>,
    pub(crate) stored: Sender<Stored>,
    pub(crate) metrics: Metrics,
    pub(crate) report: Reporter,
}

/// Seals batches while others are inserted; one that is ready waits.
///
/// # Errors
/// A panic. Nothing is lost: the offsets of the batch are not committed.
pub(crate) async fn seal_all(
    mut batches: mpsc::UnboundedReceiver<Batch>,
    sealed: mpsc::Sender<SealedBatch>,
) -> Result<(), Error> {
    while let Some(batch) = batches.recv().await {
        let batch = tokio::task::spawn_blocking(|| batch.seal()).await;
        let batch = batch.map_err(|error| Error::Seal(error.to_string()))?;
        if sealed.send(batch).await.is_err() {
            break;
        }
    }
    Ok(())
}

impl Writer {
    /// Stores batches in their order until there are no more, or the reader is gone.
    ///
    /// # Errors
    /// ClickHouse refuses rows in a way that waiting cannot change. Nothing is lost: their offsets are not committed.
    pub(crate) async fn run(self, mut sealed: mpsc::Receiver<SealedBatch>) -> Result<(), Error> {
        (self.report)(CHECK, Ok(()));
        while let Some(batch) = sealed.recv().await {
            self.store_batch(&batch).await?;
            let is_accounted = self.account(&batch.progress).await?;
            let stored = Stored { progress: batch.progress, is_accounted, bytes: batch.bytes_until_stored };
            if self.stored.send(stored).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn store_batch(&self, batch: &SealedBatch) -> Result<(), Error> {
        // A partition never moves on from a reject that is not there.
        if let Some(rejects) = &batch.rejects {
            self.retry(Table::Rejects, rejects.rows, || self.store.insert(rejects)).await?;
        }
        if let Some(events) = &batch.events {
            self.retry(Table::UsageEvents, events.events.rows, || self.store.write(events)).await?;
        }
        Ok(())
    }

    /// Writes into the ledger what is stored, since whoever reads on goes by that. Not if the topic is another one of the
    /// same name by now: librdkafka has gone on in it as if it were the same.
    async fn account(&self, progress: &Progress) -> Result<bool, Error> {
        if !self.is_same_topic(progress.topic_id).await {
            return Ok(false);
        }
        if let Some(ledger) = progress.ledger(&self.topic) {
            self.retry(Table::Ledger, ledger.rows, || self.store.insert(&ledger)).await?;
        }
        self.metrics.stored(progress, now_ms());
        Ok(true)
    }

    /// Whether the topic still has an id; asks until Kafka answers.
    async fn is_same_topic(&self, id: TopicId) -> bool {
        let mut pause = BACKOFF;
        loop {
            let ids = Arc::clone(&self.topic_ids);
            let read =
                tokio::task::spawn_blocking(move || ids.read().map_err(|error| error.to_string())).await;
            let why = match read {
                Ok(Ok(now)) => {
                    if pause > BACKOFF {
                        (self.report)(CHECK, Ok(()));
                    }
                    return now == Some(id);
                }
                Ok(Err(why)) => why,
                Err(panic) => panic.to_string(),
            };
            tracing::warn!(error = why, "the topic's id cannot be read, asking again");
            (self.report)(CHECK, Err(format!("the topic's id cannot be read: {why}")));
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(BACKOFF_MAX);
        }
    }

    /// Does the same again, with growing pauses, until ClickHouse has acknowledged it.
    async fn retry<F>(&self, table: Table, rows: usize, insert: impl Fn() -> F) -> Result<(), Error>
    where
        F: Future<Output = Result<(), meterhouse_store::Error>>,
    {
        let table = table.name();
        let mut pause = BACKOFF;
        let mut attempt = 1_u64;
        while let Err(error) = insert().await {
            let class = error.class();
            self.metrics.retries.with_label_values(&[class.as_str()]).inc();
            (self.report)(CHECK, Err(format!("insert into {table} fails: {error}")));
            if class != ErrorClass::Retryable {
                tracing::error!(%error, table, rows, "clickhouse refuses a batch for good");
                return Err(error.into());
            }
            tracing::warn!(%error, table, attempt, pause_ms = pause.as_millis(), "insert failed, trying again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(BACKOFF_MAX);
            attempt += 1;
        }
        if attempt > 1 {
            tracing::info!(table, attempt, rows, "insert succeeded");
            (self.report)(CHECK, Ok(()));
        }
        Ok(())
    }
}

/// Milliseconds since the epoch. A clock before 1970 counts as 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
