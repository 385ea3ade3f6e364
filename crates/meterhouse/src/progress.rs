//! Progress of something slow: a bar at a terminal, plain lines otherwise. To standard error.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a plain line is printed.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);
const BAR: &str = "{prefix} [{bar:40}] {human_pos}/{human_len} ({per_sec}, {eta} left)";

/// Counts up to a total that is known.
pub(crate) struct Progress {
    name: &'static str,
    total: u64,
    bar: Option<ProgressBar>,
    begun: Instant,
    printed: Instant,
}

impl Progress {
    pub(crate) fn begin(name: &'static str, total: u64) -> Self {
        let now = Instant::now();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total).with_prefix(name);
            if let Ok(style) = ProgressStyle::with_template(BAR) {
                bar.set_style(style);
            }
            bar
        });
        Self { name, total, bar, begun: now, printed: now }
    }

    /// Cheap, but no call for every single record.
    pub(crate) fn set(&mut self, position: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(position),
            None if self.printed.elapsed() >= PLAIN_INTERVAL => {
                self.printed = Instant::now();
                eprintln!("{}: {position} of {}", self.name, self.total);
            }
            None => {}
        }
    }

    /// Removes the bar and says how long it took.
    pub(crate) fn finish(self) -> Duration {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.begun.elapsed()
    }
}

impl Drop for Progress {
    /// Also after an error the terminal's line is free again.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
