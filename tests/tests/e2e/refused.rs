//! Rows that ClickHouse itself refuses.

use std::collections::BTreeSet;

use anyhow::Result;
use meterhouse_localstack::{ClickHouse, ClickHouseOptions};
use meterhouse_tests::check::histories_are_as_expected;
use meterhouse_tests::{Message, Service, Site, Usage, shared, wait};

/// Usable events, on all partitions.
const USABLE: u64 = 6000;
/// Places of the records that the table refuses, among the usable ones of their partition.
const POISONED: [(i32, u64); 7] = [(0, 0), (0, 1), (0, 700), (1, 333), (2, 5), (2, 1499), (3, 800)];

fn usage(number: u64, option: &str) -> Usage {
    Usage::default()
        .with("SubscriptionReference", &format!("S{}", number % 37))
        .with("EventId", &format!("e-{number}"))
        .with("OptionCode", option)
        .on(&format!("2026-{:02}-{:02}", 1 + number % 9, 1 + number % 28))
}

/// A load with refused records in it: single ones, and one with several usages of which one is at fault.
fn messages() -> Vec<Message> {
    let mut messages = Vec::new();
    for number in 0..USABLE {
        let partition = i32::try_from(number % 4).unwrap_or_default();
        if POISONED.contains(&(partition, number / 4)) {
            let poison = usage(100_000 + number, "poison").with("Description", "é\\n");
            messages.push(Message {
                headers: vec![("h".into(), vec![0, 255])],
                ..poison.message().to(partition)
            });
        }
        messages.push(usage(number, "cpu").message().to(partition));
    }
    let several = [("cpu", 1), ("poison", 2), ("gpu", 3)];
    let usages = several.map(|(option, number)| usage(200_000 + number, option).json()).join(",");
    messages.push(Message::new("several", format!("{{\"Usages\":[{usages}]}}")).to(3));
    messages
}

const REFUSED: u64 = POISONED.len() as u64 + 1;
/// Usages in refused records.
const REFUSED_EVENTS: u64 = POISONED.len() as u64 + 3;

/// A table that refuses an option code, and a load in which it is.
fn poisoned(name: &str) -> Result<Site> {
    let site = Site::new(name)?;
    assert!(site.run(&["migrate"])?.status.success());
    site.query("ALTER TABLE usage_events ADD CONSTRAINT poison CHECK option_code != 'poison'")?;
    site.publisher()?.publish(&messages())?;
    Ok(site)
}

/// Everything is there once: usable events in the table, each refused record in quarantine with all its bytes.
fn all_is_kept(site: &Site) -> Result<()> {
    site.wait_consumed()?;
    assert_eq!(site.count("SELECT count() FROM usage_events FINAL")?, USABLE);
    assert_eq!(
        site.count("SELECT count() FROM identities FINAL")?,
        USABLE,
        "evidence of what is stored alone"
    );
    let refused = "SELECT count() FROM rejects FINAL WHERE reason = 'refused_by_store' AND index = -1 \
                   AND detail LIKE '%poison%' AND scope = 'record'";
    assert_eq!(site.count(refused)?, REFUSED);
    let rejected: BTreeSet<String> = site
        .query("SELECT concat(partition, '/', offset, ' ', hex(raw), ' ', record_key, ' ', hex(headers[1].2)) FROM rejects FINAL FORMAT TSVRaw")?
        .lines()
        .map(str::to_owned)
        .collect();
    let at_fault = site.log()?.into_iter().filter(|record| {
        record.value.as_ref().is_some_and(|value| String::from_utf8_lossy(value).contains("poison"))
    });
    let expected = at_fault.map(|record| {
        let header = if record.headers.is_empty() { "" } else { "00FF" };
        let value = hex::encode_upper(record.value.unwrap_or_default());
        let key = String::from_utf8_lossy(&record.key.unwrap_or_default()).into_owned();
        format!("{}/{} {value} {key} {header}", record.partition, record.offset)
    });
    assert_eq!(rejected, expected.collect::<BTreeSet<_>>());
    Ok(())
}

