//! Waiting for something to become true, with a limit.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Longest time for anything that takes a moment. It is long because two cores build, run both servers and several tests
/// at once; nothing measures how long it really takes.
pub const LIMIT: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(25);

/// Looks until it sees something.
///
/// # Errors
/// It saw nothing within [`LIMIT`].
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T> {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return Ok(seen);
        }
        if begun.elapsed() > LIMIT {
            bail!("waited {} s for {what}", LIMIT.as_secs());
        }
        thread::sleep(POLL);
    }
}

/// Looks until it sees what is wanted; the last other sight, or failure to see, is told if it never does.
///
/// # Errors
/// It did not within [`LIMIT`].
pub fn until_is<T: std::fmt::Debug>(
    what: &str,
    mut look: impl FnMut() -> Result<T>,
    wanted: impl Fn(&T) -> bool,
) -> Result<T> {
    let mut last = String::new();
    let seen = until(what, || match look() {
        Ok(seen) if wanted(&seen) => Some(seen),
        other => {
            last = match other {
                Ok(seen) => format!("{seen:?}"),
                Err(error) => format!("{error:#}"),
            };
            None
        }
    });
    seen.map_err(|error| error.context(format!("last seen: {last}")))
}
