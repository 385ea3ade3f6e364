//! What a client may send and keep open, and how much is worked on at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Longest time that a request waits for a slot. Somebody who waits at a browser or behind a proxy does not wait longer, and a
/// short burst is over by then.
const SLOT_TIMEOUT: Duration = Duration::from_secs(5);

/// Limits of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; further ones wait in the listener's queue.
    pub connections: usize,
    /// Time for a request's head to arrive, from the connection's start or from the answer before.
    pub head_timeout: Duration,
    /// Request line and headers together, at least 8192; longer ones are answered with 431 and no body.
    pub head_bytes: usize,
    /// Time for a request's whole body to arrive, if it is read.
    pub body_timeout: Duration,
    /// Longest body that is read. The connections together may hold so much each.
    pub body_bytes: usize,
}

/// Room for so many requests to be worked on at a time. Cheap to clone; all clones are one.
///
/// A request takes a slot behind all checks of who may ask, and while ClickHouse is asked: strangers and slow senders take
/// none. Without limit a burst would have all its questions compete in ClickHouse until none is answered in time.
#[derive(Debug, Clone)]
pub struct Slots(Arc<Semaphore>);

impl Default for Limits {
    /// Two listeners of so many connections leave room for the clients of ClickHouse and Kafka below the usual limit of
    /// 1024 open files.
    fn default() -> Self {
        Self {
            connections: 400,
            head_timeout: Duration::from_secs(30),
            head_bytes: 32 * 1024,
            body_timeout: Duration::from_secs(10),
            body_bytes: 1024 * 1024,
        }
    }
}

impl Slots {
    /// So many slots.
    pub fn new(requests: usize) -> Self {
        Self(Arc::new(Semaphore::new(requests.min(Semaphore::MAX_PERMITS))))
    }

    /// A slot, for as long as it is kept: first come, first served. None: no slot came free for five seconds.
    pub(crate) async fn take(&self) -> Option<SemaphorePermit<'_>> {
        tokio::time::timeout(SLOT_TIMEOUT, self.0.acquire()).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_gets_the_next_slot_or_none_after_a_while() {
        let slots = Slots::new(2);
        let first = slots.take().await.unwrap();
        let _second = slots.clone().take().await.map(SemaphorePermit::forget);
        let started = tokio::time::Instant::now();
        assert!(slots.take().await.is_none());
        assert_eq!(started.elapsed(), SLOT_TIMEOUT);

        let waiting = slots.take();
        let freed = async {
            tokio::time::sleep(SLOT_TIMEOUT / 2).await;
            drop(first);
        };
        assert!(tokio::join!(waiting, freed).0.is_some());
        assert_eq!(started.elapsed(), SLOT_TIMEOUT * 3 / 2);
    }
}
