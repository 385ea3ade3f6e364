//! Whether the server's clock runs evenly.
//!
//! A scan is clean when it began a margin later than the newest mark, by the server's clock. A clock that jumps ahead would
//! let a scan begin while the rows behind a mark are still on their way. So a scan waits until that clock has gone along
//! with ours for a margin.

use std::time::{Duration, Instant};

use meterhouse_store::{Error, ServerTime, Store};

/// The server's clock beside ours.
#[derive(Debug)]
pub(super) struct SteadyClock {
    margin: Duration,
    /// Both at the time since when they have gone along with each other, and for how long they have.
    since: Option<(Instant, ServerTime)>,
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
        self.steady_for = asked.duration_since(begun);
        let expected = time.plus(self.steady_for);
        if now < expected.minus(tolerance) || now > expected.plus(tolerance) {
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
        assert!(!at(0, 5000) && !at(79, 5079) && at(80, 5080) && at(1000, 6010));
        // It jumps ahead, and back.
        assert!(!at(1001, 9001) && !at(1080, 9080) && at(1081, 9081));
        assert!(!at(1082, 6082) && !at(1161, 6161) && at(1162, 6162));
        // Ours stood still.
        assert!(!at(1163, 7163));
    }
}
