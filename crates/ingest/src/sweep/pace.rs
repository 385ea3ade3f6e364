//! How often to look, so that it costs little and nothing goes unseen for long.

use std::time::{Duration, Instant};

/// A look is followed by a pause of so many times as long: it takes a twentieth of a core at most.
const PAUSE_FACTOR: u32 = 20;

/// Bounds of the pause after a look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) interval: Duration,
    pub(super) max_lag: Duration,
}

impl Pace {
    /// When to look again, after a look that began at a time and has just ended; soon, where it has failed.
    pub(super) fn next(&self, begun: Instant, is_done: bool) -> Instant {
        let now = Instant::now();
        now + if is_done { self.pause(now.saturating_duration_since(begun)) } else { self.interval }
    }

    /// What is stored right after a look has passed it is seen by the next one, at its end.
    fn pause(&self, took: Duration) -> Duration {
        let allowed = self.max_lag.saturating_sub(took * 2);
        self.interval.max(took * PAUSE_FACTOR).min(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_long_enough_to_cost_little_and_short_enough_to_see_all_in_time() {
        let pace = Pace { interval: Duration::from_secs(1), max_lag: Duration::from_secs(3600) };
        for (took_ms, pause_ms) in
            [(0, 1000), (50, 1000), (51, 1020), (10_000, 200_000), (170_000, 3_260_000), (2_000_000, 0)]
        {
            let pause = pace.pause(Duration::from_millis(took_ms));
            assert_eq!(pause, Duration::from_millis(pause_ms), "after {took_ms} ms");
        }
    }
}
