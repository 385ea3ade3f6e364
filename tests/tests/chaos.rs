//! Short runs of random faults; `make chaos` has longer ones.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use meterhouse_tests::chaos::{Options, run};

const DURATION: Duration = Duration::from_secs(55);

#[test]
fn of_a_fixed_seed() -> Result<()> {
    run(Options { seed: 20_261_125, duration: DURATION })
}

/// Of another seed each time, which is printed if it fails.
#[test]
fn of_any_seed() -> Result<()> {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    run(Options { seed, duration: DURATION })
}
