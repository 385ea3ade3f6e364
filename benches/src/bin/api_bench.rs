//! `api-bench`: how long clients of the HTTP interface wait while everything runs, at a rate that does not wait for them.
//!
//! Starts a Kafka and a ClickHouse, fills it with events of 10,000 customers over 24 months, starts `meterhouse serve`, and asks
//! for histories and for usages of a month; then saves usages, 100 a request, until each can be read back.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use meterhouse_benches::ask::{self, MONTHS_24};
use meterhouse_benches::fill::CUSTOMERS;
use meterhouse_benches::ground::Ground;
use meterhouse_benches::latency::{Latencies, random_customer};
use meterhouse_benches::results::{self, Table};
use meterhouse_tests::{Service, Site, Token};
use serde_json::json;

const NAME: &str = "api_bench";
const USAGES_TOKEN: &str = "mh_usages";
const MONTHS: u32 = 24;
const COLUMNS: &str = "request | a second | median ms | p95 ms | p99 ms";

#[derive(Debug, Parser)]
struct Arguments {
    /// Events in the table.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Questions a second.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Requests a second that save usages.
    #[arg(long, default_value_t = 5)]
    write_rate: u32,
    /// Seconds for each kind of request.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Memory of ClickHouse, in MiB.
    #[arg(long, default_value_t = 4096)]
    memory_mebibytes: u32,
    /// Put the figures into `benches/RESULTS.md`.
    #[arg(long)]
    record: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut ground = Ground::with_events(NAME, arguments.memory_mebibytes, arguments.events)?;
    let site = &mut ground.site;
    // Twice the cores of this ClickHouse: what comes in a burst is answered in turn, not all of it late.
    site.set("http.max_concurrent_requests", 4)?;
    site.write_credentials(&[Token::new(site.token()), Token::for_usages(USAGES_TOKEN, &["*"])])?;
    let mut service = site.serve()?;
    let mut table = Table::new(COLUMNS);
    ask(&arguments, site, &service, &mut table)?;
    save(&arguments, site, &service, &mut table)?;
    ensure!(service.terminate()?.success(), "serve ended with an error");
    if arguments.record {
        let Arguments { events, seconds, .. } = arguments;
        let what = format!("{events} events, everything in one process, {seconds} s of each kind.");
        results::record("Requests at a fixed rate", &format!("{what}\n\n{}", table.text()))?;
    }
    Ok(())
}

fn ask(arguments: &Arguments, site: &Site, service: &Service, table: &mut Table) -> Result<()> {
    let subscriptions = subscriptions(site)?;
    let history = |agent: &ureq::Agent, number: u32| {
        ask::history(agent, site, service, random_customer(number), MONTHS_24)
    };
    let usages = |agent: &ureq::Agent, number: u32| {
        let subscription = &subscriptions[random_customer(number) as usize];
        let (start, end) = month(number % MONTHS);
        let path = format!(
            "/rest/6.0/subscriptions/{subscription}/usages/?Limit=100&IntervalStart={start}&IntervalEnd={end}"
        );
        let request =
            agent.get(service.client().url(&path)).header("Authorization", format!("Bearer {USAGES_TOKEN}"));
        let body = request.call()?.body_mut().read_to_string()?;
        ensure!(body.contains("Pagination"), "{body}");
        Ok(())
    };
    Latencies::at_rate(arguments.rate / 4, arguments.seconds / 4, history)?; // Caches are warm then.
    let rate = arguments.rate;
    let histories = Latencies::at_rate(rate, arguments.seconds, history)?;
    table.add(&format!("history of 24 months | {rate} | {histories}"));
    let either = |agent: &ureq::Agent, number: u32| {
        if number.is_multiple_of(2) { history(agent, number) } else { usages(agent, number) }
    };
    let both = Latencies::at_rate(rate, arguments.seconds, either)?;
    table.add(&format!("either in turn | {rate} | {both}"));
    let lists = Latencies::at_rate(rate, arguments.seconds, usages)?;
    table.add(&format!("usages of a month | {rate} | {lists}"));
    Ok(())
}

fn save(arguments: &Arguments, site: &Site, service: &Service, table: &mut Table) -> Result<()> {
    let subscriptions = subscriptions(site)?;
    let today = site.query("SELECT today()")?;
    let usage = json!({
        "OptionCode": "option-1",
        "UsageStart": format!("{} 00:00:00", today.trim()),
        "UsageEnd": format!("{} 00:00:00", today.trim()),
        "Units": "0.125",
    });
    let body = json!(vec![usage; 100]).to_string();
    let save = |agent: &ureq::Agent, number: u32| {
        let subscription = &subscriptions[number as usize % subscriptions.len()];
        let path = format!("/rest/6.0/subscriptions/{subscription}/usages");
        let request =
            agent.post(service.client().url(&path)).header("Authorization", format!("Bearer {USAGES_TOKEN}"));
        let reply = request.send(&body)?;
        ensure!(
            reply.headers().get("x-meterhouse-visible").is_some_and(|value| value == "yes"),
            "not visible"
        );
        Ok(())
    };
    let rate = arguments.write_rate;
    let latencies = Latencies::at_rate(rate, arguments.seconds, save)?;
    table.add(&format!("100 usages saved and read back | {rate} | {latencies}"));
    Ok(())
}

/// The subscription of each customer, by number.
fn subscriptions(site: &Site) -> Result<Vec<String>> {
    let lines =
        site.query(&format!("SELECT 'S' || hex(sipHash64(toUInt16(number))) FROM numbers({CUSTOMERS})"))?;
    let stored = site.query("SELECT any(subscription) FROM usage_events WHERE customer = 'customer-7'")?;
    let subscriptions: Vec<String> = lines.lines().map(str::to_owned).collect();
    ensure!(subscriptions.get(7).context("no subscriptions")? == stored.trim(), "these are no subscriptions");
    Ok(subscriptions)
}

/// The first and the last second of one of the last months, as parts of a query.
fn month(back: u32) -> (String, String) {
    let index = 2026 * 12 + 9 - back;
    let (year, month) = (index / 12, index % 12 + 1);
    (format!("{year}-{month:02}-01%2000:00:00"), format!("{year}-{month:02}-28%2023:59:59"))
}
