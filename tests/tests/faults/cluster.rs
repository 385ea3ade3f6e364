//! Two ClickHouse servers as the shards of a cluster, two processes that ingest.

use std::process::Output;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use meterhouse_tests::usages::{Usages, is_visible, usage};
use meterhouse_tests::{CLUSTER, Client, Kinds, Mix, Poller, Shards, Site, Token, audit, check, shared};
use serde_json::json;

use crate::rig::{ends_well, now_ms};

const SEED: u64 = 11;
const STEPS: usize = 12;
const RECORDS_A_STEP: usize = 400;
/// When the second shard is killed, and when it comes back.
const KILLED: usize = 4;
const BACK: usize = 8;
const REFUSED: i32 = 4;
const TOKEN: &str = "mh_usages";
/// Enough that each shard has some.
const SUBSCRIPTIONS: usize = 8;

fn site(shards: &Shards, name: &str) -> Result<Site> {
    shared().kafka().create_topic(name, 4)?;
    let mut site = Site::on(shared().kafka(), shards.server(0), name)?;
    site.set("clickhouse.cluster", CLUSTER)?;
    site.set("clickhouse.replicated", false)?;
    site.set("ingest.batch_rows", 500)?;
    site.set("clickhouse.query_timeout_ms", 3000)?;
    // A look at the suspects takes a second here, while other tests run.
    site.set("sweep.max_lag_seconds", 10)?;
    Ok(site)
}

fn variables(shards: &Shards, number: usize) -> [(&'static str, String); 1] {
    [("METERHOUSE_CLICKHOUSE__URL", shards.server(number).http_url())]
}

/// Without Keeper each server is migrated by itself.
fn migrate(site: &Site, shards: &Shards, number: usize) -> Result<Output> {
    Ok(site.command(&["migrate"])?.envs(variables(shards, number)).output()?)
}

fn told(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

/// The tables of the database `alone`.
fn alone_tables(shards: &Shards) -> Result<String> {
    Ok(shards.server(0).query("SELECT name FROM system.tables WHERE database = 'alone' ORDER BY name")?)
}

/// Usages on either shard are saved, changed and deleted, and can be read at once.
fn writes_are_read_back(site: &Site, client: Client) -> Result<()> {
    let usages = Usages::new(client, TOKEN);
    for number in 0..SUBSCRIPTIONS {
        let subscription = format!("w-{number}");
        let two = json!([usage("cpu", "10:00:00", 1), usage("memory", "11:00:00", 2)]);
        let saved = usages.saved(&subscription, &two)?;
        let changed = usages.update(&subscription, &saved[0]["UsageReference"], &json!({"Units": number}))?;
        assert!(changed.status == 200 && is_visible(&changed), "{changed:?}");
        let deleted =
            usages.delete(&subscription, &format!("?UsageReference={}", saved[1]["UsageReference"]))?;
        assert!(deleted.status < 300 && is_visible(&deleted), "{deleted:?}");
        let listed = usages.all(&subscription)?;
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!(listed[0]["Units"], json!(number));
    }
    site.wait_consumed()
}

#[test]
fn a_shard_is_killed_and_comes_back() -> Result<()> {
    let shards = Shards::launch()?;
    let site = site(&shards, "shards")?;
    site.write_credentials(&[Token::new(site.token()), Token::for_usages(TOKEN, &["*"])])?;
    let owned = (0..SUBSCRIPTIONS).map(|number| format!("w-{number},c,2026-01-01T00:00:00Z,\n"));
    site.write_subscriptions(&format!("subscription,customer,start,expires\n{}", owned.collect::<String>()))?;
    let first = migrate(&site, &shards, 0)?;
    assert!(first.status.success() && told(&first).contains("other servers"), "{}", told(&first));
    let second = migrate(&site, &shards, 1)?;
    assert!(second.status.success() && !told(&second).contains("other servers"), "{}", told(&second));

    let start = |command: &str, number: usize| {
        let variables = variables(&shards, number).map(|(name, value)| (name, value));
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        site.start_with(&[command], &format!("{command}-{number}"), &variables)
    };
    let mut services = [start("api", 0)?, start("rollup", 1)?, start("ingest", 0)?, start("ingest", 1)?];
    services.iter_mut().try_for_each(meterhouse_tests::Service::wait_ready)?;
    let mut growing = Mix::new("g", SEED, 4, Kinds::GROWING, now_ms()?);
    let mut changing = Mix::new("x", SEED, 4, Kinds::CHANGING, now_ms()?);
    let poller = Poller::start(services[0].client(), site.token(), growing.customers());
    let publisher = site.publisher()?;
    for step in 0..STEPS {
        match step {
            KILLED => shards.server(1).kill()?,
            BACK => shards.server(1).start()?,
            _ => {}
        }
        publisher.publish(&[growing.take(RECORDS_A_STEP), changing.take(RECORDS_A_STEP)].concat())?;
        thread::sleep(Duration::from_millis(500));
    }
    publisher.publish(&[growing.finish(0), changing.finish(0)].concat())?;
    site.wait_consumed()?;
    writes_are_read_back(&site, services[0].client())?;

    let expected = check::all_is_as_expected_rolled_up(&site, &services[0].client())?;
    let seen = poller.finish()?;
    seen.is_within(&expected)?;
    assert!(seen.answers > 0 && seen.refusals > 0, "{seen:?}");
    audit::verify(&site)?;
    for number in 0..2 {
        let rows = format!("SELECT count() FROM {}.usage_events_shard", site.name);
        let rows = shards.server(number).query(&rows)?;
        assert!(rows.trim().parse::<u64>()? > 100, "shard {number} has {rows} rows");
    }
    services.into_iter().try_for_each(ends_well)
}

#[test]
fn shards_may_not_change_places() -> Result<()> {
    let shards = Shards::launch()?;
    let mut site = site(&shards, "swapped")?;
    migrate(&site, &shards, 0)?;
    migrate(&site, &shards, 1)?;
    assert_eq!(site.run(&["verify"])?.status.code(), Some(0));

    // Whoever does not know that there is a cluster sees one of its servers, or less.
    site.set("clickhouse.cluster", "")?;
    let output = site.run(&["verify"])?;
    assert_eq!(output.status.code(), Some(REFUSED), "{}", told(&output));
    site.set("clickhouse.cluster", CLUSTER)?;

    // The tables of one server do not become those of a cluster, nor are others made beside them.
    let mut alone = Site::on(shared().kafka(), shards.server(0), "alone")?;
    assert!(alone.run(&["migrate"])?.status.success());
    let before = alone_tables(&shards)?;
    alone.set("clickhouse.cluster", CLUSTER)?;
    alone.set("clickhouse.replicated", false)?;
    for command in ["migrate", "serve", "verify"] {
        let output = alone.run(&[command])?;
        assert_eq!(output.status.code(), Some(REFUSED), "{command}: {}", told(&output));
    }
    assert_eq!(alone_tables(&shards)?, before);

    shards.swap()?;
    for number in 0..2 {
        shards.server(number).stop()?;
        shards.server(number).start()?;
    }
    for command in ["verify", "migrate"] {
        let output = site.run(&[command])?;
        assert_eq!(output.status.code(), Some(REFUSED), "{command}: {}", told(&output));
        assert!(told(&output).contains("shard 1"), "{}", told(&output));
    }
    Ok(())
}
