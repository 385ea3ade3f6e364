//! `freshness-bench`: how long after it was published usage is in a history, while more usage comes at a fixed rate.
//!
//! For each rate and each age at which a batch closes, starts a Kafka, a ClickHouse and a `meterhouse serve`, and publishes
//! generated events at the rate. Meanwhile probes, each a usage of a customer of its own, are published one after the other,
//! and each one's history is asked for until it is there.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Parser;
use meterhouse_benches::fill::CUSTOMERS;
use meterhouse_benches::ground::{Ground, settle};
use meterhouse_benches::latency::{Latencies, random_customer};
use meterhouse_benches::process::Usage;
use meterhouse_benches::results::{self, Table};
use meterhouse_localstack::ClickHouseOptions;
use meterhouse_tests::{Message, Publisher, Service, Site};

const NAME: &str = "freshness_bench";
/// Events are published for that long before the first probe: a broker that has just started compiles itself beside its work.
const WARM_UP: Duration = Duration::from_secs(20);
/// Events are published in portions of this time.
const PORTION: Duration = Duration::from_millis(5);
/// Pause between two questions for a probe: each answer takes time of the same cores.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// Longest pause between two probes.
const PAUSE_MAX: Duration = Duration::from_secs(1);

#[derive(Debug, Parser)]
struct Arguments {
    /// Events a second, a run for each.
    #[arg(long, value_delimiter = ',', default_value = "50000")]
    rates: Vec<u64>,
    /// How long probes are published.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Customers that the events belong to.
    #[arg(long, default_value_t = 10_000)]
    customers: u32,
    /// Settings of `ingest.batch_age_ms`, a run for each: the default, and what those may choose who need it sooner.
    #[arg(long, value_delimiter = ',', default_value = "1000,500")]
    batch_ages_ms: Vec<u64>,
    /// Probes that are under way at a time.
    #[arg(long, default_value_t = 4)]
    probes: u32,
    /// Put the figures into `benches/RESULTS.md`.
    #[arg(long)]
    record: bool,
}

/// What the threads share.
struct Run<'r> {
    site: &'r Site,
    service: &'r Service,
    /// Of the service, ClickHouse and the broker.
    processes: [u32; 3],
    publisher: Publisher,
    day: String,
    probes: AtomicU64,
    is_over: AtomicBool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut table = Table::new(
        "events a second | batch_age_ms | median ms | p95 ms | p99 ms | service CPU us | ClickHouse CPU us | broker CPU us",
    );
    for &rate in &arguments.rates {
        for &age in &arguments.batch_ages_ms {
            table.add(&run(&arguments, rate, age)?);
        }
    }
    if arguments.record {
        let seconds = arguments.seconds;
        let what = format!(
            "From published to readable in a history, for {seconds} s. Each probe is asked for every tenth of a second. \
             CPU is that of an event, with its merges, its sums, and the questions."
        );
        results::record("Freshness", &format!("{what}\n\n{}", table.text()))?;
    }
    Ok(())
}

/// A line of the table.
fn run(arguments: &Arguments, rate: u64, age_ms: u64) -> Result<String> {
    let Ground { site, stack, .. } = &mut Ground::start(NAME, ClickHouseOptions::default())?;
    site.set("ingest.batch_age_ms", age_ms)?;
    let events = rate * (WARM_UP.as_secs() + arguments.seconds);
    let load = load(site, events, arguments.customers)?;
    settle()?;
    let mut service = site.serve()?;
    let run = Run {
        site,
        service: &service,
        processes: [service.pid().context("it has ended")?, stack.clickhouse().pid()?, stack.kafka().pid()?],
        publisher: site.publisher()?,
        day: site.query("SELECT today()")?.trim().to_owned(),
        probes: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
    };
    // The first usage of all waits for the consumer group.
    run.probe_once()?;
    let (reached, latencies, cost) = run.measure(&load, rate, arguments)?;
    let probes = run.probes.load(Ordering::Relaxed);
    service.wait_stored(events + probes)?;
    ensure!(service.terminate()?.success(), "serve ended with an error");
    Ok(format!("{reached:.0} | {age_ms} | {latencies} | {cost}"))
}

