//! The demo: a real Kafka, a real ClickHouse, real usage, and the history that comes out.
//!
//! Everything it makes is in `.local/demo/`, anew at each run: the servers' data, the configuration and a token that
//! opens nothing else. It listens on free ports, so it gets in nobody's way.

mod interrupt;
mod report;
mod screen;
mod steps;
mod table;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use meterhouse_localstack::local_dir;

use interrupt::{Interrupt, Interrupted};
use screen::Screen;

/// Shows what Meterhouse does, on real servers with real usage.
#[derive(Debug, Parser)]
struct Arguments {
    /// End when the history is shown, with 0 if it is what the sample's own sums say
    #[arg(long)]
    once: bool,
    /// Generated events of 24 months, beside the sample
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    events: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let screen = Screen::new();
    let outcome = Interrupt::listen().and_then(|interrupt| run(&arguments, &screen, &interrupt));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            screen.line("\nended");
            // What a shell expects of a program that Ctrl-C has ended, unless waiting for it was all that was left.
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("\ndemo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, screen: &Screen, interrupt: &Interrupt) -> Result<()> {
    let dir = local_dir().join("demo");
    let _lock = fresh(&dir)?;
    screen.title("Meterhouse: usage events from Kafka become an exact monthly history in ClickHouse");
    let mut demo = steps::prepare(&dir, arguments.events, screen, interrupt)?;
    let ingested = steps::ingest(&mut demo, screen, interrupt)?;
    let histories = steps::histories(&demo, screen)?;
    if !arguments.once {
        steps::watch(&mut demo, screen)?;
    }
    report::show(&demo, &ingested, &histories, arguments.once, screen);
    if !arguments.once {
        interrupt.wait();
        screen.line("\nending");
    }
    demo.end()
}

/// Empties the folder. The lock is held for as long as the demo runs: a second one would take its folder away.
fn fresh(dir: &Path) -> Result<File> {
    fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    let path = dir.join("lock");
    let lock = File::create(&path).with_context(|| format!("create {}", path.display()))?;
    ensure!(lock.try_lock().is_ok(), "a demo is running already: {} is locked", path.display());
    let old: Vec<PathBuf> =
        fs::read_dir(dir)?.flatten().map(|entry| entry.path()).filter(|old| *old != path).collect();
    for old in old {
        let removed = if old.is_dir() { fs::remove_dir_all(&old) } else { fs::remove_file(&old) };
        removed.with_context(|| format!("remove {}", old.display()))?;
    }
    Ok(lock)
}
