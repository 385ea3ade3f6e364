//! The same usage, consumed in another way, gives the same answers, byte for byte.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meterhouse_localstack::{ClickHouse, ClickHouseOptions, Clock};
use meterhouse_tests::kafka::Logged;
use meterhouse_tests::{Client, Kinds, Message, Mix, Service, Site, audit, check, shared};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SEED: u64 = 17;
const RECORDS: usize = 6000;

/// Answers by customer, as they came.
type Answers = BTreeMap<String, String>;

fn answers(site: &Site, client: &Client, customers: &[String]) -> Result<Answers> {
    let answer = |customer: &String| {
        let reply = client.ask_history(site.token(), customer, "")?;
        assert_eq!(reply.status, 200, "{}", reply.body);
        Ok((customer.clone(), reply.body))
    };
    customers.iter().map(answer).collect()
}

/// A load, and what is answered about it.
struct Original {
    site: Site,
    service: Service,
    customers: Vec<String>,
    answers: Answers,
}

impl Original {
    fn new(name: &str) -> Result<Self> {
        let site = Site::new(name)?;
        let now_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let mut mix = Mix::new("c", SEED, 5, Kinds::PORTABLE, now_ms - 1_000_000);
        site.publisher()?.publish(&mix.finish(RECORDS))?;
        let service = site.serve()?;
        check::all_is_as_expected(&site, &service.client())?;
        let customers = mix.customers();
        let answers = answers(&site, &service.client(), &customers)?;
        Ok(Self { site, service, customers, answers })
    }

    /// The answers of another site are the same ones.
    fn is_matched_by(&self, site: &Site) -> Result<()> {
        let service = site.serve()?;
        check::all_is_as_expected(site, &service.client())?;
        let other = answers(site, &service.client(), &self.customers)?;
        assert_eq!(other, self.answers, "answers of {}", site.name);
        Ok(())
    }
}

/// A record of a log to publish again, under its own time, by its key.
fn again(logged: &Logged) -> Result<Message> {
    let header = |(name, value): &(String, String)| Ok((name.clone(), STANDARD.decode(value)?));
    Ok(Message {
        key: logged.key.clone(),
        value: logged.value.clone(),
        headers: logged.headers.iter().map(header).collect::<Result<_>>()?,
        timestamp_ms: Some(logged.timestamp_ms),
        partition: None,
    })
}

#[test]
fn other_batches() -> Result<()> {
    let original = Original::new("batches")?;
    for (name, rows, age_ms) in [("batches_small", 37, 100), ("batches_large", 100_000, 2000)] {
        let mut site = Site::new(name)?;
        // From its beginning, into another database.
        site.read_topic_of(&original.site)?;
        site.set("ingest.batch_rows", rows)?;
        site.set("ingest.batch_age_ms", age_ms)?;
        original.is_matched_by(&site)?;
    }
    Ok(())
}

#[test]
fn other_partitions_order_and_redelivery() -> Result<()> {
    let original = Original::new("partitions")?;
    let log = original.site.log()?;
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    for (name, partitions, redelivered) in [("one_partition", 1, 0.0), ("seven_partitions", 7, 0.3)] {
        shared().kafka().create_topic(name, partitions)?;
        let site = Site::on(shared().kafka(), shared().clickhouse(), name)?;
        let mut messages = log.iter().map(again).collect::<Result<Vec<_>>>()?;
        let copies: Vec<Message> =
            messages.iter().filter(|_| random.random_bool(redelivered)).cloned().collect();
        messages.extend(copies);
        messages.shuffle(&mut random);
        // Some end up where their key does not belong.
        for message in &mut messages {
            if random.random_bool(redelivered) {
                message.partition = Some(random.random_range(0..i32::from(partitions)));
            }
        }
        site.publisher()?.publish(&messages)?;
        original.is_matched_by(&site)?;
    }
    Ok(())
}

#[test]
fn merges_or_none() -> Result<()> {
    let original = Original::new("merges")?;
    let site = &original.site;
    let tables = site.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'",
    )?;
    let tables: Vec<&str> = tables.lines().collect();
    let same = |when: &str| {
        let now = answers(site, &original.service.client(), &original.customers)?;
        assert_eq!(now, original.answers, "{when}");
        Ok::<(), anyhow::Error>(())
    };
    for table in &tables {
        site.query(&format!("OPTIMIZE TABLE {table} FINAL"))?;
    }
    same("everything is merged")?;
    for table in &tables {
        site.query(&format!("SYSTEM STOP MERGES {table}"))?;
    }
    let log = site.log()?;
    let copies = log.iter().map(again).collect::<Result<Vec<_>>>()?;
    site.publisher()?.publish(&copies)?;
    site.wait_consumed()?;
    same("all of it is there twice")?;
    for table in &tables {
        site.query(&format!("SYSTEM START MERGES {table}"))?;
        site.query(&format!("OPTIMIZE TABLE {table} FINAL")).with_context(|| (*table).to_owned())?;
    }
    same("merged again")
}

/// The server's clock is the clock of marks and scans. Set back, it leaves scans in the future, which count for nothing.
#[test]
fn clocks_that_step_back() -> Result<()> {
    const DAY: i64 = 86_400;
    let original = Original::new("right_clock")?;
    let log = original.site.log()?;
    let messages = log.iter().map(again).collect::<Result<Vec<_>>>()?;

    let dir = tempfile::tempdir()?;
    let clock = Clock::new(dir.path().join("clock"))?;
    let clickhouse =
        ClickHouse::launch(ClickHouseOptions { clock: Some(clock.clone()), ..Default::default() })?;
    shared().kafka().create_topic("wrong_clock", 3)?;
    let site = Site::on(shared().kafka(), &clickhouse, "wrong_clock")?;
    let service = site.serve()?;

    // Whether sums by day can count while the clock stands there.
    let steps = [(0, true), (DAY, true), (-DAY, false), (40 * DAY, true), (-2 * DAY, false)];
    for ((offset, counts), part) in steps.into_iter().zip(messages.chunks(log.len().div_ceil(steps.len()))) {
        clock.shift(offset)?;
        let server_time: i64 = clickhouse.query("SELECT toUnixTimestamp(now())")?.trim().parse()?;
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
        assert!((server_time - now - offset).abs() < 60, "{server_time} at {now}");
        site.publisher()?.publish(part)?;
        check::all_is_as_expected(&site, &service.client())?;
        if counts {
            check::all_is_as_expected_rolled_up(&site, &service.client())?;
        }
    }
    assert_eq!(answers(&site, &service.client(), &original.customers)?, original.answers);
    clock.shift(0)?;
    audit::verify(&site)?;
    assert_eq!(answers(&site, &service.client(), &original.customers)?, original.answers);
    Ok(())
}
