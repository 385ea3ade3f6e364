//! A broker that acknowledges before its disk has anything loses its newest records in a power cut. Nothing can bring
//! them back into the log, so their partitions stop; what was counted of them still counts.

use std::collections::BTreeSet;

use anyhow::Result;
use meterhouse_localstack::{Kafka, KafkaOptions};
use meterhouse_tests::kafka::Logged;
use meterhouse_tests::oracle::{self, Expected, Question};
use meterhouse_tests::{Disk, Kinds, Mix, audit, check, shared, wait};
use serde_json::Value;

use crate::rig::{configured, ends_well, now_ms};

const RECORDS: usize = 1500;
const MEBIBYTES: u32 = 600;

#[test]
fn partitions_whose_tail_is_gone_stop_and_nothing_is_uncounted() -> Result<()> {
    let Some(disk) = Disk::in_file(MEBIBYTES)? else { return Ok(()) };
    let data_dir = Some(disk.path().join("kafka"));
    let kafka = Kafka::launch(KafkaOptions { data_dir, ..KafkaOptions::default() })?;
    let site = configured(&kafka, shared().clickhouse(), "lost_tail")?;
    let mut mix = Mix::new("c", 23, 4, Kinds::PORTABLE, now_ms()? - 1_000_000);
    let mut service = site.serve()?;
    site.publisher()?.publish(&mix.take(RECORDS))?;
    check::all_is_as_expected(&site, &service.client())?;
    disk.sync()?;
    site.publisher()?.publish(&mix.take(RECORDS))?;
    let before = check::all_is_as_expected(&site, &service.client())?;
    let old_log = site.log()?;

    disk.cut_power()?;
    kafka.kill()?;
    disk.remount()?;
    kafka.start()?;
    service.kill()?;
    service.start_again()?;
    let told = service.wait_fault("partitions", "before the ledger's end")?;
    check::histories_are_as_expected(&site, &service.client(), &before)?;
    let kept = site.log()?;
    assert!(kept.len() < old_log.len(), "the broker has lost nothing");

    for partition in stopped(&told, &site.name) {
        let accept = ["ledger", "accept", "--partition", &partition, "--at", "beginning", "--yes"];
        let accepted = site.run(&accept)?;
        assert!(accepted.status.success(), "{}", String::from_utf8_lossy(&accepted.stderr));
    }
    service.wait_ready()?;
    site.publisher()?.publish(&mix.finish(RECORDS))?;
    site.wait_consumed()?;
    let expected = expected_of_both(&old_log, &site.log()?)?;
    // Changes that move an event to another key count twice until the sweep has seen them, conflicts are not in quarantine.
    let settled = || Ok((site.count("SELECT count() FROM usage_events FINAL")?, site.stored_rejects()?));
    let what = "what was lost by the broker to count, and what came in its place";
    wait::until_is(what, settled, |(live, rejects)| {
        (*live, rejects) == (expected.events, &expected.rejects)
    })?;
    check::histories_are_as_expected(&site, &service.client(), &expected)?;
    ends_well(service)?;
    audit::verify(&site)
}

/// The numbers of the partitions that `/readyz` calls stopped.
fn stopped(told: &Value, topic: &str) -> BTreeSet<String> {
    let text = told["checks"]["partitions"].as_str().unwrap_or_default();
    let name = format!("{topic}/");
    let behind = text.split(&name).skip(1);
    let numbers = behind.filter_map(|rest| rest.split_once(" stopped").map(|(number, _)| number.to_owned()));
    let numbers: BTreeSet<String> = numbers.collect();
    assert!(!numbers.is_empty(), "{told}");
    numbers
}

/// What the records of the log as it was, and those that came since, amount to. Each has an identity of its own, so it does
/// not matter that places are used twice.
fn expected_of_both(old: &[Logged], new: &[Logged]) -> Result<Expected> {
    let is_new = |record: &&Logged| !old.contains(record);
    let all: Vec<Logged> = old.iter().chain(new.iter().filter(is_new)).cloned().collect();
    oracle::judge(&all, &Question { zone: "UTC", ..Question::default() })
}
