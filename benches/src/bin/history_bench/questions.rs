//! The ways in which histories are asked for.

use std::fs::{self, File};

use anyhow::{Context, Result};
use meterhouse_benches::ask::{self, MONTHS_24};
use meterhouse_benches::fill::{self, customer};
use meterhouse_benches::ground::settle;
use meterhouse_benches::latency::{Latencies, random_customer};
use meterhouse_tests::{Service, Site};

/// Caches of the server that hold what is stored.
const SERVER_CACHES: [&str; 4] =
    ["MARK CACHE", "UNCOMPRESSED CACHE", "PRIMARY INDEX CACHE", "INDEX MARK CACHE"];
/// Has Linux forget the files that it holds in memory.
const SYSTEM_CACHE: &str = "/proc/sys/vm/drop_caches";

/// Whom the questions go to, and how many they are.
pub(crate) struct Questions<'q> {
    pub(crate) site: &'q Site,
    pub(crate) api: &'q Service,
    /// One after the other.
    pub(crate) in_turn: u32,
    /// At a fixed rate, for so long.
    pub(crate) seconds: u32,
    /// Whose answer is in no cache.
    pub(crate) cold: u32,
    /// To the raw table.
    pub(crate) raw: u32,
}

/// Sees whether cold questions can be asked, before there is anything to ask for.
///
/// # Errors
/// They are wanted, and cannot.
pub(crate) fn check_cold(requests: u32) -> Result<()> {
    if requests > 0 {
        let file = File::options().write(true).open(SYSTEM_CACHE);
        file.context("only root can empty the caches of the system: --cold-requests 0 does without")?;
    }
    Ok(())
}

impl Questions<'_> {
    /// One history after the other.
    pub(crate) fn in_turn(&self, query: &str) -> Result<Latencies> {
        let agent = ureq::Agent::new_with_defaults();
        Latencies::of(self.in_turn, || Ok(()), |number| self.ask(&agent, number, query))
    }

    /// Histories of 24 months, so many a second, whether or not earlier ones are answered.
    pub(crate) fn at_rate(&self, per_second: u32) -> Result<Latencies> {
        Latencies::at_rate(per_second, self.seconds, |agent, number| {
            self.ask(agent, random_customer(number), MONTHS_24)
        })
    }

    /// Histories of 24 months, of which nothing is in a cache. None where none are wanted.
    pub(crate) fn cold(&self) -> Result<Option<Latencies>> {
        if self.cold == 0 {
            return Ok(None);
        }
        // What is not on the disk yet stays in memory.
        settle()?;
        let forget = || {
            for cache in SERVER_CACHES {
                self.site.query(&format!("SYSTEM DROP {cache}"))?;
            }
            Ok(fs::write(SYSTEM_CACHE, "1")?)
        };
        let agent = ureq::Agent::new_with_defaults();
        Latencies::of(self.cold, forget, |number| self.ask(&agent, number, MONTHS_24)).map(Some)
    }

    /// The sums of a history from the raw table.
    pub(crate) fn raw(&self) -> Result<Latencies> {
        let ask = |number| self.site.query(&fill::raw_question(&customer(number))).map(|_| ());
        Latencies::of(self.raw, || Ok(()), ask)
    }

    fn ask(&self, agent: &ureq::Agent, number: u32, query: &str) -> Result<()> {
        ask::history(agent, self.site, self.api, number, query)
    }
}
