//! Pauses between attempts.

use std::time::Duration;

/// Pause after the first failed attempt; it doubles with each further one.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// How long to wait before the next attempt.
#[derive(Debug)]
pub(crate) struct Backoff {
    pause: Duration,
    /// Number of the attempt that is under way, from 1.
    pub(crate) attempt: u64,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { pause: FIRST, attempt: 1 }
    }

    /// The next pause.
    pub(crate) fn pause(&self) -> Duration {
        self.pause
    }

    /// Waits for the next attempt.
    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST);
        self.attempt += 1;
    }
}
