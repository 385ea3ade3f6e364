//! Progress of something slow: a live line at a terminal, plain lines otherwise.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a plain line is printed.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Reports to standard error.
pub(crate) struct Progress {
    name: &'static str,
    bar: Option<ProgressBar>,
    begun: Instant,
    printed: Instant,
}

impl Progress {
    pub(crate) fn begin(name: &'static str, what: &str) -> Self {
        let now = Instant::now();
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.set_prefix(name);
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        if bar.is_none() {
            eprintln!("{name}: {what}");
        }
        Self { name, bar, begun: now, printed: now }
    }

    pub(crate) fn update(&mut self, state: String) {
        match &self.bar {
            Some(bar) => bar.set_message(state),
            None if self.printed.elapsed() >= PLAIN_INTERVAL => {
                self.printed = Instant::now();
                eprintln!("{}: {state}", self.name);
            }
            None => {}
        }
    }

    pub(crate) fn finish(self, result: &str) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        eprintln!("{}: {result} ({:.1} s)", self.name, self.begun.elapsed().as_secs_f64());
    }
}
