//! Copies that differ, while one of the servers does not answer.

use anyhow::Result;
use meterhouse_localstack::{ClickHouse, ClickHouseOptions, Kafka, KafkaOptions};
use meterhouse_tests::check::{all_is_as_expected, history_lines};
use meterhouse_tests::{Message, Service, Site, Usage, shared, wait};

use crate::rig::{configured, ends_well};

/// 2026-11-24T12:00:00Z.
const NOW_MS: i64 = 1_795_521_600_000;

/// Two creations of each of some events, on two keys.
fn conflicts(count: u32) -> Vec<Message> {
    let pair = |number: u32| {
        let first = Usage::default().with("EventId", &number.to_string());
        let second = first.clone().with("OptionCode", "disk").with("Units", "2");
        [first.message().at(NOW_MS), second.message().at(NOW_MS + 1)]
    };
    (0..count).flat_map(pair).collect()
}

/// A site with conflicts that are stored and that nobody has looked for, and its service, which is not running.
fn unswept(kafka: &Kafka, clickhouse: &ClickHouse, name: &str, count: u32) -> Result<(Site, Service)> {
    let mut site = configured(kafka, clickhouse, name)?;
    site.set("sweep.interval_ms", 600_000)?;
    let mut service = site.serve()?;
    site.publisher()?.publish(&conflicts(count))?;
    site.wait_consumed()?;
    service.kill()?;
    site.set("sweep.interval_ms", 50)?;
    Ok((site, service))
}

#[test]
fn without_kafka_sums_become_right_and_quarantine_follows() -> Result<()> {
    let kafka = Kafka::launch(KafkaOptions::default())?;
    let (site, mut service) = unswept(&kafka, shared().clickhouse(), "sweep_kafka_down", 3)?;
    kafka.stop()?;
    service.start_again()?;
    let live = || site.count("SELECT count() FROM usage_events FINAL");
    wait::until_is("one copy of each event to count", live, |live| *live == 3)?;
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 3.0"]);
    service.wait_fault("sweep", "conflicts wait for their records")?;
    assert_eq!(site.stored_conflicts()?.len(), 0, "their bytes are not known");
    assert_eq!(site.count("SELECT count() FROM settlements")?, 0);
    kafka.start()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service.client())?;
    ends_well(service)
}

/// Conflicts that another process has seen to are in nobody's way.
#[test]
fn what_others_have_seen_to_is_not_waited_for() -> Result<()> {
    let kafka = Kafka::launch(KafkaOptions::default())?;
    let (site, mut service) = unswept(&kafka, shared().clickhouse(), "sweep_seen_to", 3)?;
    kafka.stop()?;
    service.start_again()?;
    service.wait_fault("sweep", "conflicts wait for their records")?;
    site.query(
        "INSERT INTO settlements (identity_hash, copies, version) \
         SELECT identity_hash, count(), max(version) FROM identities FINAL GROUP BY identity_hash",
    )?;
    service.wait_readiness("the sweep to be well", |_, body| body["checks"]["sweep"] == "ok")?;
    kafka.start()?;
    service.wait_ready()?;
    ends_well(service)
}

#[test]
fn killed_again_and_again_in_the_middle_it_ends_in_the_same_state() -> Result<()> {
    const EVENTS: u32 = 1500;
    let (site, mut service) = unswept(shared().kafka(), shared().clickhouse(), "sweep_killed", EVENTS)?;
    let mut kept = 0;
    for _ in 0..3 {
        service.start_again()?;
        let some_more = || Ok(site.stored_conflicts()?.len());
        kept = wait::until_is("some more conflicts in quarantine", some_more, |now| *now > kept)?;
        service.kill()?;
    }
    service.start_again()?;
    service.wait_ready()?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!((expected.events, expected.conflicts.len() as u64), (u64::from(EVENTS), u64::from(EVENTS)));
    let rows = "SELECT uniqExact(topic, partition, offset, index) FROM rejects";
    assert_eq!(site.count(rows)?, u64::from(EVENTS));
    ends_well(service)
}

#[test]
fn without_clickhouse_it_waits_and_says_so() -> Result<()> {
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
    let (site, mut service) = unswept(shared().kafka(), &clickhouse, "sweep_clickhouse_down", 1)?;
    service.start_again()?;
    service.wait_ready()?;
    clickhouse.kill()?;
    service.wait_fault("sweep", "the sweep fails")?;
    clickhouse.start()?;
    service.wait_ready()?;
    site.publisher()?.publish(&conflicts(20))?;
    all_is_as_expected(&site, &service.client())?;
    ends_well(service)
}
