//! The pipeline as a whole: the poll thread, the sealing and the writing of batches, and their end.

use std::sync::{Arc, mpsc as std_mpsc};
use std::thread;
use std::time::Duration;

use meterhouse_model::Rules;
use meterhouse_store::Store;
use rdkafka::error::KafkaError;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::log_check::LogCheck;
use crate::reader::{Channels, Reader};
use crate::resume::Resumption;
use crate::topic::CleanupPolicy;
use crate::topic_id::TopicIds;
use crate::writer::{Writer, seal_all};
use crate::{BatchLimits, KafkaConfig, Metrics};

/// Sealed batches that wait for the one before to be inserted.
const SEALED_WAITING: usize = 1;
/// Emptied batches whose memory waits for the next one.
const EMPTIED_WAITING: usize = 1;

/// Time to leave the consumer group: with no broker there, to leave it may take for ever.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Takes the latest result of a readiness check, by the check's name.
pub type Reporter = Arc<dyn Fn(&'static str, Result<(), String>) + Send + Sync>;

/// Why the pipeline has ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kafka refuses to let us read.
    #[error("kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// ClickHouse refuses rows in a way that waiting cannot change.
    #[error("clickhouse: {0}")]
    Store(#[from] meterhouse_store::Error),
    /// The topic keeps one record a key and drops the others.
    #[error(
        "the topic {topic} has cleanup.policy={policy}: compaction keeps the last record of each key and drops the usage \
         in all others, so it is not read; usage needs cleanup.policy=delete"
    )]
    Compacted {
        /// Its name.
        topic: String,
        /// As configured.
        policy: String,
    },
    /// A message came where only events of the group are expected.
    #[error("a message came in the wrong queue")]
    Misled,
    /// A batch cannot be encoded: a panic.
    #[error("a batch cannot be encoded: {0}")]
    Seal(String),
    /// The writer is gone.
    #[error("the writer of batches has ended")]
    WriterEnded,
    /// The poll thread cannot be started, or panicked.
    #[error("the poll thread {0}")]
    PollThread(String),
}

/// Reads records and stores them until the shutdown, then stores what was read, within a bound.
///
/// The tables must be there. Readiness is reported as the checks `partitions` and `ingest`.
///
/// # Errors
/// Going on is impossible, or refused. Nothing is lost: the ledger only accounts for what is stored.
pub async fn ingest(
    kafka: &KafkaConfig,
    limits: BatchLimits,
    rules: watch::Receiver<Arc<Rules>>,
    store: Store,
    metrics: Metrics,
    report: Reporter,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let (batches, to_seal) = mpsc::unbounded_channel();
    let (sealed, to_write) = mpsc::channel(SEALED_WAITING);
    let (done, to_commit) = std_mpsc::channel();
    let (emptied, to_fill) = std_mpsc::sync_channel(EMPTIED_WAITING);
    let channels = Channels { batches, done: to_commit, emptied: to_fill };
    let (topic_ids, policy) = (Arc::new(TopicIds::new(kafka)?), Arc::new(CleanupPolicy::new(kafka)?));
    let resumption = Resumption {
        store: store.clone(),
        runtime: Handle::current(),
        kafka: kafka.clone(),
        topic_ids: Arc::clone(&topic_ids),
        policy: Arc::clone(&policy),
        metrics: metrics.clone(),
        shutdown: shutdown.clone(),
    };
    let reader = Reader::join(resumption, limits, rules, channels, metrics.clone(), Arc::clone(&report))?;
    let (mut reading, left) = spawn_reader(reader, shutdown)?;
    let sealing = seal_all(to_seal, sealed, emptied);
    let log_check = LogCheck { ids: topic_ids, policy, report: Arc::clone(&report), left: None };
    let writing = Writer::new(store, kafka, log_check, done, metrics, report).run(to_write);
    let storing = async { tokio::try_join!(sealing, writing) };
    let outcome = tokio::select! {
        // The reader waits for what it has handed over: whatever is still under way is given up.
        ended = &mut reading => thread_outcome(ended),
        Err(error) = storing => {
            // Nobody takes batches any more, so the reader ends soon, without a commit.
            let _ = reading.await;
            Err(error)
        }
    };
    if tokio::time::timeout(LEAVE_TIMEOUT, left).await.is_err() {
        tracing::warn!(
            "kafka does not answer: the last offsets may not be committed, records are read again later"
        );
    }
    outcome
}

/// What the poll thread tells: how the reader has ended, then that the group is left, by the end of the channel.
type Reading = (oneshot::Receiver<Result<(), Error>>, oneshot::Receiver<()>);

fn spawn_reader(mut reader: Reader, shutdown: CancellationToken) -> Result<Reading, Error> {
    let (ended, reading) = oneshot::channel();
    let (leaving, left) = oneshot::channel();
    thread::Builder::new()
        .name("kafka-reader".to_owned())
        .spawn(move || {
            let _ = ended.send(reader.run(&shutdown));
            reader.leave();
            drop(leaving);
        })
        .map_err(|error| Error::PollThread(format!("cannot be started: {error}")))?;
    Ok((reading, left))
}

fn thread_outcome(ended: Result<Result<(), Error>, oneshot::error::RecvError>) -> Result<(), Error> {
    ended.unwrap_or_else(|_| Err(Error::PollThread("panicked".to_owned())))
}
