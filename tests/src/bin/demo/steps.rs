//! What the demo does, step by step.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use meterhouse_localstack::{Stack, StackOptions};
use meterhouse_tests::oracle::{FocusAccount, focus_sums};
use meterhouse_tests::{Prometheus, Service, Site, Token, focus, kafka};
use serde_json::{Value, json};

use crate::interrupt::Interrupt;
use crate::screen::{Screen, thousands};

/// Customer of the generated months.
pub(crate) const CUSTOMER: &str = "demo";
/// Name of topic, group and database.
pub(crate) const TOPIC: &str = "usage";
const MONTHS: &str = "24";
const PARTITIONS: u16 = 8;
/// The month of the whole sample.
const SAMPLE_PERIOD: &str = "09.2024";
const POLL: Duration = Duration::from_millis(50);

/// Services of the generated option codes, beside those of the sample.
const CATALOG: &str = "\
scale,compute
compute-vcpu-hours,compute
memory-gib-hours,compute
load-balancer-hours,network
egress-gib,network
requests-thousand,network
block-storage-gib-hours,storage
object-storage-gib-hours,storage
backup-gib-hours,storage
database-hours,database
domains,domains
support-minutes,support
";

/// The HTTP answer of each customer.
pub(crate) type Histories = BTreeMap<String, Value>;

/// Everything that runs. The service ends before the servers.
pub(crate) struct Demo {
    prometheus: Option<Prometheus>,
    service: Option<Service>,
    site: Site,
    stack: Stack,
    /// Records on the topic.
    records: u64,
    /// Their names, and whose they are.
    customers: BTreeMap<String, String>,
}

/// What has become of the records.
pub(crate) struct Ingested {
    pub(crate) records: u64,
    pub(crate) stored: u64,
    pub(crate) rejects: BTreeMap<String, u64>,
}

impl Demo {
    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// Where a customer's usage comes from.
    pub(crate) fn source(&self, customer: &str) -> &str {
        self.customers.get(customer).map_or("", String::as_str)
    }

    pub(crate) fn stack(&self) -> &Stack {
        &self.stack
    }

    /// What watches it, where it is installed.
    pub(crate) fn prometheus(&self) -> Option<&Prometheus> {
        self.prometheus.as_ref()
    }

    /// The running service.
    pub(crate) fn service(&self) -> &Service {
        // It is there from the start of `ingest` to the end of the demo.
        #[expect(clippy::expect_used, reason = "only asked for in between")]
        self.service.as_ref().expect("the service runs")
    }

    /// Ends the service as its owner would, then the servers.
    pub(crate) fn end(mut self) -> Result<()> {
        let Some(mut service) = self.service.take() else { return Ok(()) };
        let status = service.terminate()?;
        ensure!(status.success(), "the service ended with {status}\n{}", service.log_tail());
        Ok(())
    }
}

/// Starts the servers, makes the tables and publishes all usage.
pub(crate) fn prepare(dir: &Path, events: u64, screen: &Screen, interrupt: &Interrupt) -> Result<Demo> {
    meterhouse_localstack::setup()?; // tells its own progress
    let step = screen.begin("starting Kafka and ClickHouse");
    let stack = Stack::start(StackOptions::in_dir(dir))?;
    step.done("Kafka and ClickHouse are running");
    interrupt.check()?;

    let step = screen.begin("creating tables");
    let sample = focus::read(&focus::path())?;
    let mut site = Site::in_dir(dir, &stack.kafka().bootstrap(), &stack.clickhouse().http_url(), TOPIC)?;
    site.use_token(new_token(&site)?)?;
    site.write_catalog(&format!("{}{CATALOG}", sample.catalog))?;
    succeed(&site, &["migrate"])?;
    stack.kafka().create_topic(TOPIC, PARTITIONS)?;
    step.done("tables and topic are there, months are those of UTC");
    interrupt.check()?;

    let published = sample.messages.len() as u64;
    let step = screen.begin("publishing the FOCUS sample");
    site.publisher()?.publish(&sample.messages)?;
    let text = format!("published the FOCUS sample: {} records of real cloud usage", thousands(published));
    step.done(&text);
    interrupt.check()?;

    generate(&site, events, screen, interrupt)?;
    let mut customers = sample.customers;
    customers.insert(CUSTOMER.to_owned(), "generated".to_owned());
    Ok(Demo { prometheus: None, service: None, site, stack, records: published + events, customers })
}

