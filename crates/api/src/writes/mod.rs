//! Writing usages: as records on Kafka, like those of everybody else, and answered once they can be read back.
//!
//! ```text
//! events -> look the identity up -> publish -> wait until the ledger has passed the record -> read back who has won
//! ```
//!
//! - A request is one record, so all of it is stored or nothing.
//! - An `Idempotency-Key` makes the identities of a request: sent again, they are the same. The first usage of a request also
//!   states the request itself, so whoever reads its copy back as the winner knows that no other request has the key. One
//!   that has lost takes back those of its usages that the winner does not have.
//! - A change states the usage anew at the revision after the one that was read. Of several at one revision one wins; who
//!   reads back that another has, begins again with what that one has made of the usage.
//! - A deletion counts above a change at its revision. Where such a change was there before it, somebody may build upon that
//!   at the next revision, so the deletion is only done once it is stated there, too.
//! - Nothing is told to be saved before it was acknowledged by Kafka, and, but for a new usage without a key, read back. A
//!   request that ends in between may be repeated: it finds what it has done.

mod accounted;
mod amend;
mod delete;
mod deleting;
mod find;
mod mend;
mod origin;
mod save;

use std::sync::Arc;
use std::time::Duration;

use meterhouse_ingest::{ProducerError, TopicProducer, Written, record_value};
use meterhouse_model::{CloudEventHeaders, Event, Record, Rules, Version, parse};
use meterhouse_query::Usages;
use meterhouse_store::{Evidence, StoredReject, WinningCopy};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, watch};

use accounted::Accounted;
pub(crate) use amend::Amendment;
pub(crate) use save::{Key, NewUsages, Visible};

use crate::Slots;
use crate::read::in_time;

/// How often a change is tried where others are faster.
const ATTEMPTS: usize = 10;
/// Writes at a time: as many as connections by default. A write goes on when its connection is gone, so that these are no limit.
const WRITES_MAX: usize = 400;
/// Deletions by criteria at a time: each may hold thousands of usages in memory.
const DELETIONS_MAX: usize = 8;
/// Time for a write until its client is told that it takes too long. It goes on.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// Writes usages. Cheap to clone.
#[derive(Clone)]
pub struct UsageWriter {
    producer: TopicProducer,
    usages: Usages,
    rules: watch::Receiver<Arc<Rules>>,
    visible_wait: Duration,
    accounted: Arc<Accounted>,
    slots: Slots,
    room: Arc<Semaphore>,
    deletions: Slots,
}

/// Why usages are not written, or not known to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// They do not keep the rules.
    Invalid(String),
    /// They make too large a record.
    TooLarge(String),
    /// There is no such usage.
    NotFound,
    /// Another request had the key.
    KeyTaken,
    /// Several usages have the reference.
    Ambiguous,
    /// The usage has the highest revision that there is.
    NoMoreRevisions,
    /// A server does not answer, or not in time. To try again does no harm.
    Unavailable,
    /// Kafka did not acknowledge usages that have no key: they may be written all the same.
    Unknown,
}

impl UsageWriter {
    /// Puts together what a write takes. `rules` are those of ingest; `visible_wait` is how long a record may take until it
    /// is accounted for; `slots` are those of all reads.
    pub fn new(
        producer: TopicProducer,
        usages: Usages,
        rules: watch::Receiver<Arc<Rules>>,
        visible_wait: Duration,
        slots: Slots,
    ) -> Self {
        Self {
            producer,
            usages,
            rules,
            visible_wait,
            accounted: Arc::default(),
            slots,
            room: Arc::new(Semaphore::new(WRITES_MAX)),
            deletions: Slots::new(DELETIONS_MAX),
        }
    }

