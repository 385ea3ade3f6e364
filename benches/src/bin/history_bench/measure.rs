//! Times of requests, one after the other.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::fill::CUSTOMERS;

/// Customers in an order without a pattern, the same in each run (splitmix64).
pub(crate) struct Customers(u64);

impl Customers {
    pub(crate) fn new() -> Self {
        Self(0)
    }

    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((z ^ (z >> 31)) % u64::from(CUSTOMERS)).unwrap_or_default()
    }
}

/// Sorted times. Shown as median, 95th and 99th percentile in milliseconds, with bars between.
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn of(
        requests: u32,
        customers: &mut Customers,
        mut ask: impl FnMut(u32) -> Result<()>,
    ) -> Result<Self> {
        let mut times = Vec::new();
        for _ in 0..requests {
            let customer = customers.next();
            let begun = Instant::now();
            ask(customer)?;
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        Ok(Self(times))
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
