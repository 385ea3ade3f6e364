//! Whether what was read still comes from the log that it was taken for.
//!
//! librdkafka tells nobody when a topic is deleted and created anew: it goes on in the new log at the offset of the old one.
//! And a topic that becomes compacted loses records as if they had never been. So both are asked for once a batch is read,
//! before any of it is stored: until somebody accepts another log, nothing of it counts.

use std::sync::Arc;

use crate::backoff::Backoff;
use crate::progress::Progress;
use crate::topic::CleanupPolicy;
use crate::topic_id::{TopicId, TopicIds};
use crate::writer::CHECK;
use crate::{Error, Reporter};

/// Checks batches, each before it is stored.
pub(crate) struct LogCheck {
    pub(crate) ids: Arc<TopicIds>,
    pub(crate) policy: Arc<CleanupPolicy>,
    pub(crate) report: Reporter,
    /// The assignment of a batch that was dropped: what comes behind it would leave a gap in the ledger.
    pub(crate) left: Option<u64>,
}

impl LogCheck {
    /// Whether a batch may be stored. Asks until Kafka answers.
    ///
    /// # Errors
    /// The topic is compacted.
    pub(crate) async fn passes(&mut self, progress: &Progress) -> Result<bool, Error> {
        if self.left == Some(progress.assignment) {
            return Ok(false);
        }
        if !self.is_same_topic(progress.topic_id).await {
            self.left = Some(progress.assignment);
            return Ok(false);
        }
        if progress.has_holes() {
            self.refuse_compacted().await?;
        }
        Ok(true)
    }

    /// Whether the topic still has an id.
    async fn is_same_topic(&self, id: TopicId) -> bool {
        let read = || {
            let ids = Arc::clone(&self.ids);
            async {
                let read = tokio::task::spawn_blocking(move || ids.read()).await;
                read.map_err(|panic| panic.to_string())?.map_err(|error| error.to_string())
            }
        };
        self.until_answered("id", read).await == Some(id)
    }

    /// Holes are markers of transactions, or records that compaction has taken.
    async fn refuse_compacted(&self) -> Result<(), Error> {
        let read = || {
            let policy = Arc::clone(&self.policy);
            async move { policy.refusal().await.map_err(|error| error.to_string()) }
        };
        self.until_answered("configuration", read).await.map_or(Ok(()), Err)
    }

    async fn until_answered<T, A>(&self, what: &str, ask: impl Fn() -> A) -> T
    where
        A: Future<Output = Result<T, String>>,
    {
        let mut backoff = Backoff::new();
        loop {
            match ask().await {
                Ok(answer) => {
                    if backoff.attempt > 1 {
                        (self.report)(CHECK, Ok(()));
                    }
                    return answer;
                }
                Err(error) => {
                    tracing::warn!(error, "the topic's {what} cannot be read, asking again");
                    (self.report)(CHECK, Err(format!("the topic's {what} cannot be read: {error}")));
                    backoff.wait().await;
                }
            }
        }
    }
}