fn replayed_it_is_as_if_nothing_had_been_refused(site: &Site, service: &Service) -> Result<()> {
    // In vain, as long as the table is as it is.
    assert!(site.run(&["rejects", "replay"])?.status.success());
    let refused = site.query("SELECT DISTINCT reason, replay_outcome FROM rejects FINAL FORMAT TSV")?;
    assert_eq!(refused, "refused_by_store\trejected\n");
    all_is_kept(site)?;
    site.query("ALTER TABLE usage_events DROP CONSTRAINT poison")?;
    for attempt in 0..2 {
        let replay = site.run(&["rejects", "replay", "--reason", "refused_by_store", "--json"])?;
        assert!(replay.status.success(), "{replay:?}");
        let stored =
            site.query("SELECT groupUniqArray(replay_outcome), count() FROM rejects FINAL FORMAT TSV")?;
        assert_eq!(stored, format!("['stored']\t{REFUSED}\n"), "attempt {attempt}");
        let expected = site.expected()?;
        assert_eq!(expected.events, USABLE + REFUSED_EVENTS);
        assert_eq!(site.count("SELECT count() FROM usage_events FINAL")?, expected.events);
        histories_are_as_expected(site, &service.client(), &expected)?;
        let verified = site.run(&["verify"])?;
        assert!(verified.status.success(), "{verified:?}");
    }
    Ok(())
}

#[test]
fn records_at_fault_are_found_and_all_others_are_stored() -> Result<()> {
    let mut site = poisoned("refused")?;
    site.set("ingest.batch_age_ms", 2000)?;
    let mut service = site.serve()?;
    all_is_kept(&site)?;
    let counted = |outcome| service.metric("meterhouse_events_total", &[("outcome", outcome)]);
    assert_eq!((counted("stored")?, counted("rejected")?), (USABLE, REFUSED));
    assert_eq!(service.metric("meterhouse_rejects_total", &[("reason", "refused_by_store")])?, REFUSED);
    service.wait_ready()?;
    replayed_it_is_as_if_nothing_had_been_refused(&site, &service)
}

#[test]
fn killed_while_it_looks_for_them_it_finds_the_same() -> Result<()> {
    let mut site = poisoned("refused_killed")?;
    site.set("ingest.batch_age_ms", 1000)?;
    site.set("ingest.session_timeout_ms", 3000)?;
    let mut service = site.start(&["serve"], "serve")?;
    for _ in 0..3 {
        let rows = site.count("SELECT count() FROM usage_events")?;
        let stored = || site.count("SELECT count() FROM usage_events");
        wait::until_is("some parts to be stored", stored, |stored| *stored > rows)?;
        service.kill()?;
        service.start_again()?;
    }
    service.wait_ready()?;
    all_is_kept(&site)?;
    replayed_it_is_as_if_nothing_had_been_refused(&site, &service)
}

