//! `meterhouse ingest` with all of its tables, everything switched on.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::{ClickHouse, ClickHouseOptions, local_dir};
use meterhouse_tests::Site;

use crate::contender::{Measured, Topic, merge, wait_for};
use crate::process::Usage;

const DATABASE: &str = "ingest_bench";
const POLL: Duration = Duration::from_millis(20);

pub(crate) fn run(topic: &Topic<'_>) -> Result<Measured> {
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
    let dir = tempfile::Builder::new().prefix("ingest-bench-").tempdir_in(local_dir().join("run"))?;
    let kafka = topic.kafka;
    let mut site = Site::in_dir(dir.path(), &kafka.bootstrap(), &clickhouse.http_url(), DATABASE)?;
    site.set("kafka.topic", topic.name)?;
    // A site for tests has a batch of its own for nearly every record: here all is as it is by default.
    site.set("ingest.batch_age_ms", 1000)?;
    ensure!(site.run(&["migrate"])?.status.success(), "migrate failed");
    if !topic.merges {
        clickhouse.query("SYSTEM STOP MERGES")?;
    }
    let (server_before, broker_before) = (Usage::of(clickhouse.pid()?)?, Usage::of(kafka.pid()?)?);
    let begun = Instant::now();
    let mut service = site.start(&["ingest"], "ingest")?;
    let pid = service.pid().context("it has ended")?;
    // Until it listens there is no answer.
    let stored = || service.metric("meterhouse_records_total", &[]).unwrap_or_default();
    wait_for(POLL, || Ok(stored() > 0))?;
    let first = begun.elapsed();
    wait_for(POLL, || Ok(stored() >= topic.events))?;
    let wall = begun.elapsed();
    let (reader, server, broker) = (Usage::of(pid)?, Usage::of(clickhouse.pid()?)?, Usage::of(kafka.pid()?)?);
    ensure!(service.terminate()?.success(), "it ended with an error");
    let stored_bytes = site
        .count("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()")?;
    let merges = merge(&clickhouse)?;
    let counted = site.count("SELECT count() FROM usage_events FINAL")?;
    ensure!(counted == topic.events, "{counted} of {} events are stored", topic.events);
    let units = site.query("SELECT toString(sum(toDecimal256(units, 18))) FROM usage_events FINAL")?;
    Ok(Measured {
        wall,
        first: Some(first),
        reader: Some(reader),
        clickhouse: Some(server.since(&server_before)),
        broker: broker.since(&broker_before),
        merges: Some(merges),
        stored_bytes: Some(stored_bytes),
        units: Some(units.trim().to_owned()),
    })
}