/// A token that nobody has had before, made as a user makes one.
fn new_token(site: &Site) -> Result<Token> {
    let printed = succeed(site, &["token"])?;
    let token =
        printed.lines().find_map(|line| line.strip_prefix("token: ")).context("no token was printed")?;
    Ok(Token::new(token))
}

fn succeed(site: &Site, arguments: &[&str]) -> Result<String> {
    let output = site.run(arguments)?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "meterhouse {} failed:\n{error}", arguments.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Lets the generator publish; it shows its own progress.
fn generate(site: &Site, events: u64, screen: &Screen, interrupt: &Interrupt) -> Result<()> {
    let step = screen.begin("generating usage");
    step.hide();
    let number = events.to_string();
    let mut command = site.command(&[
        "generate",
        "--customers",
        "1",
        "--customer",
        CUSTOMER,
        "--months",
        MONTHS,
        "--events",
        &number,
    ])?;
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("run meterhouse generate")?;
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None => thread::sleep(POLL),
        }
        if let Err(interrupted) = interrupt.check() {
            child.kill()?;
            child.wait()?;
            return Err(interrupted);
        }
    };
    ensure!(status.success(), "meterhouse generate failed");
    step.done(&format!("published {} generated events of {MONTHS} months", thousands(events)));
    Ok(())
}

/// Runs the service until everything is stored.
pub(crate) fn ingest(demo: &mut Demo, screen: &Screen, interrupt: &Interrupt) -> Result<Ingested> {
    let mut step = screen.begin_counting("storing", demo.records);
    let mut service = demo.site.start(&["serve"], "serve")?.silent();
    let ends = kafka::log_ends(&demo.stack.kafka().bootstrap(), TOPIC)?;
    let records = loop {
        if let Some(status) = service.ended() {
            bail!("the service ended: {status}\n{}", service.log_tail());
        }
        // It does not listen yet.
        let records = service.metric("meterhouse_records_total", &[]).unwrap_or_default();
        step.set(records);
        if records >= demo.records && demo.site.committed()? == ends {
            break records;
        }
        interrupt.check()?;
        thread::sleep(POLL);
    };
    let stored = service.metric("meterhouse_events_total", &[("outcome", "stored")])?;
    step.done(&format!("judged and stored {} records", thousands(records)));
    demo.service = Some(service);
    Ok(Ingested { records, stored, rejects: demo.site.stored_rejects()? })
}

/// Has Prometheus watch the service and the database, where it is installed.
pub(crate) fn watch(demo: &mut Demo, screen: &Screen) -> Result<()> {
    if !Prometheus::is_installed() {
        return Ok(());
    }
    let step = screen.begin("starting Prometheus");
    let (service, clickhouse) = (demo.service().metrics_port(), demo.stack.clickhouse().http_port());
    demo.prometheus = Some(Prometheus::start(demo.site.dir(), service, clickhouse)?);
    step.done("Prometheus watches them, with all alerts");
    Ok(())
}

/// Asks for the history of every customer, and compares those of the sample with its own sums.
pub(crate) fn histories(demo: &Demo, screen: &Screen) -> Result<Histories> {
    let step = screen.begin("asking for the history");
    let client = demo.service().client();
    let mut histories = Histories::new();
    for customer in demo.customers.keys() {
        histories.insert(customer.clone(), client.history(demo.site.token(), customer)?);
    }
    for (account, sums) in focus_sums(&focus::path())? {
        let found = histories.get(&account).unwrap_or(&Value::Null);
        let expected = expected_history(&sums);
        ensure!(*found == expected, "the history of {account} is\n{found}\nbut its sums are\n{expected}");
    }
    step.done("every history of the sample is exactly what its own sums say");
    Ok(histories)
}

/// The history of an account of the sample, from its sums alone.
fn expected_history(sums: &FocusAccount) -> Value {
    let usage = |sum: &str| {
        let (whole, fraction) = sum.split_once('.').unwrap_or((sum, ""));
        let fraction = fraction.trim_end_matches('0');
        format!("{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
    };
    let data: Vec<Value> =
        sums.usage.iter().map(|(service, sum)| json!({"service": service, "usage": usage(sum)})).collect();
    json!({"service_usage_history": [{"period": SAMPLE_PERIOD, "data": data}]})
}
