//! `make chaos`: random faults for as long as asked.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use clap::Parser;
use meterhouse_tests::chaos::{self, Options};

/// Random faults on real servers, and exact answers through all of them.
#[derive(Debug, Parser)]
struct Arguments {
    /// Decides all actions [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// How long faults go on
    #[arg(long, default_value_t = 2)]
    minutes: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let seed = match arguments.seed {
        Some(seed) => seed,
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
    };
    chaos::run(Options { seed, duration: Duration::from_secs(60 * arguments.minutes) })
}
