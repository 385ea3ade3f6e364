//! The process itself ends in the middle of a load: killed, or asked to.

use anyhow::Result;
use meterhouse_tests::Site;
use meterhouse_tests::check::all_is_as_expected;
use nix::sys::signal::Signal;

const RECORDS: u64 = 40_000;

/// A load on the topic, tables whose rows are never merged, and small batches.
fn loaded(name: &str) -> Result<Site> {
    let mut site = Site::new(name)?;
    site.set("ingest.batch_rows", 500)?;
    // Little of it is read ahead, however long a batch takes.
    site.set("ingest.batch_bytes", 1 << 20)?;
    site.set("ingest.max_inflight_bytes", 2 << 20)?;
    let size = ["--events", &RECORDS.to_string(), "--customers", "5"];
    site.generate(&[&size[..], &["--duplicates", "5%", "--late", "5%", "--invalid", "2%"]].concat())?;
    assert!(site.run(&["migrate"])?.status.success());
    // So every row that was ever inserted can be counted.
    site.query("SYSTEM STOP MERGES usage_events")?;
    site.query("SYSTEM STOP MERGES rejects")?;
    Ok(site)
}

fn committed(site: &Site) -> Result<u64> {
    Ok(u64::try_from(site.committed()?.iter().sum::<i64>())?)
}

/// Rows ever inserted, one a record here.
fn inserted(site: &Site) -> Result<u64> {
    Ok(site.count("SELECT count() FROM usage_events")? + site.count("SELECT count() FROM rejects")?)
}

#[test]
fn killed_again_and_again_it_loses_nothing_and_counts_nothing_twice() -> Result<()> {
    let site = loaded("killed")?;
    let mut service = site.start(&["serve"], "serve")?;
    for _ in 0..3 {
        service.wait_stored(2000)?;
        service.kill()?;
        assert!(committed(&site)? < RECORDS, "it was not in the middle");
        service.start_again()?;
    }
    service.wait_ready()?;
    all_is_as_expected(&site, &service.client())?;
    assert!(inserted(&site)? >= RECORDS, "a row is missing");
    Ok(())
}

#[test]
fn asked_to_end_it_stores_and_commits_what_it_has_read() -> Result<()> {
    let site = loaded("drained")?;
    let mut service = site.start(&["serve"], "serve")?;
    service.wait_stored(2000)?;
    let status = service.terminate()?;
    assert_eq!(status.code(), Some(0), "{}", service.log_tail());
    let first = committed(&site)?;
    assert!((2000..RECORDS).contains(&first), "it was not in the middle: {first}");
    assert_eq!(inserted(&site)?, first, "offsets say exactly what is stored");

    service.start_again()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service.client())?;
    assert_eq!(inserted(&site)?, RECORDS, "nothing was read twice");
    let second = service.metric("meterhouse_records_total", &[])?;
    assert_eq!(second, RECORDS - first);
    let status = service.terminate()?;
    assert_eq!(status.code(), Some(0), "{}", service.log_tail());
    Ok(())
}

#[test]
fn a_second_signal_ends_it_at_once() -> Result<()> {
    let site = loaded("two_signals")?;
    let mut service = site.start(&["serve"], "serve")?;
    service.wait_stored(2000)?;
    service.signal(Signal::SIGINT)?;
    // It may have ended by itself in between.
    let _ = service.signal(Signal::SIGINT);
    service.wait_end()?;
    service.start_again()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service.client())?;
    Ok(())
}

#[test]
fn an_idle_process_ends_with_0_after_either_signal() -> Result<()> {
    let site = Site::new("idle")?;
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut service = site.serve()?;
        service.signal(signal)?;
        let status = service.wait_end()?;
        assert_eq!(status.code(), Some(0), "{signal}: {}", service.log_tail());
    }
    Ok(())
}
