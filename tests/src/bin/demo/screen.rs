//! What a person sees while the demo works: colours and moving bars at a terminal, plain lines otherwise.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

/// Columns of everything that is printed.
pub(crate) const WIDTH: usize = 100;
const BAR: &str = "  {spinner} {msg} {bar:30.cyan/dim} {human_pos} of {human_len}";
const SPINNER: &str = "  {spinner} {msg}";
const TICK: Duration = Duration::from_millis(80);
/// How often a plain line tells how far something is.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// How a text stands out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Look {
    Bold,
    Dim,
    Good,
    Bad,
    Name,
}

/// The terminal, or what stands in for it.
#[derive(Debug)]
pub(crate) struct Screen {
    has_colours: bool,
    has_bars: bool,
}

/// Something that is being done.
pub(crate) struct Step<'s> {
    screen: &'s Screen,
    doing: String,
    bar: Option<ProgressBar>,
    begun: Instant,
    printed: Instant,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let wants_colours = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            has_colours: io::stdout().is_terminal() && wants_colours,
            has_bars: io::stdout().is_terminal() && io::stderr().is_terminal(),
        }
    }

    /// Prints a line. Nobody may be reading any more.
    pub(crate) fn line(&self, text: &str) {
        let _ = writeln!(io::stdout(), "{}", text.trim_end());
    }

    /// The first line of all.
    pub(crate) fn title(&self, text: &str) {
        self.line(&format!("\n{}", self.paint(Look::Bold, text)));
        self.line("");
    }

    /// A text that stands out, where that is possible.
    pub(crate) fn paint(&self, look: Look, text: &str) -> String {
        let code = match look {
            Look::Bold => "1",
            Look::Dim => "2",
            Look::Good => "32",
            Look::Bad => "31",
            Look::Name => "36",
        };
        if self.has_colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Begins something whose length is not known.
    pub(crate) fn begin(&self, doing: &str) -> Step<'_> {
        self.step(doing, ProgressBar::new_spinner, SPINNER)
    }

    /// Begins something that counts up to a total.
    pub(crate) fn begin_counting(&self, doing: &str, total: u64) -> Step<'_> {
        self.step(doing, || ProgressBar::new(total), BAR)
    }

    fn step(&self, doing: &str, bar: impl Fn() -> ProgressBar, template: &str) -> Step<'_> {
        let bar = self.has_bars.then(|| {
            let bar = bar().with_message(doing.to_owned());
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        let begun = Instant::now();
        Step { screen: self, doing: doing.to_owned(), bar, begun, printed: begun }
    }
}

impl Step<'_> {
    /// How far it is.
    pub(crate) fn set(&mut self, position: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(position),
            None if self.printed.elapsed() >= PLAIN_INTERVAL => {
                self.printed = Instant::now();
                self.screen.line(&format!("    {}: {}", self.doing, thousands(position)));
            }
            None => {}
        }
    }

    /// Makes room for another program's own progress.
    pub(crate) fn hide(&self) {
        if let Some(bar) = &self.bar {
            bar.disable_steady_tick();
            bar.finish_and_clear();
        }
    }

    /// It is done: what was achieved, and the time on the right.
    pub(crate) fn done(self, achieved: &str) {
        self.hide();
        let time = format!("{:.1} s", self.begun.elapsed().as_secs_f64());
        let room = WIDTH.saturating_sub(achieved.chars().count() + 4);
        let mark = self.screen.paint(Look::Good, "✓");
        let time = self.screen.paint(Look::Dim, &format!("{time:>room$}"));
        self.screen.line(&format!("  {mark} {achieved}{time}"));
    }
}

impl Drop for Step<'_> {
    /// Also after an error the terminal's line is free again.
    fn drop(&mut self) {
        self.hide();
    }
}

/// A number with a comma between thousands.
pub(crate) fn thousands(number: u64) -> String {
    HumanCount(number).to_string()
}