/// The values of generated records.
fn load(site: &Site, events: u64, customers: u32) -> Result<Vec<Vec<u8>>> {
    let file = site.dir().join("load");
    let [events, customers] = [events.to_string(), customers.to_string()];
    let path = file.to_string_lossy();
    site.generate(&["--events", &events, "--customers", &customers, "--months", "1", "--output", &path])?;
    let lines = fs::read(&file)?;
    Ok(lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
}

impl Run<'_> {
    /// The rate that was reached, how long the probes took, and what an event cost.
    fn measure(
        &self,
        load: &[Vec<u8>],
        rate: u64,
        arguments: &Arguments,
    ) -> Result<(f64, Latencies, String)> {
        let probes = arguments.probes;
        thread::scope(|scope| {
            let cost = scope.spawn(|| self.cost(Duration::from_secs(arguments.seconds)));
            let prober = |number: u32| scope.spawn(move || self.probe((number..).step_by(probes as usize)));
            let probers: Vec<_> = (0..probes).map(prober).collect();
            let published = self.publish(load, rate);
            self.is_over.store(true, Ordering::Relaxed);
            let times =
                probers.into_iter().map(|prober| prober.join().map_err(|_| anyhow!("a prober panicked"))?);
            let times = times.collect::<Result<Vec<_>>>()?.concat();
            let cost = cost.join().map_err(|_| anyhow!("the meter panicked"))??;
            Ok((published?, Latencies::sorted(times), cost))
        })
    }

    /// CPU that each process takes for an event, while probes are published.
    fn cost(&self, time: Duration) -> Result<String> {
        thread::sleep(WARM_UP);
        let (events, used) = self.used()?;
        thread::sleep(time);
        let (events_now, used_now) = self.used()?;
        let events = (events_now - events) as f64;
        let each = used_now.iter().zip(&used).map(|(now, before)| now.since(before).cpu.as_secs_f64());
        let each: Vec<_> = each.map(|seconds| format!("{:.2}", seconds * 1e6 / events)).collect();
        Ok(each.join(" | "))
    }

    /// Events that were stored so far, and what each process has used.
    fn used(&self) -> Result<(u64, Vec<Usage>)> {
        let used = self.processes.iter().map(|&process| Usage::of(process)).collect::<Result<_>>()?;
        Ok((self.service.metric("meterhouse_records_total", &[])?, used))
    }

    /// Publishes the load at the rate, or as fast as that goes, and tells the rate that was reached.
    fn publish(&self, load: &[Vec<u8>], rate: u64) -> Result<f64> {
        let begun = Instant::now();
        let mut sent = 0;
        while sent < load.len() {
            let due = usize::try_from(begun.elapsed().as_millis() * u128::from(rate) / 1000)?.min(load.len());
            for (number, value) in load.iter().enumerate().take(due).skip(sent) {
                self.publisher.enqueue(&Message::new(&number.to_string(), value.clone()))?;
            }
            sent = due;
            thread::sleep(PORTION);
        }
        self.publisher.flush()?;
        Ok(load.len() as f64 / begun.elapsed().as_secs_f64())
    }

    /// Publishes one probe after the other, and tells how long each took until it was in its history.
    fn probe(&self, mut numbers: impl Iterator<Item = u32>) -> Result<Vec<Duration>> {
        let mut times = Vec::new();
        thread::sleep(WARM_UP);
        while !self.is_over.load(Ordering::Relaxed) {
            // Right behind the one before, a probe would come at the same point of a batch each time.
            thread::sleep(PAUSE_MAX * random_customer(numbers.next().unwrap_or_default()) / CUSTOMERS);
            times.push(self.probe_once()?);
        }
        Ok(times)
    }

    fn probe_once(&self) -> Result<Duration> {
        let number = self.probes.fetch_add(1, Ordering::Relaxed);
        let (customer, day) = (format!("probe-{number}"), &self.day);
        let value = format!(
            r#"{{"EventId":"p","SubscriptionReference":"P{number}","OptionCode":"probe","UsageStart":"{day} 00:00:00","UsageEnd":"{day} 00:00:00","Units":"0.125","Customer":"{customer}"}}"#
        );
        let begun = Instant::now();
        self.publisher.enqueue(&Message::new(&customer, value))?;
        while !self.is_readable(&customer)? {
            thread::sleep(ASK_AGAIN);
        }
        Ok(begun.elapsed())
    }

    fn is_readable(&self, customer: &str) -> Result<bool> {
        let reply = self.service.client().ask_history(self.site.token(), customer, "")?;
        ensure!(reply.status == 200, "{} {}", reply.status, reply.body);
        Ok(reply.body.contains("0.125"))
    }
}
