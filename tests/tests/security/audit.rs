//! The audit log: a line for each write, whatever became of it.

use std::fs;

use anyhow::{Context, Result};
use meterhouse_tests::usages::{Usages, usage};
use meterhouse_tests::{Merchant, Reply, Service, Site, Token, wait};
use serde_json::{Value, json};

use crate::world::{User, world};

const REGISTRY: &str = "subscription,customer,start,expires\nmine,c,,\nother,d,,\n";

/// The audit log of a process that logs in JSON.
fn lines(log: &str) -> Vec<Value> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["target"] == "meterhouse::audit").collect()
}

/// What a line says, but for the ids.
fn told(line: &Value) -> String {
    let words = ["action", "outcome", "reason", "principal_kind", "principal", "subscription", "usages"];
    let words = words.map(|name| line[name].as_str().map_or_else(|| line[name].to_string(), str::to_owned));
    words.join(" ")
}

fn request_id(reply: &Reply) -> String {
    reply.headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned()
}

fn site() -> Result<(Site, Merchant)> {
    let mut site = world().site("sec_audit")?;
    site.set("log.level", "off")?;
    site.set("log.format", "json")?;
    site.set("api.visible_wait_ms", 3000)?;
    site.write_subscriptions(REGISTRY)?;
    let reader = Token { permits: vec!["usages:read".to_owned()], ..Token::for_usages("mh_reader", &["c"]) };
    let merchant = Merchant::new("SHOP", "the secret of the shop");
    let tokens = Token::file(&[Token::for_usages("mh_writer", &["c"]), reader]);
    fs::write(site.dir().join("credentials.toml"), tokens + &merchant.table(&["c"], ""))?;
    world().run_as(&site, User::Migrator, &["migrate"])?;
    Ok((site, merchant))
}

/// Waits for a line more, and returns it.
fn next_line(service: &Service, seen: &mut usize) -> Result<Value> {
    let line = wait::until("a line of the audit log", || lines(&service.log()).get(*seen).cloned())?;
    *seen += 1;
    Ok(line)
}

/// Writes of all kinds, in the order of their lines.
fn check_requests(service: &Service, merchant: &Merchant) -> Result<()> {
    let usages = |token: &str| Usages::new(service.client(), token);
    let (writer, reader, stranger) = (usages("mh_writer"), usages("mh_reader"), usages("mh_stranger"));
    let shop = Usages::with(service.client(), merchant.header()?);
    let two = json!([usage("cpu", "01:00:00", 1), usage("gpu", "01:00:00", 2)]);
    let mut seen = 0;
    let mut check = |reply: Reply, status: u16, expected: &str| -> Result<Value> {
        assert_eq!(reply.status, status, "{expected}: {reply:?}");
        let line = next_line(service, &mut seen)?;
        assert_eq!(told(&line), expected);
        assert_eq!(line["request_id"], request_id(&reply), "{line}");
        Ok(line)
    };

    let saved = writer.save("mine", &two, Some("one"))?;
    let references = saved
        .json()?
        .as_array()
        .context("no array")?
        .iter()
        .map(|saved| saved["UsageReference"].to_string())
        .collect::<Vec<_>>();
    let line = check(saved, 200, "usages.add done  token token-1 mine 2")?;
    assert_eq!(line["references"], references.join(","));
    check(shop.save("mine", &two, None)?, 200, "usages.add done  merchant SHOP mine 2")?;
    let reference: Value = references[0].parse::<u64>()?.into();
    let changed = writer.update("mine", &reference, &json!({"Units": 7}))?;
    let line = check(changed, 200, "usages.change done  token token-1 mine 1")?;
    assert_eq!(line["references"], references[0]);
    let deleted = writer.delete("mine", &format!("?UsageReference={reference}"))?;
    check(deleted, 200, "usages.delete done  token token-1 mine 1")?;

    check(
        reader.save("mine", &two, None)?,
        403,
        "usages.add refused AUTHORIZATION_ERROR token token-2 mine 0",
    )?;
    check(stranger.save("mine", &two, None)?, 401, "usages.add refused AUTHENTICATION_ERROR    0")?;
    check(
        writer.save("mine", &json!([]), None)?,
        400,
        "usages.add refused USAGE_VALIDATION_ERROR token token-1 mine 0",
    )?;
    check(
        writer.save("other", &two, None)?,
        404,
        "usages.add refused SUBSCRIPTION_NOT_FOUND token token-1 other 0",
    )?;
    let conflict = json!([usage("cpu", "02:00:00", 1)]);
    check(
        writer.save("mine", &conflict, Some("one"))?,
        409,
        "usages.add refused IDEMPOTENCY_KEY_CONFLICT token token-1 mine 0",
    )?;
    let again = writer.update("mine", &json!(1), &json!({"Units": 7}))?;
    check(again, 404, "usages.change refused USAGE_NOT_FOUND token token-1 mine 1")?;
    check(
        writer.delete("mine", "?UsageReference=x")?,
        400,
        "usages.delete refused USAGE_VALIDATION_ERROR token token-1 mine 0",
    )?;

    // Reading is no write, and neither is what no route takes.
    assert_eq!(writer.list("mine", "?Page=1")?.status, 200);
    assert_eq!(writer.send("PATCH", "mine/usages", &[], "")?.status, 405);
    // A client that leaves does not end its write, and nobody overlooks it. One that leaves before it is heard has asked for
    // nothing.
    let connection = writer.abandon("POST", "mine/usages", &[("Idempotency-Key", "left")], &two)?;
    wait::until("the write to begin", || {
        let in_flight = service.metric("meterhouse_http_requests_in_flight", &[]).ok()?;
        (in_flight > 0 || lines(&service.log()).len() > seen).then_some(())
    })?;
    drop(connection);
    assert_eq!(told(&next_line(service, &mut seen)?), "usages.add done  token token-1 mine 2");
    assert_eq!(lines(&service.log()).len(), seen, "no write is told twice");
    Ok(())
}

