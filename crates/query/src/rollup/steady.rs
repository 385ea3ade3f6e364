//! Whether the server's clock runs evenly.
//!
//! A scan is clean when it began a margin later than the newest mark, by the server's clock. A clock that jumps ahead would
//! let a scan begin while the rows behind a mark are still on their way. So a scan waits until that clock has gone along
//! with ours for a margin, and was asked all the time.

use std::time::{Duration, Instant};

use meterhouse_store::{Error, ServerTime, Store};

/// The server's clock beside ours.
#[derive(Debug)]
pub(super) struct SteadyClock {
    margin: Duration,
    /// Both at the time since when they have gone along with each other.
    since: Option<(Instant, ServerTime)>,
    /// For how long they have.
    steady_for: Duration,
}

impl SteadyClock {
    pub(super) fn new(margin: Duration) -> Self {
        Self { margin, since: None, steady_for: Duration::ZERO }
    }

    /// Asks for the server's time.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn time(&mut self, store: &Store) -> Result<ServerTime, Error> {
        let asked = Instant::now();
        let now = store.server_time().await?;
        self.compare(asked, now);
        Ok(now)
    }

    /// Whether the server's clock had run evenly for a margin when it was last asked.
    pub(super) fn is_steady(&self) -> bool {
        self.steady_for >= self.margin
    }

    fn compare(&mut self, asked: Instant, now: ServerTime) {
        // A margin that is short by this much is still longer than an insert may take.
        let tolerance = self.margin / 4;
        let (begun, time) = *self.since.get_or_insert((asked, now));
        let passed = asked.duration_since(begun);
        let expected = time.plus(passed);
        let is_even = now >= expected.minus(tolerance) && now <= expected.plus(tolerance);
        // A server that was held up goes on with inserts that are as old as that.
        let is_silent = passed.saturating_sub(self.steady_for) > self.margin - tolerance;
        if is_even && !is_silent {
            self.steady_for = passed;
        } else {
            self.since = Some((asked, now));
            self.steady_for = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARGIN: Duration = Duration::from_secs(80);

    #[test]
    fn a_clock_is_steady_once_it_has_gone_along_for_a_margin() {
        let begun = Instant::now();
        let mut clock = SteadyClock::new(MARGIN);
        let mut at = |here: u64, server: i64| {
            clock.compare(begun + Duration::from_secs(here), ServerTime(server * 1_000_000_000));
            clock.is_steady()
        };
        assert!(!at(0, 5000) && !at(40, 5045) && !at(79, 5079) && at(80, 5080));
        // It jumps ahead, and back.
        assert!(!at(101, 9001) && !at(140, 9040) && !at(180, 9080) && at(181, 9081));
        assert!(!at(182, 6082) && !at(222, 6122) && !at(261, 6161) && at(262, 6162));
        // Ours stood still.
        assert!(!at(263, 7163) && !at(323, 7223) && at(343, 7243));
        // There was no answer for too long.
        assert!(at(403, 7303) && !at(464, 7364));
    }
}
