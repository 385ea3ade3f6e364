//! `history-bench`: how long a customer waits for its history, however many events there are, and whatever goes on beside it.
//!
//! Starts a Kafka and a ClickHouse, fills it with events of 10,000 customers over 24 months, rolls them up with
//! `meterhouse rollup rebuild`, and asks `meterhouse api` for histories of random customers: one after the other, and at a rate
//! that does not wait for answers; with nothing in any cache; and while `meterhouse serve` empties a full topic as fast as it can.
//! Beside it, the same question to the raw table. Each customer has one subscription that uses two of 12 option codes
//! every day, so more events mean more events a day, and the same number of days.

mod backlog;
mod questions;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use meterhouse_benches::ask::MONTHS_24;
use meterhouse_benches::fill::{self, CUSTOMERS, customer};
use meterhouse_benches::ground::Ground;
use meterhouse_benches::latency::Latencies;
use meterhouse_benches::results::{self, Table};
use meterhouse_tests::{Service, Site};

use questions::Questions;

const NAME: &str = "history_bench";
const COLUMNS: &str = "events | rows by day, a customer | question | median ms | p95 ms | p99 ms";

#[derive(Debug, Parser)]
struct Arguments {
    /// Events in the table, for each of several tables.
    #[arg(long, value_delimiter = ',', default_value = "10000000")]
    events: Vec<u64>,
    /// Requests of each kind, one after the other.
    #[arg(long, default_value_t = 2000)]
    requests: u32,
    /// Questions a second, where they do not wait for each other.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// The same while these customers' usage is stored: each answer sums up days from the events.
    #[arg(long, default_value_t = 25)]
    live_rate: u32,
    /// Seconds at a rate.
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// Questions whose answers are in no cache.
    #[arg(long, default_value_t = 100)]
    cold_requests: u32,
    /// Questions to the raw table.
    #[arg(long, default_value_t = 200)]
    raw_requests: u32,
    /// Events on a topic that is emptied meanwhile, and must not be empty before the end.
    #[arg(long, default_value_t = 15_000_000)]
    backlog: u64,
    /// Memory of the server, in MiB.
    #[arg(long, default_value_t = 4096)]
    memory_mebibytes: u32,
    /// Put the figures into `benches/RESULTS.md`.
    #[arg(long)]
    record: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    questions::check_cold(arguments.cold_requests)?;
    for events in &arguments.events {
        let table = run(&arguments, *events)?;
        if arguments.record {
            let title = format!("Histories out of {} million events", events / 1_000_000);
            results::record(&title, table.text())?;
        }
    }
    Ok(())
}

fn run(arguments: &Arguments, events: u64) -> Result<Table> {
    let Ground { site, .. } = &Ground::with_events(NAME, arguments.memory_mebibytes, events)?;
    let mut api = site.start(&["api"], "api")?;
    api.wait_ready()?;
    check(site, &api)?;
    let table = measure(arguments, site, &api, events)?;
    ensure!(api.terminate()?.success(), "api ended with an error");
    Ok(table)
}

fn measure(arguments: &Arguments, site: &Site, api: &Service, events: u64) -> Result<Table> {
    let Arguments { rate, live_rate, seconds, backlog, .. } = *arguments;
    let questions = Questions {
        site,
        api,
        in_turn: arguments.requests,
        seconds,
        cold: arguments.cold_requests,
        raw: arguments.raw_requests,
    };
    let rows = site.count("SELECT count() FROM usage_daily FINAL")? / u64::from(CUSTOMERS);
    let mut table = Table::new(COLUMNS);
    let mut add = |question: &str, latencies: &Latencies| {
        table.add(&format!("{events} | {rows} | {question} | {latencies}"));
    };
    if let Some(latencies) = questions.cold()? {
        add("24 months, in no cache", &latencies);
    }
    questions.in_turn("")?; // Caches are warm in the others, too.
    add("whole", &questions.in_turn("")?);
    add("24 months", &questions.in_turn(MONTHS_24)?);
    add(&format!("24 months, {rate}/s"), &questions.at_rate(rate)?);
    add("raw table with FINAL", &questions.raw()?);
    sum_up_today(site, &["--no-wait"])?;
    add("24 months, one day live", &questions.in_turn(MONTHS_24)?);
    let parts = fill::unmerged(site)?;
    let live = format!("24 months, one day live, its month in {parts} parts");
    add(&live, &questions.in_turn(MONTHS_24)?);
    fill::merge(site)?;
    sum_up_today(site, &[])?;
    let (stored, latencies) = backlog::meanwhile(site, backlog, "other", || questions.at_rate(rate))?;
    add(&format!("24 months, {rate}/s, while {stored}/s events of others are stored"), &latencies);
    let (stored, latencies) = backlog::meanwhile(site, backlog, "customer", || questions.at_rate(live_rate))?;
    let theirs = format!("24 months, {live_rate}/s, while {stored}/s events of their own are stored");
    add(&theirs, &latencies);
    Ok(table)
}

/// Sums up today anew. With `--no-wait` it is read from the events from now on.
fn sum_up_today(site: &Site, options: &[&str]) -> Result<()> {
    let today = site.query("SELECT today()")?;
    let days = ["rollup", "rebuild", "--from", today.trim(), "--to", today.trim()];
    ensure!(site.run(&[&days, options].concat())?.status.success(), "rollup rebuild failed");
    Ok(())
}

/// A history that is fast and wrong is worth nothing.
fn check(site: &Site, api: &Service) -> Result<()> {
    for number in [0, CUSTOMERS / 2, CUSTOMERS - 1] {
        let name = customer(number);
        let history = api.client().history(site.token(), &name)?;
        let months = history["service_usage_history"].as_array().context("no months")?;
        let answered = months.iter().flat_map(|month| month["data"].as_array().into_iter().flatten());
        let mut services: Vec<String> = answered
            .map(|used| format!("{}={}", used["service"], used["usage"]).replace('"', ""))
            .filter(|text| !text.ends_with("=0.0"))
            .collect();
        services.sort();
        let stored = site.query(&fill::raw_question(&name))?;
        let mut expected: Vec<&str> = stored.lines().collect();
        expected.sort_unstable();
        ensure!(services == expected, "history of {name}: {services:?}, but the events say {expected:?}");
    }
    Ok(())
}
