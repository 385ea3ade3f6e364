//! ClickHouse does not answer.

use anyhow::Result;
use meterhouse_localstack::{ClickHouse, ClickHouseOptions};
use meterhouse_tests::{shared, topic, wait};

use nix::sys::signal::Signal;

use crate::rig::{all_is_as_expected, ends_well, loaded, wait_middle};

#[test]
fn down_at_the_start_it_is_waited_for() -> Result<()> {
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
    let site = loaded(shared().kafka(), &clickhouse, "clickhouse_down")?;
    clickhouse.stop()?;
    let mut service = site.start(&["serve"], "serve")?;
    service.wait_fault("clickhouse", "refused")?;
    assert_eq!(service.operations().get("/healthz")?.status, 200);
    let reply = service.client().ask_history(site.token(), "c", "")?;
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.headers.contains_key("Retry-After"), "{reply:?}");
    clickhouse.start()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service)?;
    ends_well(service)
}

#[test]
fn held_up_when_partitions_are_assigned_it_is_waited_for() -> Result<()> {
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
    let site = loaded(shared().kafka(), &clickhouse, "clickhouse_unasked")?;
    let mut service = site.start(&["serve"], "serve")?;
    wait_middle(&service)?;
    clickhouse.pause()?;
    service.wait_fault("clickhouse", "no answer")?;
    // Its session expires, so that it gets its partitions anew, and has nobody to ask where they begin.
    service.signal(Signal::SIGSTOP)?;
    let members = || topic::members(shared().kafka(), &site.name);
    wait::until_is("the broker to give it up", members, |members| *members == 0)?;
    service.signal(Signal::SIGCONT)?;
    service.wait_fault("partitions", "the ledger cannot be read")?;
    clickhouse.resume()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service)?;
    ends_well(service)
}

#[test]
fn killed_in_the_middle_it_comes_back_to_the_same_rows() -> Result<()> {
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
    let site = loaded(shared().kafka(), &clickhouse, "clickhouse_killed")?;
    let mut service = site.start(&["serve"], "serve")?;
    let pid = service.pid();
    for _ in 0..2 {
        wait_middle(&service)?;
        clickhouse.kill()?;
        service.wait_fault("clickhouse", "refused")?;
        let retries = || service.metric("meterhouse_retries_total", &[]);
        wait::until_is("the insert to be tried again", retries, |retries| *retries > 0)?;
        assert_eq!(service.client().ask_history(site.token(), "customer-1", "")?.status, 503);
        clickhouse.start()?;
        service.wait_ready()?;
    }
    all_is_as_expected(&site, &service)?;
    assert_eq!(service.pid(), pid, "it was not started anew");
    ends_well(service)
}

#[test]
fn held_up_for_longer_than_every_time_out_it_loses_nothing() -> Result<()> {
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
    let site = loaded(shared().kafka(), &clickhouse, "clickhouse_held")?;
    let mut service = site.start(&["serve"], "serve")?;
    wait_middle(&service)?;
    clickhouse.pause()?;
    service.wait_fault("clickhouse", "no answer")?;
    service.wait_fault("ingest", "fails: no answer")?; // into whichever table it was held up
    // An insert whose answer never came is tried again.
    let retries = || service.metric("meterhouse_retries_total", &[]);
    wait::until_is("the insert to be given up and tried again", retries, |retries| *retries >= 2)?;
    let reply = service.client().ask_history(site.token(), "customer-1", "")?;
    assert_eq!(reply.status, 503, "{reply:?}");
    clickhouse.resume()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service)?;
    ends_well(service)
}

#[test]
fn asked_to_end_while_it_is_down_the_process_ends_within_its_bound() -> Result<()> {
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
    let site = loaded(shared().kafka(), &clickhouse, "clickhouse_gone")?;
    let mut service = site.start(&["serve"], "serve")?;
    wait_middle(&service)?;
    clickhouse.kill()?;
    service.wait_fault("clickhouse", "refused")?;
    let status = service.terminate()?;
    assert_eq!(status.code(), Some(0), "{}", service.log_tail());
    clickhouse.start()?;
    service.start_again()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service)?;
    ends_well(service)
}
