//! What a benchmark stands on: servers of its own, and a site on them.

use std::process::Command;

use anyhow::{Result, ensure};
use meterhouse_localstack::{ClickHouseOptions, Stack, StackOptions};
use meterhouse_tests::{Site, scratch_dir};
use tempfile::TempDir;

use crate::fill;

const PARTITIONS: u16 = 8;

/// A Kafka with a topic, a ClickHouse, and a site whose times are those of production. All of it goes with this.
#[derive(Debug)]
pub struct Ground {
    /// The site.
    pub site: Site,
    _dir: TempDir,
    /// The servers.
    pub stack: Stack,
}

impl Ground {
    /// Starts the servers. `name` is that of topic, group and database.
    ///
    /// # Errors
    /// One does not start.
    pub fn start(name: &str, clickhouse: ClickHouseOptions) -> Result<Self> {
        let stack = Stack::start(StackOptions { clickhouse, ..StackOptions::default() })?;
        stack.kafka().create_topic(name, PARTITIONS)?;
        let dir = scratch_dir(name)?;
        let (brokers, clickhouse_url) = (stack.kafka().bootstrap(), stack.clickhouse().http_url());
        let mut site = Site::in_dir(dir.path(), &brokers, &clickhouse_url, name)?;
        batch_as_by_default(&mut site)?;
        Ok(Self { site, _dir: dir, stack })
    }

    /// The same with this memory for ClickHouse, in MiB, and with events of 24 months that are summed up and merged.
    ///
    /// # Errors
    /// One does not start, or a step fails.
    pub fn with_events(name: &str, memory_mebibytes: u32, events: u64) -> Result<Self> {
        let options = ClickHouseOptions { memory_mebibytes, ..ClickHouseOptions::default() };
        let mut ground = Self::start(name, options)?;
        let site = &mut ground.site;
        site.set("clickhouse.insert_timeout_ms", 20_000)?;
        site.set("rollup.margin_ms", 40_001)?;
        ensure!(site.run(&["migrate"])?.status.success(), "migrate failed");
        fill::events(site, events)?;
        fill::roll_up(site)?;
        fill::merge(site)?;
        let bytes = site.count("SELECT sum(bytes_on_disk) FROM system.parts WHERE active")?;
        eprintln!("{} MB on disk", bytes / 1_000_000);
        settle()?;
        Ok(ground)
    }
}

/// Waits until all that was written is on the disk. Linux holds it back for half a minute: it would come out by the gigabyte
/// in the midst of what is measured next.
///
/// # Errors
/// `sync` fails.
pub fn settle() -> Result<()> {
    ensure!(Command::new("sync").status()?.success(), "sync failed");
    Ok(())
}

/// A site for tests has a batch of its own for nearly every record.
///
/// # Errors
/// Its file cannot be written.
pub fn batch_as_by_default(site: &mut Site) -> Result<()> {
    site.set("ingest.batch_age_ms", 1000)
}
