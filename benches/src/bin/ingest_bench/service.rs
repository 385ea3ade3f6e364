//! `meterhouse ingest` with all of its tables, everything switched on.

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use meterhouse_benches::ground::batch_as_by_default;
use meterhouse_benches::process::Usage;
use meterhouse_benches::wait::wait_for;
use meterhouse_localstack::{ClickHouse, ClickHouseOptions};
use meterhouse_tests::{Site, scratch_dir};

use crate::contender::{Measured, Meter, Stored, Topic};

const DATABASE: &str = "ingest_bench";
const POLL: Duration = Duration::from_millis(20);

pub(crate) fn run(topic: &Topic<'_>) -> Result<Measured> {
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
    let dir = scratch_dir("ingest-bench")?;
    let kafka = topic.kafka;
    let mut site = Site::in_dir(dir.path(), &kafka.bootstrap(), &clickhouse.http_url(), DATABASE)?;
    site.set("kafka.topic", topic.name)?;
    batch_as_by_default(&mut site)?;
    ensure!(site.run(&["migrate"])?.status.success(), "migrate failed");
    if !topic.merges {
        clickhouse.query("SYSTEM STOP MERGES")?;
    }
    let meter = Meter::start(&clickhouse, kafka)?;
    let mut service = site.start(&["ingest"], "ingest")?;
    let pid = service.pid().context("it has ended")?;
    let perf = topic.profile.as_deref().map(|file| Perf::record(pid, file)).transpose()?;
    // Until it listens there is no answer.
    let stored = || service.metric("meterhouse_records_total", &[]).unwrap_or_default();
    wait_for(POLL, || Ok(stored() > 0))?;
    let first = meter.elapsed();
    wait_for(POLL, || Ok(stored() >= topic.events))?;
    let wall = meter.elapsed();
    let (reader, (server, broker)) = (Usage::of(pid)?, meter.used()?);
    ensure!(service.terminate()?.success(), "it ended with an error");
    // Perf ends with it.
    perf.map_or(Ok(()), Perf::wait)?;
    let table = format!("{DATABASE}.usage_events");
    let stored = Stored::check(&clickhouse, server, topic.events, &table, "subscription, identity")?;
    Ok(Measured { wall, first: Some(first), reader: Some(reader), broker, stored: Some(stored) })
}

/// Linux's perf, that looks at a process some hundred times a second.
struct Perf(Child);

impl Perf {
    fn record(pid: u32, file: &Path) -> Result<Self> {
        // Frames of librdkafka have no pointers to each other: stacks are copied, and unwound later.
        let mut command = Command::new("perf");
        command.args(["record", "--quiet", "--freq", "399", "--call-graph", "dwarf,16384"]);
        command.arg("--pid").arg(pid.to_string()).arg("--output").arg(file);
        Ok(Self(command.spawn().context("start perf, of Debian's package linux-perf")?))
    }

    fn wait(mut self) -> Result<()> {
        ensure!(self.0.wait()?.success(), "perf ended with an error");
        Ok(())
    }
}
