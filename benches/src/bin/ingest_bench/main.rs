//! `ingest-bench`: how fast `meterhouse ingest` empties a topic that is full already, and what it costs.
//!
//! Starts a Kafka and a ClickHouse, publishes generated events once, and lets a new consumer group read all of them into
//! a new database, as often as is asked. Each run is checked: every record stored, every event counted once. CPU time
//! is that of whole processes, from `/proc`: it is steadier than wall time on a machine that is shared.

mod process;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use meterhouse_localstack::{Stack, StackOptions};
use meterhouse_tests::{Service, Site, wait};

use process::Usage;

const TOPIC: &str = "bench";
const PARTITIONS: u16 = 8;
const POLL: Duration = Duration::from_millis(50);
/// Longest time of one run.
const RUN_LIMIT: Duration = Duration::from_secs(600);

#[derive(Debug, Parser)]
struct Arguments {
    /// Events on the topic.
    #[arg(long, default_value_t = 4_000_000)]
    events: u64,
    /// Customers that they belong to.
    #[arg(long, default_value_t = 10_000)]
    customers: u32,
    /// Months that their usage ascends through, 1 % of it late. More months spread it over more dates.
    #[arg(long, default_value_t = 1)]
    months: u32,
    /// Runs, each with a consumer group and a database of its own.
    #[arg(long, default_value_t = 3)]
    runs: u32,
}

/// What one run took.
struct Measured {
    wall: Duration,
    service: Usage,
    clickhouse: Usage,
    kafka: Usage,
    /// On the disk, of all tables, as merges have left them so far.
    stored_bytes: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let Arguments { events, customers, months, runs } = &arguments;
    let stack = Stack::start(StackOptions::default())?;
    stack.kafka().create_topic(TOPIC, PARTITIONS)?;
    let publisher = Site::on(stack.kafka(), stack.clickhouse(), TOPIC)?;
    eprintln!("publishing {events} events");
    let [events_text, customers_text, months_text] =
        [events.to_string(), customers.to_string(), months.to_string()];
    let shape = ["--events", &events_text, "--customers", &customers_text, "--months", &months_text];
    publisher.generate(&shape)?;
    println!(
        "| run | events/s | service us/event | ClickHouse us/event | broker us/event | service peak MiB | stored bytes/event |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for run in 1..=*runs {
        let measured = measure(&stack, *events, run)?;
        println!("| {run} | {}", measured.row(*events));
    }
    Ok(())
}

fn measure(stack: &Stack, events: u64, run: u32) -> Result<Measured> {
    let name = format!("{TOPIC}_{run}");
    let mut site = Site::on(stack.kafka(), stack.clickhouse(), &name)?;
    site.set("kafka.topic", TOPIC)?;
    // The harness wants answers soon; the measured process has the defaults.
    site.set("ingest.batch_age_ms", 1000)?;
    site.set("clickhouse.insert_timeout_ms", 30_000)?;
    site.set("rollup.margin_ms", 75_000)?;
    ensure!(site.run(&["migrate"])?.status.success(), "migrate failed");
    let (clickhouse, kafka) = (stack.clickhouse().pid()?, stack.kafka().pid()?);
    let (clickhouse_before, kafka_before) = (Usage::of(clickhouse)?, Usage::of(kafka)?);
    let mut service = site.start(&["ingest"], "ingest")?;
    let pid = service.pid().context("it has ended")?;
    wait::until("an assignment of partitions", || is_assigned(&service).then_some(()))?;
    let begun = Instant::now();
    wait_stored(&service, events)?;
    let wall = begun.elapsed();
    let measured = Measured {
        wall,
        service: Usage::of(pid)?,
        clickhouse: Usage::of(clickhouse)?.since(&clickhouse_before),
        kafka: Usage::of(kafka)?.since(&kafka_before),
        stored_bytes: site.count(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()",
        )?,
    };
    let counted = site.count("SELECT count() FROM usage_events FINAL")?;
    ensure!(counted == events, "{counted} of {events} events are stored");
    service.terminate()?;
    site.query(&format!("DROP DATABASE {name} SYNC"))?;
    Ok(measured)
}

fn is_assigned(service: &Service) -> bool {
    service.metric("meterhouse_rebalances_total", &[]).is_ok_and(|changes| changes > 0)
}

fn wait_stored(service: &Service, events: u64) -> Result<()> {
    let begun = Instant::now();
    while service.metric("meterhouse_records_total", &[])? < events {
        ensure!(begun.elapsed() < RUN_LIMIT, "not stored within {RUN_LIMIT:?}:\n{}", service.log_tail());
        thread::sleep(POLL);
    }
    Ok(())
}

impl Measured {
    fn row(&self, events: u64) -> String {
        let each = |usage: &Usage| usage.cpu.as_secs_f64() * 1e6 / events as f64;
        format!(
            "{:.0} | {:.2} | {:.2} | {:.2} | {} | {:.0} |",
            events as f64 / self.wall.as_secs_f64(),
            each(&self.service),
            each(&self.clickhouse),
            each(&self.kafka),
            self.service.peak_bytes / (1024 * 1024),
            self.stored_bytes as f64 / events as f64
        )
    }
}
