//! One process, one place, and a load.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use meterhouse_tests::{Kinds, Mix, Service, Site, audit, check, crash, shared, wait};

/// Records in front of the process, and behind the crash.
const RECORDS: usize = 2000;
const RECORDS_AFTER: usize = 200;
/// A short limit: what is due after it is due soon.
pub(crate) const INSERT_MS: u64 = 1000;
/// Rows of a batch: each partition's records are in several.
const BATCH_ROWS: u64 = 300;

/// A site with a load on its topic.
pub(crate) struct Case {
    pub(crate) site: Site,
    mix: Mix,
    mirror_topic: String,
}

impl Case {
    /// `session_ms`: how long the broker waits for a silent process.
    pub(crate) fn new(name: &str, session_ms: u64) -> Result<Self> {
        let mut site = Site::new(name)?;
        site.set("ingest.batch_rows", BATCH_ROWS)?;
        site.set("ingest.session_timeout_ms", session_ms)?;
        site.set("sweep.interval_ms", 200)?;
        let mirror_topic = format!("{name}_dead");
        shared().kafka().create_topic(&mirror_topic, 1)?;
        site.set("ingest.mirror_topic", mirror_topic.as_str())?;
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let mut mix = Mix::new("c", seed(name), 4, Kinds::CHANGING, i64::try_from(now_ms)? - 1_000_000);
        site.publisher()?.publish(&mix.take(RECORDS))?;
        let mut case = Self { site, mix, mirror_topic };
        case.limit_inserts(INSERT_MS)?;
        Ok(case)
    }

    /// From its next start on a process has this time for an insert, and a margin that is longer than two of them.
    pub(crate) fn limit_inserts(&mut self, limit_ms: u64) -> Result<()> {
        self.site.set("clickhouse.insert_timeout_ms", limit_ms)?;
        self.site.set("rollup.margin_ms", 2 * limit_ms + 100)
    }

    /// More records come.
    pub(crate) fn publish(&mut self) -> Result<()> {
        self.site.publisher()?.publish(&self.mix.take(RECORDS_AFTER))
    }

    /// Waits until all that is there is stored and summed up by day.
    pub(crate) fn wait_summed_up(&self) -> Result<()> {
        self.site.wait_consumed()?;
        self.site.wait_rolled_up().map(|_| ())
    }

    /// More records come; then everything is as it must be, read from events or from sums by day.
    pub(crate) fn ends_well(mut self, services: &mut [&mut Service]) -> Result<()> {
        self.site.publisher()?.publish(&self.mix.finish(RECORDS_AFTER))?;
        for service in &mut *services {
            service.wait_ready()?;
            check::all_is_as_expected(&self.site, &service.client())?;
        }
        self.wait_summed_up()?;
        for service in &mut *services {
            check::all_is_as_expected(&self.site, &service.client())?;
        }
        audit::is_mirrored(&self.site, &self.mirror_topic)?;
        audit::verify(&self.site)?;
        for service in services {
            let status = service.terminate()?;
            assert_eq!(status.code(), Some(0), "{}", service.log_tail());
        }
        Ok(())
    }
}

/// Starts a command that dies or stands still when it passes a place for the n-th time.
pub(crate) fn start_armed(
    site: &Site,
    command: &[&str],
    place: &str,
    hit: u32,
    action: &str,
) -> Result<Service> {
    let point = format!("{place}:{hit}:{action}");
    site.start_with(command, "armed", &[(crash::VARIABLE, &point)])
}

/// Waits until a process stands still.
pub(crate) fn wait_stopped(service: &Service) -> Result<()> {
    wait::until_is("the process to stand still", || service.is_stopped(), |is_stopped| *is_stopped)
        .map(|_| ())
}

/// Another load for each test, the same one each time.
fn seed(name: &str) -> u64 {
    name.bytes().fold(7, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)))
}
