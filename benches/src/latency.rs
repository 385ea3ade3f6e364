//! Times of requests: one after the other, or at a rate that does not wait for answers.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::fill::CUSTOMERS;

/// Connections that requests at a rate come on: more than are ever under way.
const CONNECTIONS: usize = 64;

/// The customer at a position of an order without a pattern, the same in each run (splitmix64).
pub fn random_customer(position: u32) -> u32 {
    let mut z = (u64::from(position) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from((z ^ (z >> 31)) % u64::from(CUSTOMERS)).unwrap_or_default()
}

/// Sorted times. Shown as median, 95th and 99th percentile in milliseconds, with bars between.
#[derive(Debug)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Of requests about customers, one after the other. What is done `before` each is not timed.
    ///
    /// # Errors
    /// A request fails.
    pub fn of(
        requests: u32,
        before: impl Fn() -> Result<()>,
        ask: impl Fn(u32) -> Result<()>,
    ) -> Result<Self> {
        let mut times = Vec::new();
        for customer in (0..requests).map(random_customer) {
            before()?;
            let begun = Instant::now();
            ask(customer)?;
            times.push(begun.elapsed());
        }
        Ok(Self::sorted(times))
    }

    /// Of requests that begin at a fixed rate, whether or not earlier ones are answered: each is timed from when it was due.
    ///
    /// # Errors
    /// A request fails.
    pub fn at_rate(
        per_second: u32,
        seconds: u32,
        ask: impl Fn(&ureq::Agent, u32) -> Result<()> + Sync,
    ) -> Result<Self> {
        let requests = per_second * seconds;
        let (next, begun) = (AtomicU32::new(0), Instant::now());
        let work = || {
            let agent = ureq::Agent::new_with_defaults();
            let mut times = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= requests {
                    return Ok::<_, anyhow::Error>(times);
                }
                let due = begun + Duration::from_secs(1) / per_second * number;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                ask(&agent, number)?;
                times.push(due.elapsed());
            }
        };
        let times = thread::scope(|scope| {
            let workers: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(work)).collect();
            let times =
                workers.into_iter().map(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?);
            times.collect::<Result<Vec<_>>>()
        })?;
        Ok(Self::sorted(times.concat()))
    }

    /// Of times in any order.
    pub fn sorted(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    fn quantile(&self, percent: usize) -> f64 {
        let place = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default().as_secs_f64() * 1000.0
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} | {:.1} | {:.1}", self.quantile(50), self.quantile(95), self.quantile(99))
    }
}
