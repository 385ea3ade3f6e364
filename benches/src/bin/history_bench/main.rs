//! `history-bench`: how long a customer waits for its history, however many events there are.
//!
//! Starts a ClickHouse, fills it with events of 10,000 customers over 24 months, rolls them up with
//! `meterhouse rollup rebuild`, and asks `meterhouse api` for histories of random customers, one request after the other.
//! Beside it, the same question to the raw table. Each customer has one subscription that uses two of 12 option codes
//! every day, so more events mean more events a day, and the same number of days.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use meterhouse_benches::fill::{self, CUSTOMERS, customer};
use meterhouse_benches::latency::{Customers, Latencies};
use meterhouse_localstack::{ClickHouse, ClickHouseOptions};
use meterhouse_tests::{Service, Site, scratch_dir};

const NAME: &str = "history_bench";
/// Nobody listens there: nothing here needs Kafka.
const NO_BROKER: &str = "127.0.0.1:1";

#[derive(Debug, Parser)]
struct Arguments {
    /// Events in the table, for each of several tables.
    #[arg(long, value_delimiter = ',', default_value = "10000000")]
    events: Vec<u64>,
    /// Requests of each kind.
    #[arg(long, default_value_t = 2000)]
    requests: u32,
    /// Questions to the raw table.
    #[arg(long, default_value_t = 200)]
    raw_requests: u32,
    /// Memory of the server, in MiB.
    #[arg(long, default_value_t = 4096)]
    memory_mebibytes: u32,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    println!("| events | rows by day, a customer | question | median ms | p95 ms | p99 ms |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for events in &arguments.events {
        run(&arguments, *events)?;
    }
    Ok(())
}

fn run(arguments: &Arguments, events: u64) -> Result<()> {
    let options =
        ClickHouseOptions { memory_mebibytes: arguments.memory_mebibytes, ..ClickHouseOptions::default() };
    let clickhouse = ClickHouse::launch(options)?;
    let dir = scratch_dir("history-bench")?;
    let mut site = Site::in_dir(dir.path(), NO_BROKER, &clickhouse.http_url(), NAME)?;
    // Nobody writes: what is marked may be summed up at once.
    site.set("clickhouse.insert_timeout_ms", 20_000)?;
    site.set("rollup.margin_ms", 40_001)?;
    ensure!(site.run(&["migrate"])?.status.success(), "migrate failed");
    fill::events(&site, events)?;
    roll_up(&site)?;
    let mut api = site.start(&["api"], "api")?;
    api.wait_ready()?;
    measure_all(arguments, &site, &api, events)
}

fn roll_up(site: &Site) -> Result<()> {
    let begun = Instant::now();
    let output = site.run(&["rollup", "rebuild"])?;
    ensure!(output.status.success(), "rollup rebuild failed: {output:?}");
    let dates = site.count("SELECT count() FROM usage_daily FINAL WHERE kind = 'header'")?;
    eprintln!("{dates} days summed up in {} s", begun.elapsed().as_secs());
    Ok(())
}

fn measure_all(arguments: &Arguments, site: &Site, api: &Service, events: u64) -> Result<()> {
    let client = api.client();
    let rows = site.count("SELECT count() FROM usage_daily FINAL")? / u64::from(CUSTOMERS);
    let show =
        |question: &str, latencies: Latencies| println!("| {events} | {rows} | {question} | {latencies} |");
    let history = |query: &str| {
        Latencies::of(arguments.requests, &mut Customers::default(), |number| {
            let reply = client.ask_history(site.token(), &customer(number), query)?;
            ensure!(reply.status == 200 && reply.body.contains("usage"), "{} {}", reply.status, reply.body);
            Ok(())
        })
    };
    check(site, api)?;
    history("")?; // Caches are warm in the others, too.
    show("history, whole", history("")?);
    show("history, from_offset=24", history("?from_offset=24")?);
    touch_today(site)?;
    show("history, from_offset=24, one day live", history("?from_offset=24")?);
    let raw = Latencies::of(arguments.raw_requests, &mut Customers::default(), |number| {
        site.query(&fill::raw_question(&customer(number))).map(|_| ())
    })?;
    show("raw table with FINAL", raw);
    let parts = fill::unmerged(site)?;
    show(
        &format!("history, from_offset=24, one day live, its month in {parts} parts"),
        history("?from_offset=24")?,
    );
    Ok(())
}

/// Today is read from the events from now on.
fn touch_today(site: &Site) -> Result<()> {
    let today = site.query("SELECT today()")?;
    let live = ["rollup", "rebuild", "--no-wait", "--from", today.trim(), "--to", today.trim()];
    ensure!(site.run(&live)?.status.success(), "rollup rebuild failed");
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
