//! The users of ClickHouse: each process works with the rights of its own, and can do nothing else.

use anyhow::Result;
use meterhouse_tests::check::all_is_as_expected_rolled_up;
use meterhouse_tests::usages::{Usages, is_visible, usage};
use meterhouse_tests::{Message, Token};
use serde_json::json;

use crate::world::{User, world};

/// "Not enough privileges."
const DENIED: &str = "Code: 497.";

/// What nobody of us may do.
const FORBIDDEN: [&str; 10] = [
    "DROP TABLE usage_events",
    "DROP DATABASE sec_rights",
    "TRUNCATE TABLE ledger",
    "ALTER TABLE usage_events DELETE WHERE 1",
    "ALTER TABLE usage_events DROP COLUMN description",
    "OPTIMIZE TABLE usage_events FINAL",
    "SELECT count() FROM somebody_else.table",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SYSTEM FLUSH LOGS",
];

fn denies(user: User, sql: &str) {
    let answer = world().query_as("sec_rights", user, sql).map_err(|error| error.to_string());
    assert!(answer.as_ref().is_err_and(|why| why.contains(DENIED)), "{user:?}: {sql}: {answer:?}");
}

#[test]
fn each_process_has_the_rights_that_it_needs_and_no_others() -> Result<()> {
    let world = world();
    let mut site = world.site("sec_rights")?;
    let permits = ["Billing:Api:ServiceUsageHistory:Show", "usages:read", "usages:write"];
    let permits = permits.map(str::to_owned).to_vec();
    site.use_token(Token { permits, ..Token::new("mh_rights") })?;
    world.run_as(&site, User::Migrator, &["migrate"])?;
    world.run_as(&site, User::Migrator, &["migrate"])?;
    let mut ingest = world.start_as(&site, User::Writer, &["ingest"])?;
    let mut rollup = world.start_as(&site, User::Writer, &["rollup"])?;
    let mut api = world.start_as(&site, User::Reader, &["api"])?;
    for service in [&mut ingest, &mut rollup, &mut api] {
        service.wait_ready()?;
    }

    site.generate(&["--events", "3000", "--customers", "4", "--duplicates", "5%", "--invalid", "2%"])?;
    site.publisher()?.publish(&[Message::new("own", "{\"Units\": 1}")])?;
    let usages = Usages::new(api.client(), "mh_rights");
    let saved = usages.save("own", &json!([usage("cpu", "01:00:00", 5)]), Some("one"))?;
    assert!(saved.status == 200 && is_visible(&saved), "{saved:?}");
    let reference = &saved.json()?[0]["UsageReference"];
    assert_eq!(usages.update("own", reference, &json!({"Units": 6}))?.status, 200);
    assert_eq!(usages.list("own", "?Page=1")?.status, 200);
    assert_eq!(usages.delete("own", &format!("?UsageReference={reference}"))?.status, 200);
    all_is_as_expected_rolled_up(&site, &api.client())?;

    world.run_as(&site, User::Reader, &["verify", "--from-kafka"])?;
    world.run_as(&site, User::Reader, &["ledger", "show"])?;
    world.run_as(&site, User::Reader, &["rejects", "list"])?;
    world.run_as(&site, User::Writer, &["rejects", "replay"])?;
    world.run_as(&site, User::Writer, &["rollup", "rebuild", "--no-wait"])?;
    ingest.terminate()?;
    world.run_as(&site, User::Writer, &["ledger", "accept", "--partition", "0", "--at", "end", "--yes"])?;

    world.clickhouse().query("CREATE DATABASE somebody_else")?;
    world.clickhouse().query("CREATE TABLE somebody_else.table (x UInt8) ENGINE = Memory")?;
    for sql in FORBIDDEN {
        for user in [User::Migrator, User::Writer, User::Reader] {
            denies(user, sql);
        }
    }
    let tables = world.query_as("sec_rights", User::Reader, "SHOW TABLES")?;
    for table in tables.lines() {
        let insert = format!("INSERT INTO {table} SELECT * FROM {table} LIMIT 0");
        denies(User::Reader, &insert);
        let is_ours =
            ["schema_migrations", "billing_zone", "subscription_customers", "touched"].contains(&table);
        if !is_ours && table != "touched_by_marks" {
            denies(User::Migrator, &insert);
        }
    }
    for table in ["schema_migrations", "billing_zone", "touched"] {
        denies(User::Writer, &format!("INSERT INTO {table} SELECT * FROM {table} LIMIT 0"));
    }
    for user in [User::Writer, User::Reader] {
        denies(user, "CREATE TABLE more (x UInt8) ENGINE = Memory");
    }
    Ok(())
}

/// The local server keeps no users, but it can tell whether it understands the statements.
#[test]
fn clickhouse_understands_what_would_be_run() -> Result<()> {
    let world = world();
    let site = world.site("sec_tls")?;
    let mut command = site.command(&["migrate", "--users", "--dry-run"])?;
    let output = command.env("METERHOUSE_CLICKHOUSE__USERS__WRITER_PASSWORD", "secret").output()?;
    let statements = String::from_utf8(output.stdout)?;
    assert_eq!(statements.lines().count(), 9, "{statements}");
    for statement in statements.lines() {
        world.clickhouse().query(&format!("EXPLAIN AST {statement}"))?;
    }
    let mut command = site.command(&["migrate", "--users"])?;
    let output = command.env("METERHOUSE_CLICKHOUSE__USERS__WRITER_PASSWORD", "secret").output()?;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("Code: 514") && !error.contains("secret"), "{error}");
    Ok(())
}
