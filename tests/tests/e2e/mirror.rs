//! The mirror topic: each reject once more, for other tools.

use std::collections::BTreeMap;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meterhouse_localstack::{Kafka, KafkaOptions};
use meterhouse_tests::kafka::{self, Logged};
use meterhouse_tests::{Message, Site, Usage, shared, wait};

/// The headers of a mirrored record, by name.
fn headers(record: &Logged) -> Result<BTreeMap<String, Vec<u8>>> {
    record.headers.iter().map(|(name, value)| Ok((name.clone(), STANDARD.decode(value)?))).collect()
}

fn text(headers: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
}

fn mirrored(brokers: &str, topic: &str) -> Result<BTreeMap<(String, String), Logged>> {
    let mut found = BTreeMap::new();
    for record in kafka::read_log(brokers, topic)? {
        let headers = headers(&record)?;
        let place = ["partition", "offset"].map(|name| text(&headers, &format!("__connect.errors.{name}")));
        found.insert(place.into(), record);
    }
    Ok(found)
}

#[test]
fn each_reject_is_mirrored_with_its_bytes_and_why() -> Result<()> {
    let mut site = Site::new("mirrored")?;
    shared().kafka().create_topic("mirrored_dead", 2)?;
    site.set("ingest.mirror_topic", "mirrored_dead")?;
    site.set("ingest.max_record_bytes", 100_000)?;
    let every_byte: Vec<u8> = (0..=255).collect();
    let time = 1_790_000_000_123;
    let messages = [
        Message {
            key: Some(every_byte.clone()),
            value: Some(every_byte.clone()),
            headers: vec![
                ("own".to_owned(), every_byte.clone()),
                ("meterhouse.reason".to_owned(), b"of an earlier time".to_vec()),
            ],
            timestamp_ms: Some(time),
            partition: Some(1),
        },
        Message { value: None, key: None, partition: Some(2), ..Message::default() },
        Message::new("k", vec![b'x'; 100_001]).to(3),
        Usage::default().message().to(3),
    ];
    site.publisher()?.publish(&messages)?;
    let service = site.serve()?;
    site.wait_consumed()?;
    let found = mirrored(&shared().kafka().bootstrap(), "mirrored_dead")?;
    assert_eq!(found.len(), 3);
    let at = |partition: &str| &found[&(partition.to_owned(), "0".to_owned())];

    let bytes = at("1");
    assert_eq!((&bytes.key, &bytes.value), (&Some(every_byte.clone()), &Some(every_byte.clone())));
    assert_eq!(bytes.timestamp_ms, time);
    let told = headers(bytes)?;
    assert_eq!(told["own"], every_byte);
    assert_eq!(bytes.headers.iter().filter(|(name, _)| name == "meterhouse.reason").count(), 1);
    let expected = [
        ("__connect.errors.topic", "mirrored"),
        ("__connect.errors.connector.name", "meterhouse"),
        ("__connect.errors.task.id", "0"),
        ("__connect.errors.stage", "VALUE_CONVERTER"),
        ("__connect.errors.exception.class.name", "meterhouse.invalid_utf8"),
        ("meterhouse.reason", "invalid_utf8"),
        ("meterhouse.raw_length", "256"),
    ];
    for (name, value) in expected {
        assert_eq!(text(&told, name), value, "{name}");
    }
    assert!(text(&told, "__connect.errors.exception.message").contains("utf-8"), "{told:?}");

    assert_eq!((&at("2").key, &at("2").value), (&None, &None));
    assert_eq!(text(&headers(at("2"))?, "meterhouse.reason"), "empty_record");
    assert_eq!(at("3").value.as_ref().map(Vec::len), Some(65_536), "the part that quarantine keeps");
    assert_eq!(text(&headers(at("3"))?, "meterhouse.raw_length"), "100001");
    assert_eq!(service.metric("meterhouse_mirrored_rejects_total", &[])?, 3);
    Ok(())
}

#[test]
fn what_the_mirror_topic_refuses_it_gets_in_part() -> Result<()> {
    let mut site = Site::new("mirror_small")?;
    shared().kafka().create_topic_with("mirror_small_dead", 1, &[("max.message.bytes", "80000")])?;
    site.set("ingest.mirror_topic", "mirror_small_dead")?;
    // Random letters, so that no compression makes it small.
    let mut state = 1_u64;
    let letters = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56).to_le_bytes()[0]
    });
    let large: Vec<u8> = letters.take(200_000).collect();
    let small = Message::new("k", "{").to(0);
    site.publisher()?.publish([&small, &Message::new("k", large.clone()).to(0), &small])?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    let found = mirrored(&shared().kafka().bootstrap(), "mirror_small_dead")?;
    let lengths: Vec<usize> =
        found.values().map(|record| record.value.as_ref().map_or(0, Vec::len)).collect();
    assert_eq!(lengths, [1, 65_536, 1]);
    service.wait_ready()
}

#[test]
fn no_offset_moves_before_the_mirror_has_it() -> Result<()> {
    let mut site = Site::new("mirror_missing")?;
    site.set("ingest.mirror_topic", "mirror_missing_dead")?;
    site.publisher()?.publish([&Message::new("k", "{").to(0), &Usage::default().message().to(0)])?;
    let mut service = site.start(&["serve"], "serve")?;
    service.wait_fault("ingest", "mirror topic mirror_missing_dead")?;
    assert_eq!(site.count("SELECT count() FROM rejects FINAL")?, 1, "quarantine comes first");
    assert_eq!(site.committed()?, [0; 4]);
    shared().kafka().create_topic("mirror_missing_dead", 1)?;
    service.wait_ready()?;
    site.wait_consumed()?;
    assert_eq!(mirrored(&shared().kafka().bootstrap(), "mirror_missing_dead")?.len(), 1);
    Ok(())
}

#[test]
fn a_broker_that_is_killed_in_the_middle_gets_all_of_them() -> Result<()> {
    const RECORDS: usize = 12_000;
    let kafka = Kafka::launch(KafkaOptions::default())?;
    kafka.create_topic("mirror_killed", 4)?;
    kafka.create_topic("mirror_killed_dead", 2)?;
    let mut site = Site::on(&kafka, shared().clickhouse(), "mirror_killed")?;
    site.set("ingest.mirror_topic", "mirror_killed_dead")?;
    site.set("ingest.batch_rows", 100)?;
    let messages: Vec<Message> = (0..RECORDS).map(|number| Message::new(&number.to_string(), "{")).collect();
    site.publisher()?.publish(&messages)?;
    let mut service = site.start(&["serve"], "serve")?;
    // What the process has read stays with it, however long the broker is away: so there is one fault in the middle.
    let stored = service.wait_stored(1500)?;
    assert!(stored < RECORDS as u64, "it was too fast for a fault in the middle");
    kafka.kill()?;
    service.wait_fault("kafka", "no broker answers")?;
    kafka.start()?;
    service.wait_ready()?;
    let committed = site.committed()?;
    let found = mirrored(&kafka.bootstrap(), "mirror_killed_dead")?;
    for (partition, committed) in committed.iter().enumerate() {
        for offset in 0..*committed {
            let place = (partition.to_string(), offset.to_string());
            assert!(found.contains_key(&place), "{place:?} is committed and not mirrored");
        }
    }
    site.wait_consumed()?;
    let all = || mirrored(&kafka.bootstrap(), "mirror_killed_dead").map(|found| found.len());
    wait::until_is("all rejects on the mirror", all, |count| *count == RECORDS)?;
    assert_eq!(site.count("SELECT count() FROM rejects FINAL")?, RECORDS as u64);
    Ok(())
}
