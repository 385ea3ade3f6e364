//! A backup, the loss of the database, and what docs/backup.md does then.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use meterhouse_localstack::{ClickHouse, ClickHouseOptions, workspace_dir};
use meterhouse_tests::check::{all_is_as_expected, all_is_as_expected_rolled_up};
use meterhouse_tests::{Message, Site, Usage, audit, scratch_dir, shared};

/// Where the page has backups.
const BACKUPS: &str = "/mnt/backups/";

fn page() -> Result<String> {
    Ok(fs::read_to_string(workspace_dir().join("docs/backup.md"))?)
}

/// A server with the local configuration, and the page's for backups, which are in a folder of the test.
fn database(dir: &Path, name: &str) -> Result<ClickHouse> {
    let common = workspace_dir().join("deploy/local/clickhouse");
    let backups = format!("{}/", dir.join("backups").display());
    let dir = dir.join(name);
    fs::create_dir_all(dir.join("config.d"))?;
    for file in ["config.xml", "users.xml"] {
        fs::copy(common.join(file), dir.join(file))?;
    }
    let page = page()?;
    let (_, xml) = page.split_once("```xml\n").context("no configuration")?;
    let (xml, _) = xml.split_once("```").context("the configuration has no end")?;
    fs::write(dir.join("config.d/backups.xml"), xml.replace(BACKUPS, &backups))?;
    let options = ClickHouseOptions {
        data_dir: Some(dir.join("data")),
        config_file: Some(dir.join("config.xml")),
        ..ClickHouseOptions::default()
    };
    Ok(ClickHouse::launch(options)?)
}

/// A statement of the page, for the test's database.
fn statement(verb: &str, site: &Site) -> Result<String> {
    let page = page()?;
    let line = page.lines().map(str::trim).find(|line| line.starts_with(verb));
    let line = line.with_context(|| format!("no {verb}"))?;
    Ok(line.replace("DATABASE meterhouse", &format!("DATABASE {}", site.name)))
}

/// Usages of several subscriptions and days, resends, an amendment, a deletion, copies that differ and a reject.
fn load(round: u32) -> Vec<Message> {
    let mut messages = Vec::new();
    for number in 0..40 {
        let usage = Usage::default()
            .with("EventId", &format!("e-{round}-{number}"))
            .with("Units", &format!("{round}.{number:02}"))
            .on(&format!("2026-{:02}-{:02}", 8 + number % 2, 1 + number % 20));
        messages.push(usage.message());
        match number % 8 {
            1 => messages.push(usage.message()),
            2 => messages.push(change(&usage, "amend").with("Units", "7").message()),
            3 => messages.push(change(&usage, "delete").message()),
            4 => messages.push(usage.with("OptionCode", "ram").with("Units", "1000").message()),
            5 => messages.push(usage.with("Units", "many").message()),
            _ => {}
        }
    }
    messages
}

fn change(usage: &Usage, action: &str) -> Usage {
    usage.clone().with("Action", action).with_json("Revision", "1")
}

#[test]
fn a_restored_database_goes_on_where_the_backup_ends() -> Result<()> {
    let dir = scratch_dir("backup")?;
    let kafka = shared().kafka();
    kafka.create_topic("backup", 4)?;

    let lost = database(dir.path(), "lost")?;
    let site = Site::on(kafka, &lost, "backup")?;
    let publisher = site.publisher()?;
    publisher.publish(&load(1))?;
    let mut service = site.serve()?;
    let at_the_backup = all_is_as_expected_rolled_up(&site, &service.client())?;
    service.terminate()?;
    lost.query(&statement("BACKUP DATABASE", &site)?)?;

    // Life goes on, and then the database is gone.
    publisher.publish(&load(2))?;
    service.start_again()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service.client())?;
    service.kill()?;
    lost.kill()?;
    publisher.publish(&load(3))?;

    let restored = database(dir.path(), "restored")?;
    let site = Site::on(kafka, &restored, "backup")?;
    restored.query(&statement("RESTORE DATABASE", &site)?)?;
    // What the topic has above the ledger's line is not missing: nobody has read it yet.
    let audited = site.run(&["verify"])?;
    assert!(audited.status.success(), "{}", String::from_utf8_lossy(&audited.stdout));
    assert_eq!(site.count("SELECT sum(stored) + sum(rejected) FROM ledger FINAL")?, at_the_backup.records);
    let service = site.serve()?;
    let expected = all_is_as_expected_rolled_up(&site, &service.client())?;
    assert!(expected.records > 2 * at_the_backup.records, "{expected:?}");
    audit::verify(&site)
}
