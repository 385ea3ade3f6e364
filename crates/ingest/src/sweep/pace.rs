//! How often to look, so that it costs little and nothing goes unseen for long.

use std::time::{Duration, Instant};

/// A look is followed by a pause of so many times as long: it takes a twentieth of a core at most.
const PAUSE_FACTOR: u32 = 20;

/// A look that has left something undone is followed by the next one this soon, or as soon as it took itself.
const UNDONE_PAUSE: Duration = Duration::from_secs(5);

/// Bounds of the pause after a look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) interval: Duration,
    pub(super) max_lag: Duration,
}

/// When to look again.
#[derive(Debug)]
pub(super) struct Schedule {
    pace: Pace,
    next: Instant,
    /// What the look before took; before the first one nothing is known of what looks cost.
    before: Duration,
}

impl Pace {
    /// What is stored right after a look has passed it is seen by the next one, at its end.
    fn pause(&self, took: Duration) -> Duration {
        let allowed = self.max_lag.saturating_sub(took * 2);
        self.interval.max(took * PAUSE_FACTOR).min(allowed)
    }
}

impl Schedule {
    /// The first look is due now.
    pub(super) fn new(pace: Pace, now: Instant) -> Self {
        Self { pace, next: now, before: Duration::ZERO }
    }

    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// A look that began at a time is over now. One that took much longer than the one before was held up: that tells
    /// nothing of what looks cost. Where something `waits` for a server, looks may cost more for as long as that is away.
    pub(super) fn done(&mut self, begun: Instant, now: Instant, waits: bool) {
        let took = now.saturating_duration_since(begun);
        let cost = took.min(self.before);
        let pause = self.pace.pause(cost);
        self.next = now + if waits { pause.min(cost.max(UNDONE_PAUSE)) } else { pause };
        self.before = took;
    }

    /// A look has failed: the next one follows soon.
    pub(super) fn failed(&mut self, now: Instant) {
        self.next = now + self.pace.interval;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { interval: Duration::from_secs(1), max_lag: Duration::from_secs(3600) };

    #[test]
    fn a_pause_is_long_enough_to_cost_little_and_short_enough_to_see_all_in_time() {
        for (took_ms, pause_ms) in
            [(0, 1000), (50, 1000), (51, 1020), (10_000, 200_000), (170_000, 3_260_000), (2_000_000, 0)]
        {
            let pause = PACE.pause(Duration::from_millis(took_ms));
            assert_eq!(pause, Duration::from_millis(pause_ms), "after {took_ms} ms");
        }
    }

    #[test]
    fn one_look_that_is_held_up_puts_off_nothing() {
        let mut now = Instant::now();
        let mut schedule = Schedule::new(PACE, now);
        let mut pause_after = |seconds: u64, waits: bool| {
            let begun = now;
            now += Duration::from_secs(seconds);
            schedule.done(begun, now, waits);
            schedule.next() - now
        };
        let pauses = [8, 2, 30, 30, 1].map(|seconds| pause_after(seconds, false));
        assert_eq!(pauses, [1, 40, 40, 600, 20].map(Duration::from_secs));
        let pauses = [0, 0, 30, 30, 2, 2].map(|seconds| pause_after(seconds, true));
        assert_eq!(pauses, [1, 1, 1, 30, 5, 5].map(Duration::from_secs), "conflicts wait for their records");
        schedule.failed(now);
        assert_eq!(schedule.next() - now, PACE.interval);
    }
}
