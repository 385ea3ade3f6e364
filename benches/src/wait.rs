//! Waiting for what takes longer than tests wait for anything.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// Longest time.
const LIMIT: Duration = Duration::from_secs(900);

/// Waits for something that is looked for every so often.
///
/// # Errors
/// A look fails, or it is not there within a quarter of an hour.
pub fn wait_for(pause: Duration, mut is_there: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !is_there()? {
        ensure!(begun.elapsed() < LIMIT, "nothing within {LIMIT:?}");
        thread::sleep(pause);
    }
    Ok(())
}