#[test]
fn each_write_has_a_line_with_its_outcome() -> Result<()> {
    let world = world();
    let (site, merchant) = site()?;
    let mut ingest = world.start_as(&site, User::Writer, &["ingest"])?;
    let mut api = world.start_as(&site, User::Reader, &["api"])?;
    ingest.wait_ready()?;
    api.wait_ready()?;
    check_requests(&api, &merchant)?;

    // Nobody stores it: whether it was saved is not known yet.
    ingest.terminate()?;
    let before = lines(&api.log()).len();
    let usages = Usages::new(api.client(), "mh_writer");
    let one = json!([usage("cpu", "03:00:00", 1)]);
    assert_eq!(usages.save("mine", &one, Some("late"))?.status, 503);
    assert_eq!(usages.save("mine", &one, None)?.status, 200);
    let after: Vec<_> = lines(&api.log())[before..].iter().map(told).collect();
    assert_eq!(
        after,
        [
            "usages.add failed SERVICE_UNAVAILABLE token token-1 mine 0",
            "usages.add pending  token token-1 mine 1"
        ]
    );
    let log = api.log();
    for secret in ["mh_writer", "mh_reader", "mh_stranger", &merchant.secret] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    assert_eq!(log.lines().count(), lines(&log).len(), "the level is `off`, and the audit log is on");
    check_commands(&site)
}

/// Commands that change something have a line, and their rehearsals have none.
fn check_commands(site: &Site) -> Result<()> {
    let world = world();
    let accept = ["ledger", "accept", "--partition", "0", "--at", "end"];
    let accepted = [&accept[..], &["--yes", "--note", "a test"]].concat();
    let cases: [(User, &[&str], &[&str]); 8] = [
        (User::Migrator, &["migrate"], &["tables.migrate done"]),
        (User::Writer, &accepted, &["ledger.accept done"]),
        (User::Writer, &accept, &[]),
        (User::Reader, &accepted, &["ledger.accept failed"]),
        (User::Writer, &["rejects", "replay"], &["rejects.replay done"]),
        (User::Writer, &["rejects", "replay", "--dry-run"], &[]),
        (User::Writer, &["rollup", "rebuild", "--no-wait"], &["rollup.rebuild done"]),
        (User::Writer, &["migrate", "--users"], &["users.migrate failed"]),
    ];
    for (user, command, expected) in cases {
        let output = site.command(command)?.envs(world.variables(site, user)).output()?;
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        let found = lines(&log);
        let told: Vec<_> = found
            .iter()
            .map(|line| {
                format!(
                    "{} {}",
                    line["action"].as_str().unwrap_or(""),
                    line["outcome"].as_str().unwrap_or("")
                )
            })
            .collect();
        assert_eq!(told, expected, "{command:?}: {log}");
        for line in &found {
            assert_eq!(line["principal_kind"], "operator");
            assert!(line["principal"].as_str().is_some_and(|name| name.contains('@')), "{line}");
            assert!(
                line["command"].as_str().is_some_and(|words| words.ends_with(&command.join(" "))),
                "{line}"
            );
        }
    }
    Ok(())
}
