//! How commands begin and end: wrong configuration, exit codes, what is waited for.

use std::process::Output;

use anyhow::Result;
use meterhouse_localstack::Port;
use meterhouse_tests::check::history_lines;
use meterhouse_tests::{Site, Usage, shared};

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_wrong_configuration_ends_with_all_its_errors() -> Result<()> {
    let mut site = Site::new("wrong_config")?;
    site.set("billing.time_zone", "Europe/Berlim")?;
    site.set("ingest.batch_rows", 0)?;
    site.set("kafka.topics", "t")?;
    site.set("http.listen", "localhost")?;
    site.set("ingest.require_known_option", "yes")?;
    for command in ["serve", "ingest", "api", "migrate", "check-config", "generate"] {
        let output = site.run(&[command])?;
        assert_eq!(output.status.code(), Some(2), "{command}: {}", error(&output));
        for wrong in
            ["billing.time_zone", "ingest.batch_rows", "kafka.topics", "http.listen", "require_known_option"]
        {
            assert!(error(&output).contains(wrong), "{command} does not tell {wrong}: {}", error(&output));
        }
    }
    Ok(())
}

#[test]
fn wrong_files_end_with_all_their_errors() -> Result<()> {
    let site = Site::new("wrong_files")?;
    site.write_catalog("code,service\ncpu,\ncpu,compute\n")?;
    site.write_subscriptions("subscription,customer,start,expires\nS,c,yesterday,\n")?;
    std::fs::write(site.dir().join("credentials.toml"), "[[token]]\nname = 5\n")?;
    for command in ["serve", "check-config"] {
        let output = site.run(&[command])?;
        assert_eq!(output.status.code(), Some(2), "{command}: {}", error(&output));
        for wrong in ["catalog.csv:2", "subscriptions.csv:2", "credentials.toml:"] {
            assert!(error(&output).contains(wrong), "{command} does not tell {wrong}: {}", error(&output));
        }
    }
    Ok(())
}

#[test]
fn wrong_usage_ends_with_2() -> Result<()> {
    let mut site = Site::new("wrong_usage")?;
    for arguments in [&["serv"][..], &["serve", "--no-such-option"], &["generate", "--events", "x"], &[]] {
        assert_eq!(site.run(arguments)?.status.code(), Some(2), "{arguments:?}");
    }
    site.set("http.listen", "0.0.0.0:0")?;
    let output = site.run(&["serve", "--insecure-no-auth"])?;
    assert_eq!(output.status.code(), Some(2), "{}", error(&output));
    Ok(())
}

#[test]
fn migrate_is_idempotent_and_refuses_another_zone() -> Result<()> {
    let mut site = Site::new("migrate_twice")?;
    site.set("billing.time_zone", "Asia/Kolkata")?;
    for _ in 0..2 {
        let output = site.run(&["migrate"])?;
        assert_eq!(output.status.code(), Some(0), "{}", error(&output));
    }
    let applied =
        site.query("SELECT count() = uniqExact(name), count() > 0 FROM schema_migrations FORMAT TSV")?;
    assert_eq!(applied, "1\t1\n");
    site.set("billing.time_zone", "UTC")?;
    for command in ["migrate", "serve", "ingest", "api"] {
        let output = site.run(&[command])?;
        assert_eq!(output.status.code(), Some(4), "{command}: {}", error(&output));
        assert!(error(&output).contains("Asia/Kolkata"), "{command}: {}", error(&output));
    }
    Ok(())
}

#[test]
fn one_shot_commands_refuse_a_database_without_tables_with_4() -> Result<()> {
    let site = Site::new("not_migrated")?;
    for command in [
        "verify",
        "rollup rebuild",
        "ledger show",
        "ledger accept --partition 0 --at beginning",
        "rejects list",
        "rejects show 0/0",
        "rejects replay",
    ] {
        let output = site.run(&command.split(' ').collect::<Vec<_>>())?;
        assert_eq!(output.status.code(), Some(4), "{command}: {}", error(&output));
        assert!(error(&output).contains("run `meterhouse migrate`"), "{command}: {}", error(&output));
    }
    Ok(())
}

#[test]
fn a_server_that_is_not_there_ends_one_shot_commands_with_3() -> Result<()> {
    let nobody = Port::free()?;
    let mut site = Site::new("unreachable")?;
    site.set("clickhouse.url", format!("http://127.0.0.1:{}", nobody.number()))?;
    let output = site.run(&["migrate"])?;
    assert_eq!(output.status.code(), Some(3), "{}", error(&output));
    site.set("kafka.brokers", format!("127.0.0.1:{}", nobody.number()))?;
    let output = site.run(&["generate", "--events", "1"])?;
    assert_eq!(output.status.code(), Some(3), "{}", error(&output));
    Ok(())
}

#[test]
fn a_missing_topic_is_waited_for() -> Result<()> {
    let stack = shared();
    let site = Site::on(stack.kafka(), stack.clickhouse(), "missing_topic")?;
    let mut service = site.start(&["serve"], "serve")?;
    let unready = |status: u16, body: &serde_json::Value| {
        status == 503 && body["checks"]["schema"] == "ok" && body.to_string().contains("missing_topic")
    };
    service.wait_readiness("/readyz to name the missing topic", unready)?;
    assert!(service.log().contains("missing_topic"), "nothing is logged");
    assert_eq!(service.client().ask_history(site.token(), "c", "")?.status, 200, "what there is can be read");

    stack.kafka().create_topic("missing_topic", 3)?;
    site.publisher()?.publish([&Usage::default().message()])?;
    service.wait_ready()?;
    site.wait_consumed()?;
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 1.0"]);
    Ok(())
}
