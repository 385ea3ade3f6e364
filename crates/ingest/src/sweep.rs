//! The sweep: finds events of which copies differ, wherever and whenever these came, and makes sure that one of them counts
//! and no other.
//!
//! Copies on one sort key are settled by their version as soon as they are stored. Those on different keys, and creations
//! that state something else than the one that wins, are found here, at once where a writer has suspected them, else by
//! passes over all evidence. What is done about them can be done again, by anybody, at any time: so a pass may end
//! anywhere, several processes may sweep, and every order of arrival ends in the same rows.

mod act;
mod metrics;
mod pace;
mod quarantine;
mod records;

use std::time::{Duration, Instant};

use meterhouse_store::{Error, HashRange, Store};
use tokio_util::sync::CancellationToken;

use crate::{KafkaConfig, Reporter};
use act::Actor;
pub use metrics::SweepMetrics;
use pace::{Pace, Schedule};

/// Name of the readiness check.
pub const SWEEP_CHECK: &str = "sweep";

/// Rows of evidence that one statement looks through.
const RANGE_ROWS: u64 = 1 << 20;
/// Identities that one statement finds at most. The rest of its range is next.
const FOUND_MAX: u64 = 500;
/// For so long an identity that a writer has suspected is looked at first. Afterwards it is for the passes.
const SUSPECTED_FOR: Duration = Duration::from_secs(120);
/// Pause after something has failed, and longest time between two reports.
const PAUSE: Duration = Duration::from_secs(1);

/// How often the sweep looks.
#[derive(Debug, Clone, Copy)]
pub struct SweepConfig {
    /// Shortest pause between two looks at the suspects, and between two passes.
    pub interval: Duration,
    /// Longest time that copies which differ may go unseen.
    pub max_lag: Duration,
}

/// Sweeps until the shutdown.
///
/// The tables must be there. A failure is counted, reported as the check `sweep`, and tried again.
pub async fn sweep(
    config: SweepConfig,
    kafka: &KafkaConfig,
    store: Store,
    metrics: SweepMetrics,
    report: Reporter,
    shutdown: CancellationToken,
) {
    let now = Instant::now();
    let pace = Pace { interval: config.interval, max_lag: config.max_lag };
    let sweep = Sweep {
        max_lag: config.max_lag,
        actor: Actor::new(kafka, store.clone(), metrics.clone()),
        store,
        metrics,
        report,
        looks: Schedule::new(pace, now),
        passes: Schedule::new(pace, now),
        pass: None,
        failures: [None, None],
        obstacles: [None, None],
    };
    // Whatever is under way may be given up.
    let _ = shutdown.run_until_cancelled(sweep.run()).await;
}

struct Sweep {
    max_lag: Duration,
    actor: Actor,
    store: Store,
    metrics: SweepMetrics,
    report: Reporter,
    looks: Schedule,
    passes: Schedule,
    pass: Option<Pass>,
    /// What is wrong with looks at the suspects, and with passes.
    failures: [Option<String>; 2],
    /// What conflicts wait for that the last look has seen, and the last pass. Other processes may have seen to them since.
    obstacles: [Option<String>; 2],
}

/// Places of both.
const LOOK: usize = 0;
const PASS: usize = 1;

/// A pass over all evidence.
struct Pass {
    begun: Instant,
    /// Ranges that are not looked through yet, the next one last.
    ranges: Vec<HashRange>,
    /// Identities that could not be settled.
    waiting: u64,
    /// What they wait for.
    obstacle: Option<String>,
    /// Time that was spent with Kafka, which costs nothing.
    reading: Duration,
}

impl Sweep {
    async fn run(mut self) {
        loop {
            let now = Instant::now();
            if self.looks.next() <= now {
                let outcome = self.look().await;
                match outcome {
                    Ok(()) => {
                        let waits = self.obstacles[LOOK].is_some();
                        self.looks.done(now + self.actor.take_reading(), Instant::now(), waits);
                    }
                    Err(_) => self.looks.failed(Instant::now()),
                }
                self.note(LOOK, outcome);
            } else if self.pass.is_some() || self.passes.next() <= now {
                let outcome = self.step().await;
                if outcome.is_err() {
                    tokio::time::sleep(PAUSE).await;
                }
                self.note(PASS, outcome);
            } else {
                let due = self.looks.next().min(self.passes.next()).min(now + PAUSE);
                tokio::time::sleep_until(due.into()).await;
            }
            self.tell();
        }
    }

    /// Looks at what writers have suspected.
    async fn look(&mut self) -> Result<(), Error> {
        let found = self.store.unsettled_suspects(SUSPECTED_FOR, FOUND_MAX).await?;
        self.actor.see_to(&found).await?;
        self.obstacles[LOOK] = self.actor.obstacle();
        Ok(())
    }

    /// Goes one range further in the pass that is under way, or begins one.
    async fn step(&mut self) -> Result<(), Error> {
        if self.pass.is_none() {
            let begun = Instant::now();
            let ranges = self.store.evidence_rows().await?.div_ceil(RANGE_ROWS);
            let mut ranges: Vec<HashRange> = HashRange::split(ranges).collect();
            ranges.reverse();
            self.pass = Some(Pass { begun, ranges, waiting: 0, obstacle: None, reading: Duration::ZERO });
        }
        let Some(pass) = &mut self.pass else { return Ok(()) };
        if let Some(range) = pass.ranges.last().copied() {
            let found = self.store.unsettled(range, FOUND_MAX).await?;
            pass.waiting += self.actor.see_to(&found).await?;
            pass.reading += self.actor.take_reading();
            pass.obstacle = pass.obstacle.take().or_else(|| self.actor.obstacle());
            pass.ranges.pop();
            let is_cut = found.len() as u64 == FOUND_MAX;
            let last = found.last().filter(|_| is_cut);
            pass.ranges.extend(last.and_then(|last| range.after(last.identity_hash)));
        }
        if pass.ranges.is_empty() {
            self.passes.done(pass.begun + pass.reading, Instant::now(), pass.obstacle.is_some());
            self.metrics.passed(pass.begun, pass.waiting);
            self.obstacles[PASS] = pass.obstacle.take();
            self.pass = None;
        }
        Ok(())
    }

    fn note(&mut self, place: usize, outcome: Result<(), Error>) {
        let failure = outcome.err().map(|error| format!("the sweep fails: {error}"));
        if let Some(why) = &failure {
            self.metrics.failures.inc();
            if self.failures[place].is_none() {
                tracing::warn!(reason = why, "copies that differ may go unseen, trying again");
            }
        }
        self.failures[place] = failure;
    }

    fn tell(&self) {
        (self.report)(SWEEP_CHECK, self.readiness());
    }

    fn readiness(&self) -> Result<(), String> {
        if let Some(why) = self.failures.iter().flatten().next() {
            return Err(why.clone());
        }
        if self.metrics.lag() > self.max_lag {
            let seconds = self.max_lag.as_secs();
            return Err(format!("copies that differ may go unseen for more than {seconds} s"));
        }
        let found = self.pass.as_ref().map(|pass| &pass.obstacle);
        self.obstacles.iter().chain(found).flatten().next().cloned().map_or(Ok(()), Err)
    }
}
