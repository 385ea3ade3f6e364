//! What librdkafka tells of deliveries.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;
use rdkafka::{ClientContext, Message};
use tokio::sync::oneshot;

use super::Written;

/// Marks a record that nobody waits for in person.
pub(super) const UNAWAITED: usize = 0;

/// What became of a record.
pub(crate) type Report = Result<Written, KafkaError>;

/// Receives the reports of deliveries.
#[derive(Default)]
pub(super) struct Reports {
    pub(super) acknowledged: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) first_failure: Mutex<Option<KafkaError>>,
    /// What the client last said about the connection.
    pub(super) last_trouble: Mutex<Option<String>>,
    next_ticket: AtomicUsize,
    pub(super) awaited: Mutex<HashMap<usize, oneshot::Sender<Report>>>,
}

impl Reports {
    /// A ticket for a record, and where its report will come.
    pub(super) fn await_report(&self) -> (usize, oneshot::Receiver<Report>) {
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
        let (waiting, report) = oneshot::channel();
        lock(&self.awaited).insert(ticket, waiting);
        (ticket, report)
    }
}

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "kafka producer has trouble");
        *lock(&self.last_trouble) = Some(reason.to_owned());
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: usize) {
        let report = match result {
            Ok(message) => Ok(Written { partition: message.partition(), offset: message.offset() }),
            Err((error, _)) => Err(error.clone()),
        };
        if ticket != UNAWAITED {
            if let Some(waiting) = lock(&self.awaited).remove(&ticket) {
                // Whoever waited may have given up.
                let _ = waiting.send(report);
            }
            return;
        }
        match report {
            Ok(_) => {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                lock(&self.first_failure).get_or_insert(error);
                self.failed.fetch_add(1, Ordering::Release);
            }
        }
    }
}

/// A panic elsewhere leaves these values whole: each is changed in one step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