    /// The rules that hold now.
    pub(crate) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.borrow())
    }

    /// Runs a write to its end, whether or not its client waits for it. It is not begun where there are too many. `late` is
    /// what the client is told where it takes too long.
    pub(crate) async fn to_the_end<T: Send + 'static>(
        &self,
        late: WriteError,
        write: impl Future<Output = Result<T, WriteError>> + Send + 'static,
    ) -> Result<T, WriteError> {
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            tracing::warn!("a write was not begun: {WRITES_MAX} are under way");
            return Err(WriteError::Unavailable);
        };
        let write = async {
            let _room = room;
            write.await
        };
        match tokio::time::timeout(WRITE_TIMEOUT, tokio::spawn(write)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) | Err(_) => Err(late),
        }
    }

    /// What a read finds, as soon as there is a slot for it. `what` names it in the log.
    async fn ask<T>(
        &self,
        what: &str,
        answer: impl Future<Output = Result<T, meterhouse_query::Error>>,
    ) -> Result<T, WriteError> {
        in_time(&self.slots, what, answer).await.ok_or(WriteError::Unavailable)
    }

    /// Publishes events of one subscription as a record, if they keep the rules.
    async fn publish(&self, events: &[Event<'_>], now_ms: i64) -> Result<Published, WriteError> {
        let Some(first) = events.first() else { return Err(WriteError::NotFound) };
        let value = record_value(events).map_err(|error| WriteError::Invalid(error.to_string()))?;
        let rules = self.rules();
        if value.len() > rules.max_record_bytes {
            let (bytes, allowed) = (value.len(), rules.max_record_bytes);
            let message = format!("The usages make a record of {bytes} bytes, allowed are {allowed}");
            return Err(WriteError::TooLarge(message));
        }
        let record = record(self.producer.topic(), value.as_bytes(), now_ms);
        parse(&record, &rules).map_err(|reject| WriteError::Invalid(reject.to_string()))?;
        match self.producer.send(first.subscription.as_bytes(), value.as_bytes()).await {
            Ok(written) => Ok(Published::At(written)),
            Err(ProducerError::TooLarge { .. }) => {
                let bytes = value.len();
                let message = format!("The usages make a record of {bytes} bytes, which Kafka does not take");
                Err(WriteError::TooLarge(message))
            }
            Err(error) => {
                tracing::warn!(%error, "cannot publish usages");
                let is_unknown = matches!(error, ProducerError::Delivery { .. });
                Ok(if is_unknown { Published::Perhaps } else { Published::Not })
            }
        }
    }

    /// Publishes what may be published again, and waits until it is accounted for.
    async fn publish_and_wait(&self, events: &[Event<'_>], now_ms: i64) -> Result<Written, WriteError> {
        match self.publish(events, now_ms).await? {
            Published::At(written) if self.is_accounted(written).await => Ok(written),
            _ => Err(WriteError::Unavailable),
        }
    }

    /// Waits until a record is accounted for: it is stored then, or in quarantine. False: not in time.
    async fn is_accounted(&self, written: Written) -> bool {
        self.accounted.wait(&self.usages, self.producer.topic(), written, self.visible_wait).await
    }

    /// Why a record of these events that is accounted for has left nothing behind. Another record was rejected at the same
    /// place where the topic was made anew.
    async fn rejection(&self, events: &[Event<'_>], written: Written) -> WriteError {
        let Ok(value) = record_value(events) else { return WriteError::Unavailable };
        let (topic, hash) = (self.producer.topic(), Sha256::digest(value));
        let rejects = self.ask("rejects", self.usages.rejects_of(written.partition, written.offset)).await;
        let is_ours =
            |reject: &StoredReject| reject.listed.key.topic == topic && reject.raw_sha256[..] == hash[..];
        match rejects.into_iter().flatten().find(is_ours) {
            Some(StoredReject { listed, .. }) => {
                WriteError::Invalid(format!("{}: {}", listed.reason, listed.detail))
            }
            None => WriteError::Unavailable,
        }
    }

    /// The copy of an event that has won among those below a version. `None`: there is none.
    async fn winner(&self, event: &Event<'_>, below: Version) -> Result<Option<WinningCopy>, WriteError> {
        let identity = event.identity_hash();
        let winners = self.ask("identity", self.usages.winners_below(&[identity], below)).await?;
        Ok(winners.get(&identity).copied())
    }

    /// What will be known of a copy of an event; of no record yet.
    fn evidence(&self, event: &Event<'_>) -> Evidence {
        Evidence::of(event, &record(self.producer.topic(), &[], 0))
    }
}

/// What became of a record.
enum Published {
    At(Written),
    /// It was not acknowledged, and may be there all the same.
    Perhaps,
    /// It is not there.
    Not,
}

/// A record of ours, as far as a verdict depends on it.
pub(crate) fn record<'r>(topic: &'r str, value: &'r [u8], now_ms: i64) -> Record<'r> {
    Record {
        topic,
        partition: 0,
        offset: 0,
        timestamp_ms: Some(now_ms),
        value: Some(value),
        content_type: None,
        cloud_event: CloudEventHeaders::default(),
    }
}
