//! Records read again, one by one, as long as Kafka answers and it does not take too long.

use std::time::{Duration, Instant};

use meterhouse_store::EventCopy;

use crate::lookup::FoundRecord;
use crate::{KafkaConfig, RecordLookup};

/// What is known of a copy's record.
pub(super) enum Raw {
    /// All of it.
    Found(FoundRecord),
    /// It is not in the topic any more.
    Gone,
    /// Nothing: it has to be asked for again later.
    Unknown,
}

/// Reads records, and remembers what is in the way.
pub(super) struct Records {
    topic: String,
    lookup: RecordLookup,
    /// Why the last record could not be read.
    failure: Option<String>,
    /// Time that was spent with Kafka.
    spent: Duration,
}

impl Records {
    pub(super) fn new(kafka: &KafkaConfig) -> Self {
        Self {
            topic: kafka.topic.clone(),
            lookup: RecordLookup::new(kafka),
            failure: None,
            spent: Duration::ZERO,
        }
    }

    /// Why records cannot be read, where they cannot.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Forgets what was in the way.
    pub(super) fn try_again(&mut self) {
        self.failure = None;
    }

    /// Time that was spent with Kafka since it was taken.
    pub(super) fn spent(&self) -> Duration {
        self.spent
    }

    pub(super) fn take_spent(&mut self) -> Duration {
        std::mem::take(&mut self.spent)
    }

    /// Reads a copy's record again. Once that has failed nothing is read, as each attempt may take long.
    pub(super) async fn read(&mut self, copy: &EventCopy) -> Raw {
        if copy.topic != self.topic {
            return Raw::Gone;
        }
        if self.failure.is_some() {
            return Raw::Unknown;
        }
        let begun = Instant::now();
        let found = self.lookup.find(copy.partition, copy.offset).await;
        self.spent += begun.elapsed();
        match found {
            Ok(Some(found)) if found.timestamp_ms.unwrap_or_default() == copy.record_time => {
                Raw::Found(found)
            }
            // Another record stands there if the topic was made anew.
            Ok(_) => Raw::Gone,
            Err(why) => {
                self.failure = Some(why);
                Raw::Unknown
            }
        }
    }
}
