//! A full topic that is emptied while something else is measured.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use meterhouse_benches::fill::CUSTOMERS;
use meterhouse_benches::ground::settle;
use meterhouse_benches::latency::Latencies;
use meterhouse_benches::wait::wait_for;
use meterhouse_tests::{Service, Site};

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(100);
/// The end of this month's first day, or of its part so far.
const END_OF_DAY: &str =
    "SELECT formatDateTime(least(now(), toStartOfMonth(now()) + toIntervalDay(1)), '%FT%TZ', 'UTC')";

/// Publishes usage of this month's first day, of customers whose names begin alike, and measures while `meterhouse serve`
/// stores it. Returns also how many events it stored a second. In the end all are stored.
///
/// # Errors
/// The measurement fails, or the topic was empty before its end.
pub(crate) fn meanwhile(
    site: &Site,
    events: u64,
    customer: &str,
    measure: impl FnOnce() -> Result<Latencies>,
) -> Result<(u64, Latencies)> {
    let [count, customers] = [events.to_string(), CUSTOMERS.to_string()];
    let until = site.query(END_OF_DAY)?;
    eprintln!("publishing {events} events");
    let load = ["--events", &count, "--customers", &customers, "--customer", customer];
    site.generate(&[&load[..], &["--months", "1", "--until", until.trim()]].concat())?;
    settle()?;
    let mut service = site.serve()?;
    give_way(&service)?;
    let (before, begun) = (service.wait_stored(1)?, Instant::now());
    let latencies = measure()?;
    let (after, seconds) =
        (service.metric("meterhouse_records_total", &[])?, begun.elapsed().as_secs().max(1));
    ensure!(after < events, "all {events} events were stored before the end: let --backlog be more");
    // It gives way to all else.
    wait_for(LOOK, || Ok(service.metric("meterhouse_records_total", &[])? >= events))?;
    ensure!(service.terminate()?.success(), "serve ended with an error");
    Ok(((after - before) / seconds, latencies))
}

/// Gives the process a tenth of the processor where others want all of it, as the unit of ingest does for systemd
/// (`CPUWeight=10`). Without groups by session in this kernel, its nice threads give way by themselves.
fn give_way(service: &Service) -> Result<()> {
    let group = format!("/proc/{}/autogroup", service.pid().context("it does not run")?);
    if Path::new(&group).exists() {
        fs::write(group, "10")?;
    }
    Ok(())
}