#[test]
fn one_that_is_gone_from_kafka_is_rebuilt_from_its_events() -> Result<()> {
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
    shared().kafka().create_topic("refused_gone", 1)?;
    let site = Site::on(shared().kafka(), &clickhouse, "refused_gone")?;
    let mut service = site.serve()?;
    site.query("ALTER TABLE usage_events ADD CONSTRAINT poison CHECK option_code != 'poison'")?;
    clickhouse.kill()?;
    service.wait_fault("clickhouse", "refused")?;
    let several =
        [usage(1, "cpu"), usage(2, "poison")].map(|usage| usage.without("EventId").json()).join(",");
    let messages = [
        usage(0, "cpu").message(),
        Message::new("k", format!("{{\"Usages\":[{several}]}}")),
        usage(3, "cpu").message(),
    ];
    site.publisher()?.publish(&messages)?;
    let expected = site.expected()?;
    let retries = || service.metric("meterhouse_retries_total", &[]);
    wait::until_is("the batch to be tried", retries, |retries| *retries > 0)?;
    let file = site.dir().join("delete.json");
    let before = r#"{"version":1,"partitions":[{"topic":"refused_gone","partition":0,"offset":2}]}"#;
    std::fs::write(&file, before)?;
    let file = file.to_string_lossy().into_owned();
    shared().kafka().tool("org.apache.kafka.tools.DeleteRecordsCommand", &["--offset-json-file", &file])?;
    clickhouse.start()?;
    service.wait_ready()?;
    site.wait_consumed()?;
    let rows = site.query("SELECT offset, detail LIKE '%gone%poison%' FROM rejects FINAL FORMAT TSV")?;
    assert_eq!(rows, "1\t1\n", "{}", service.log_tail());
    assert_eq!(site.count("SELECT count() FROM usage_events FINAL")?, 2);
    site.query("ALTER TABLE usage_events DROP CONSTRAINT poison")?;
    assert!(site.run(&["rejects", "replay"])?.status.success());
    assert_eq!(
        site.count("SELECT count() FROM usage_events FINAL WHERE identity LIKE 'k:12:refused_gone,0,1,%'")?,
        2
    );
    histories_are_as_expected(&site, &service.client(), &expected)
}

#[test]
fn where_every_record_is_refused_it_is_the_table_that_is_wrong() -> Result<()> {
    let site = Site::new("refused_all")?;
    assert!(site.run(&["migrate"])?.status.success());
    site.query("ALTER TABLE usage_events ADD CONSTRAINT none CHECK option_code = ''")?;
    let messages: Vec<Message> = (0..101).map(|number| usage(number, "cpu").message().to(0)).collect();
    site.publisher()?.publish(&messages)?;
    let mut service = site.start(&["serve"], "serve")?;
    let status = service.wait_end()?;
    assert_eq!(status.code(), Some(1), "{}", service.log_tail());
    assert!(service.log().contains("Constraint `none`"), "{}", service.log_tail());
    assert_eq!(site.count("SELECT count() FROM rejects")?, 0);
    assert_eq!(site.committed()?, [0; 4]);
    site.query("ALTER TABLE usage_events DROP CONSTRAINT none")?;
    service.start_again()?;
    service.wait_ready()?;
    site.wait_consumed()?;
    assert_eq!(site.count("SELECT count() FROM usage_events FINAL")?, 101);
    Ok(())
}

/// Batches so small that none of them tells anything of the table by itself.
#[test]
fn where_all_of_many_small_batches_is_refused_it_is_the_table_too() -> Result<()> {
    const POISONED: u64 = 60;
    let site = Site::new("refused_in_a_row")?;
    assert!(site.run(&["migrate"])?.status.success());
    site.query("ALTER TABLE usage_events ADD CONSTRAINT poison CHECK option_code != 'poison'")?;
    let mut service = site.serve()?;
    let publish = |first: u64, count: u64, option: &str| {
        let messages: Vec<Message> =
            (first..first + count).map(|number| usage(number, option).message().to(0)).collect();
        site.publisher()?.publish(&messages)
    };
    for (first, count, option) in [(0, POISONED, "poison"), (100, 1, "cpu"), (200, POISONED, "poison")] {
        publish(first, count, option)?;
        site.wait_consumed()?;
    }
    service.wait_ready()?;
    publish(300, POISONED, "poison")?;
    let status = service.wait_end()?;
    assert_eq!(status.code(), Some(1), "{}", service.log_tail());
    assert!(service.log().contains("Constraint `poison`"), "{}", service.log_tail());
    let kept = site.count("SELECT count() FROM rejects FINAL")?;
    assert!((2 * POISONED..2 * POISONED + 40).contains(&kept), "{kept} in quarantine");
    site.query("ALTER TABLE usage_events DROP CONSTRAINT poison")?;
    service.start_again()?;
    service.wait_ready()?;
    site.wait_consumed()?;
    assert!(site.run(&["rejects", "replay"])?.status.success());
    assert_eq!(site.count("SELECT count() FROM usage_events FINAL")?, 3 * POISONED + 1);
    Ok(())
}
