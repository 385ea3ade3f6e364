//! `localstack`: a Kafka and a ClickHouse for a person (`up`, `down`), and the helpers that the library
//! runs as processes of their own.

mod launcher;
mod supervise;
mod up;
mod vdso;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// A real Kafka and a real ClickHouse on this machine.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Download what is missing, once.
    Setup,
    /// Start both servers on their usual ports and return when they answer.
    Up(up::UpArgs),
    /// End the servers that `up` started; their data stays.
    Down,
    /// Owns one server: takes requests from standard input and ends the server when that ends.
    #[command(hide = true)]
    Supervise(supervise::SuperviseArgs),
    /// Becomes a ClickHouse server.
    #[command(hide = true)]
    LaunchClickhouse(launcher::LauncherArgs),
}

fn main() -> ExitCode {
    let outcome = run(Cli::parse().command);
    if let Err(error) = &outcome {
        eprintln!("localstack: {error:#}");
    }
    ExitCode::from(u8::from(outcome.is_err()))
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Setup => {
            let installed = meterhouse_localstack::setup()?;
            println!("kafka: {}", installed.kafka_libs.display());
            println!("clickhouse: {}", installed.libchdb.display());
            Ok(())
        }
        Command::Up(arguments) => up::up(&arguments),
        Command::Down => up::down(),
        Command::Supervise(arguments) => supervise::supervise(arguments),
        Command::LaunchClickhouse(arguments) => launcher::launch(arguments),
    }
}
