//! Several processes: `ingest` beside `api`, and two `ingest` in one group.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use meterhouse_tests::check::all_is_as_expected;
use meterhouse_tests::{Service, Site, shared, wait};
use nix::sys::signal::Signal;
use rustix::process::{Pid, getpriority_process};

/// Records of a load that takes long enough for something to happen in its middle.
const RECORDS: &str = "40000";

#[test]
fn ingest_and_api_are_processes_of_their_own_that_wait_for_the_tables() -> Result<()> {
    let site = Site::new("separate")?;
    let mut ingest = site.start(&["ingest"], "ingest")?;
    let mut api = site.start(&["api"], "api")?;
    for service in [&mut ingest, &mut api] {
        service.wait_fault("schema", "meterhouse migrate")?;
        assert_eq!(service.operations().get("/healthz")?.status, 200);
    }
    assert_eq!(api.client().ask_history(site.token(), "c", "")?.status, 503, "not a wrong answer, but none");
    let tables =
        shared().clickhouse().query("SELECT count() FROM system.tables WHERE database = 'separate'")?;
    assert_eq!(tables, "0\n", "neither has made tables");

    assert!(site.run(&["migrate"])?.status.success());
    ingest.wait_ready()?;
    api.wait_ready()?;
    site.generate(&["--events", "5000", "--customers", "3", "--invalid", "2%"])?;
    all_is_as_expected(&site, &api.client())?;
    assert!(ingest.client().get("/healthz").is_err(), "ingest has no interface for customers");
    for mut service in [ingest, api] {
        let status = service.terminate()?;
        assert_eq!(status.code(), Some(0), "{}", service.log_tail());
    }
    Ok(())
}

/// Two `ingest` processes, each with partitions of its own, a load for both, and an `api` to ask.
fn pair(name: &str) -> Result<(Site, [Service; 2], Service)> {
    let mut site = Site::new(name)?;
    site.set("ingest.batch_rows", 500)?;
    site.set("ingest.session_timeout_ms", 3000)?;
    assert!(site.run(&["migrate"])?.status.success());
    let pair = [site.start(&["ingest"], "one")?, site.start(&["ingest"], "two")?];
    let mut api = site.start(&["api"], "api")?;
    api.wait_ready()?;
    let assigned = || {
        pair.iter()
            .map(|service| service.metric("meterhouse_partitions", &[("state", "assigned")]))
            .collect::<Result<Vec<_>>>()
    };
    wait::until_is("both to have two of four partitions", assigned, |assigned| *assigned == [2, 2])?;
    site.generate(&["--events", RECORDS, "--customers", "5", "--duplicates", "5%", "--invalid", "2%"])?;
    let stored = || {
        pair.iter().map(|service| service.metric("meterhouse_records_total", &[])).collect::<Result<Vec<_>>>()
    };
    wait::until_is("both to store something", stored, |stored| stored.iter().all(|count| *count > 500))?;
    Ok((site, pair, api))
}

/// A lag of 0 would say that all is seen to.
#[test]
fn the_lag_of_the_sweep_is_told_where_it_runs_and_grows_until_everything_is_seen() -> Result<()> {
    let site = Site::new("sweep_lag")?;
    let lag = |service: &Service| Ok(service.scrape()?.sum("meterhouse_sweep_lag_seconds", &[]));
    for command in ["ingest", "api"] {
        let mut service = site.start(&[command], command)?;
        service.wait_fault("schema", "meterhouse migrate")?;
        assert_eq!(lag(&service)?, None, "{command}");
        assert_eq!(service.scrape()?.sum("meterhouse_sweep_passes_total", &[]), None, "{command}");
    }
    let mut rollup = site.start(&["rollup"], "rollup")?;
    rollup.wait_fault("schema", "meterhouse migrate")?;
    wait::until_is("the lag to grow", || lag(&rollup), |lag| lag.is_some_and(|lag| lag > 3.0))?;
    assert!(site.run(&["migrate"])?.status.success());
    wait::until_is("everything to be seen", || lag(&rollup), |lag| lag.is_some_and(|lag| lag < 2.0))?;
    assert!(rollup.metric("meterhouse_sweep_passes_total", &[])? > 0);
    Ok(())
}

#[test]
fn what_a_killed_process_leaves_the_other_one_goes_on_with() -> Result<()> {
    let (site, [mut one, two], api) = pair("one_killed")?;
    one.kill()?;
    all_is_as_expected(&site, &api.client())?;
    assert_eq!(two.metric("meterhouse_partitions", &[("state", "assigned")])?, 4);
    Ok(())
}

#[test]
fn a_process_that_was_held_up_and_lost_its_partitions_does_no_harm() -> Result<()> {
    let (site, [mut one, mut two], api) = pair("one_held")?;
    one.signal(Signal::SIGSTOP)?;
    let assigned = || two.metric("meterhouse_partitions", &[("state", "assigned")]);
    wait::until_is("the other one to take over", assigned, |assigned| *assigned == 4)?;
    site.wait_consumed()?;
    one.signal(Signal::SIGCONT)?;
    one.wait_ready()?;
    all_is_as_expected(&site, &api.client())?;
    for service in [&mut one, &mut two] {
        let status = service.terminate()?;
        assert_eq!(status.code(), Some(0), "{}", service.log_tail());
    }
    all_is_as_expected(&site, &api.client())?;
    Ok(())
}

/// Names of a process's threads, each with how far its nice value is above that of the process.
fn nice_values(service: &Service) -> Result<BTreeSet<(String, i32)>> {
    let process = service.pid().context("it does not run")?;
    let of_process = getpriority_process(Pid::from_raw(i32::try_from(process)?))?;
    let mut values = BTreeSet::new();
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let thread = thread?;
        let id = thread.file_name().to_string_lossy().parse()?;
        let name = fs::read_to_string(thread.path().join("comm"));
        // One that has nothing to do may have ended since.
        if let (Ok(name), Ok(nice)) = (name, getpriority_process(Pid::from_raw(id))) {
            values.insert((name.trim().to_owned(), nice - of_process));
        }
    }
    Ok(values)
}

#[test]
fn whoever_waits_for_an_answer_goes_first() -> Result<()> {
    let site = Site::new("nice")?;
    let mut service = site.serve()?;
    service.wait_ready()?;
    site.generate(&["--events", "1000"])?;
    service.wait_stored(1000)?;
    let nice = nice_values(&service)?;
    let has = |name: &str, value| nice.contains(&(name.to_owned(), value));
    // Another client of Kafka has threads of these names for what is written over HTTP.
    assert!(has("background", 10) && has("kafka-reader", 10) && has("rdk:main", 10), "{nice:?}");
    assert!(has("tokio-rt-worker", 0) && !has("background", 0) && !has("kafka-reader", 0), "{nice:?}");
    Ok(())
}
