//! `ingest-bench`: contenders that empty the same full topic, one after the other, and what each costs.
//!
//! Starts a Kafka and publishes generated events once. Each contender then reads all of them, with a consumer group and a
//! ClickHouse of its own, in as many rounds as are asked; what it has stored is checked. CPU time is that of whole processes,
//! from `/proc`: it is steadier than wall time on a machine that is shared. Merges stand still until all is stored and are
//! measured by themselves afterwards: when they happen, and how often, is not a contender's own doing.

mod client;
mod contender;
mod engine;
mod report;
mod service;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use meterhouse_benches::results;
use meterhouse_localstack::{Kafka, KafkaOptions};
use meterhouse_tests::{Site, scratch_dir};

use contender::{Contender, Measured, Stored, Topic};

const TOPIC: &str = "bench";
pub(crate) const PARTITIONS: u16 = 8;
/// Nothing listens there: to publish, no ClickHouse is needed.
const NO_CLICKHOUSE: &str = "http://127.0.0.1:1";

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    /// Events on the topic.
    #[arg(long, default_value_t = 5_000_000)]
    events: u64,
    /// Customers that they belong to.
    #[arg(long, default_value_t = 10_000)]
    customers: u32,
    /// Months that their usage ascends through, 1 % of it late. More months spread it over more dates.
    #[arg(long, default_value_t = 1)]
    months: u32,
    /// Rounds of all contenders.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Who takes part.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Contender::ALL)]
    contenders: Vec<Contender>,
    /// Merge as usual, while a contender reads.
    #[arg(long)]
    merge: bool,
    /// Put the figures into `benches/RESULTS.md`.
    #[arg(long)]
    record: bool,
    /// Have Linux's perf look where the time of `meterhouse ingest` goes, and write it to this file. That takes time itself.
    #[arg(long, value_name = "FILE", conflicts_with = "record")]
    profile: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Be the contender that only reads.
    #[command(hide = true)]
    Client(client::ClientArguments),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match &arguments.role {
        Some(Role::Client(client)) => client::read(client),
        None => compete(&arguments),
    }
}

fn compete(arguments: &Arguments) -> Result<()> {
    let kafka = Kafka::launch(KafkaOptions::default())?;
    let topic = publish(arguments, &kafka)?;
    let mut runs: Vec<(Contender, Vec<Measured>)> =
        arguments.contenders.iter().map(|contender| (*contender, Vec::new())).collect();
    let mut stored_units = None;
    for round in 1..=arguments.rounds {
        for (contender, measured) in &mut runs {
            eprintln!("round {round}: {}", contender.title());
            let run = contender.run(&topic, round)?;
            if let Some(Stored { units, .. }) = &run.stored {
                // Two programs that read the same decimals alike have read them right.
                let first = stored_units.get_or_insert_with(|| units.clone());
                ensure!(first == units, "{contender:?} sums units up to {units}, others to {first}");
            }
            eprintln!("{}", report::line(&run, topic.events));
            measured.push(run);
        }
    }
    let table = report::table(&runs, &topic);
    println!("{table}");
    if arguments.record {
        results::record("Ingest", &report::section(&table, &topic, arguments.rounds))?;
    }
    Ok(())
}

/// Fills the topic.
fn publish<'k>(arguments: &Arguments, kafka: &'k Kafka) -> Result<Topic<'k>> {
    let Arguments { events, customers, months, merge, profile, .. } = arguments;
    kafka.create_topic(TOPIC, PARTITIONS)?;
    let dir = scratch_dir("ingest-bench")?;
    let site = Site::in_dir(dir.path(), &kafka.bootstrap(), NO_CLICKHOUSE, TOPIC)?;
    eprintln!("publishing {events} events");
    let [events_text, customers_text, months_text] =
        [events.to_string(), customers.to_string(), months.to_string()];
    site.generate(&["--events", &events_text, "--customers", &customers_text, "--months", &months_text])
        .context("the topic cannot be filled")?;
    Ok(Topic {
        kafka,
        name: TOPIC,
        events: *events,
        customers: *customers,
        merges: *merge,
        profile: profile.clone(),
    })
}
