//! The last step of a batch: the ledger.

use std::sync::Arc;

use meterhouse_store::crash;

use crate::Error;
use crate::backoff::Backoff;
use crate::progress::Progress;
use crate::topic_id::TopicId;
use crate::writer::{CHECK, Writer, now_ms};

impl Writer {
    /// Writes into the ledger what is stored, since whoever reads on goes by that. Not if the topic is another one of the
    /// same name by now: librdkafka has gone on in it as if it were the same.
    pub(crate) async fn account(&self, progress: &Progress) -> Result<bool, Error> {
        if !self.is_same_topic(progress.topic_id).await {
            return Ok(false);
        }
        if let Some(ledger) = progress.ledger(&self.kafka.topic) {
            self.insert(&ledger).await?;
            crash::point("ledger_inserted");
        }
        self.metrics.stored(progress, now_ms());
        Ok(true)
    }

    /// Whether the topic still has an id; asks until Kafka answers.
    async fn is_same_topic(&self, id: TopicId) -> bool {
        let mut backoff = Backoff::new();
        loop {
            let ids = Arc::clone(&self.topic_ids);
            let read =
                tokio::task::spawn_blocking(move || ids.read().map_err(|error| error.to_string())).await;
            let why = match read {
                Ok(Ok(now)) => {
                    if backoff.attempt > 1 {
                        (self.report)(CHECK, Ok(()));
                    }
                    return now == Some(id);
                }
                Ok(Err(why)) => why,
                Err(panic) => panic.to_string(),
            };
            tracing::warn!(error = why, "the topic's id cannot be read, asking again");
            (self.report)(CHECK, Err(format!("the topic's id cannot be read: {why}")));
            backoff.wait().await;
        }
    }
}
