//! What `deploy/compose.yaml` and `init.sh` configure, with a real Kafka and a real ClickHouse in the place of their images.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::{ClickHouse, ClickHouseOptions, Kafka, KafkaOptions};
use meterhouse_tests::wait;
use serde_json::Value;

use crate::compose::{project, site};
use crate::container::can_be_entered;
use crate::manifest::{items, of_compose, text};
use crate::process::Process;
use crate::tools::{file, read};

/// What the broker's variables set for a container: places, addresses and numbers of its own.
const PLACES: [&str; 9] = [
    "node.id",
    "process.roles",
    "listeners",
    "advertised.listeners",
    "listener.security.protocol.map",
    "controller.listener.names",
    "controller.quorum.voters",
    "log.dirs",
    "heap.opts",
];

/// A broker with the properties that the image would make of the variables.
fn kafka(project: &Value) -> Result<Kafka> {
    let variables = project["services"]["kafka"]["environment"].as_object().context("no variables")?;
    let mut properties = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.strip_prefix("KAFKA_") else { continue };
        let name = name.to_lowercase().replace('_', ".");
        if !PLACES.contains(&name.as_str()) {
            properties.push((name, text(value)?.to_owned()));
        }
    }
    ensure!(properties.len() >= 8, "{properties:?}");
    let kafka = Kafka::launch(KafkaOptions { properties, ..KafkaOptions::default() })?;
    let command: Vec<&str> =
        items(&project["services"]["topic"]["command"]).filter_map(Value::as_str).collect();
    let argument =
        |name: &str| command.iter().find_map(|word| word.strip_prefix(name)).context(name.to_owned());
    kafka.create_topic(argument("--topic=")?, argument("--partitions=")?.parse()?)?;
    Ok(kafka)
}

/// A server with the users of the file beside the one that the launcher itself needs.
fn clickhouse(compose: &Path, folder: &Path) -> Result<ClickHouse> {
    for name in ["config.xml", "users.xml"] {
        fs::copy(file("deploy/local/clickhouse").join(name), folder.join(name))?;
    }
    let mut users = read("deploy/compose/clickhouse/users.xml")?;
    let secret = compose.join("secrets/clickhouse_users.xml");
    for (there, here) in [
        ("<default remove=\"remove\"/>", ""),
        ("/run/secrets/clickhouse_users", secret.to_str().context("a path")?),
    ] {
        ensure!(users.matches(there).count() == 1, "users.xml has no {there}");
        users = users.replace(there, here);
    }
    // Of the local file; the one of a container is the image's.
    fs::create_dir(folder.join("users.d"))?;
    fs::write(
        folder.join("users.d/meterhouse.xml"),
        users.replace("<meterhouse>", "<meterhouse replace=\"1\">"),
    )?;
    let config_file = Some(folder.join("config.xml"));
    Ok(ClickHouse::launch(ClickHouseOptions { config_file, ..ClickHouseOptions::default() })?)
}

/// The answer of ClickHouse to a user's statement.
fn ask(clickhouse: &ClickHouse, password: &str, sql: &str) -> Result<String> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.post(clickhouse.http_url()).header("X-ClickHouse-User", "meterhouse");
    let mut answer = request.header("X-ClickHouse-Key", password).header("Connection", "close").send(sql)?;
    Ok(answer.body_mut().read_to_string()?)
}

#[test]
fn usage_comes_back_with_the_token_and_the_user_may_do_nothing_else() -> Result<()> {
    if !can_be_entered() {
        return Ok(());
    }
    let (folder, said) = site()?;
    let token = said.split_once("token: ").context("no token")?.1.trim();
    let project = project()?;
    let kafka = kafka(&project)?;
    let clickhouse = clickhouse(&folder.path().join("compose"), folder.path())?;

    let mut container = of_compose(&project, "meterhouse", folder.path())?;
    for (name, value) in [("KAFKA__BROKERS", kafka.bootstrap()), ("CLICKHOUSE__URL", clickhouse.http_url())] {
        container.variables.insert(format!("METERHOUSE_{name}"), value);
    }
    let mut process = Process::start(container)?;
    wait::until("`meterhouse ready` to end with 0", || {
        process
            .container
            .command(&["ready"])
            .output()
            .is_ok_and(|output| output.status.success())
            .then_some(())
    })
    .with_context(|| process.log())?;

    let path = "/rest/6.0/subscriptions/S/usages";
    let usage = r#"[{"OptionCode":"cpu","UsageStart":"2026-10-03 10:00:00","UsageEnd":"2026-10-03 11:00:00","Units":12.5}]"#;
    let authorization = format!("Bearer {token}");
    let saved = process.client().send("POST", path, &[("Authorization", &authorization)], usage)?;
    assert_eq!(saved.status, 200, "{saved:?}\n{}", process.log());
    let list = process.client().send("GET", path, &[("Authorization", &authorization)], "")?;
    assert_eq!(list.json()?["Items"][0]["Units"], 12.5, "{list:?}");
    let refused = process.client().send("GET", path, &[("Authorization", "Bearer mh_another")], "")?;
    assert_eq!(refused.status, 401, "{refused:?}");
    let audit = process.container.command(&["verify"]).output()?;
    assert_eq!(audit.status.code(), Some(0), "{}", String::from_utf8_lossy(&audit.stderr));

    let password = fs::read_to_string(folder.path().join("compose/secrets/clickhouse_password"))?;
    assert_eq!(ask(&clickhouse, &password, "SELECT count() FROM meterhouse.usage_events")?, "1\n");
    for wrong in ["", "password", "local"] {
        assert!(ask(&clickhouse, wrong, "SELECT 1")?.contains("Authentication failed"), "{wrong}");
    }
    for statement in [
        "CREATE TABLE default.x (a Int8) ENGINE = Memory",
        "DROP TABLE meterhouse.usage_events",
        "ALTER TABLE meterhouse.usage_events DELETE WHERE 1",
        "CREATE USER x IDENTIFIED BY 'x'",
        "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a Int8')",
        "SYSTEM STOP MERGES meterhouse.usage_events",
    ] {
        let answer = ask(&clickhouse, &password, statement)?;
        assert!(answer.contains("Not enough privileges"), "{statement}: {answer}");
    }
    assert_eq!(process.end()?.0.code(), Some(0), "{}", process.log());
    Ok(())
}
