//! `deploy/compose.yaml`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::container::can_be_entered;
use crate::manifest::{items, of_compose, text};
use crate::process::Process;
use crate::tools::{dclint, file, read, run_well, with_mistake, yaml};

const COMPOSE: &str = "deploy/compose.yaml";

/// The parsed file.
pub(crate) fn project() -> Result<Value> {
    yaml(&read(COMPOSE)?)?.into_iter().next().context("an empty file")
}

/// A copy of the file's folder, with the secrets that `init.sh` makes, and what that says.
pub(crate) fn site() -> Result<(TempDir, String)> {
    let folder = tempfile::tempdir()?;
    run_well(Command::new("cp").arg("--recursive").arg(file("deploy/compose")).arg(folder.path()))?;
    let said = init(&folder.path().join("compose"))?;
    Ok((folder, said))
}

fn init(folder: &Path) -> Result<String> {
    run_well(Command::new("sh").arg(folder.join("init.sh")))
}

#[test]
fn the_file_is_valid() -> Result<()> {
    let verdict = dclint(&file(COMPOSE))?;
    assert!(verdict.is_good, "{}", verdict.text);
    Ok(())
}

#[test]
fn a_mistake_would_be_found() -> Result<()> {
    for (right, wrong) in [
        ("    stop_grace_period: 40s", "    stop_grace_perod: 40s"),
        ("    user: \"101:101\"", "    user: [101]"),
        ("    image: prom/prometheus:v3.5.0", "    image: prom/prometheus"),
        ("    internal: true", "    internl: true"),
    ] {
        let (_folder, copy) = with_mistake(COMPOSE, right, wrong)?;
        assert!(!dclint(&copy)?.is_good, "nobody minds {wrong}");
    }
    Ok(())
}

#[test]
fn every_service_is_hardened_and_reached_from_this_machine_alone() -> Result<()> {
    let project = project()?;
    let services = project["services"].as_object().context("no services")?;
    assert_eq!(services.len(), 6);
    for (name, service) in services {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], serde_json::json!(["no-new-privileges:true"]), "{name}");
        assert!(service["privileged"].is_null() && service["cap_add"].is_null(), "{name}");
        assert!(service["mem_limit"].is_string(), "{name} has no limit of memory");
        for port in items(&service["ports"]) {
            assert!(text(port)?.starts_with("127.0.0.1:"), "{name} is reached from outside: {port}");
        }
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            let is_secret = ["PASSWORD", "SECRET", "TOKEN"].iter().any(|word| variable.contains(word));
            assert!(!is_secret || text(value)?.starts_with("/run/secrets/"), "{name}: {variable}");
        }
    }
    Ok(())
}

/// For what is not there Docker makes an empty folder, and says nothing.
#[test]
fn everything_that_is_mounted_is_there() -> Result<()> {
    let (folder, _) = site()?;
    let project = project()?;
    let services = project["services"].as_object().context("no services")?;
    let mounts = services.values().flat_map(|service| items(&service["volumes"]));
    let (mut folders, mut named) = (0, 0);
    for mount in mounts {
        let from = text(mount)?.split(':').next().unwrap_or_default();
        if let Some(path) = from.strip_prefix("./") {
            let is_there = file("deploy").join(path).exists() || folder.path().join(path).exists();
            assert!(is_there, "deploy/{path} is not there");
            folders += 1;
        } else {
            assert!(project["volumes"][from].is_object(), "{from} is not declared");
            named += 1;
        }
    }
    assert_eq!((folders, named), (7, 4));
    Ok(())
}

#[test]
fn secrets_are_made_once() -> Result<()> {
    let (folder, said) = site()?;
    let compose = folder.path().join("compose");
    assert!(said.contains("token: mh_"), "{said}");
    assert_eq!(init(&compose)?, "", "a second time");
    for secret in project()?["secrets"].as_object().context("no secrets")?.values() {
        let path = folder.path().join(text(&secret["file"])?);
        assert!(std::fs::metadata(&path)?.len() >= 64, "{}", path.display());
    }
    // A password that somebody has put there gets its hash.
    let (password, users) =
        (compose.join("secrets/clickhouse_password"), compose.join("secrets/clickhouse_users.xml"));
    std::fs::remove_file(&password)?;
    std::fs::write(&password, "another one")?;
    init(&compose)?;
    let sha256 = run_well(Command::new("sha256sum").arg(&password))?;
    let hash = sha256.split(' ').next().context("no hash")?;
    assert!(std::fs::read_to_string(users)?.contains(hash));
    Ok(())
}

#[test]
fn the_program_understands_its_configuration_and_is_asked_whether_it_is_ready() -> Result<()> {
    if !can_be_entered() {
        return Ok(());
    }
    let (folder, _) = site()?;
    let project = project()?;
    let service = &project["services"]["meterhouse"];
    let container = of_compose(&project, "meterhouse", folder.path())?;
    let published = text(&service["ports"][0])?;
    assert_eq!(published.rsplit(':').next(), Some(container.port("http")?.to_string().as_str()));
    let ready: Vec<&str> = items(&service["healthcheck"]["test"]).filter_map(Value::as_str).collect();
    assert_eq!(ready, ["CMD", "/usr/bin/meterhouse", "ready"]);

    let mut process = Process::start(container)?;
    // The servers have no such names here, so it waits for them.
    let output = process.container.command(&ready[2..]).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("not ready: ") && said.contains("clickhouse: "), "{said}");
    let (status, time) = process.end()?;
    assert_eq!(status.code(), Some(0), "{}", process.log());
    assert!(time < Duration::from_secs(40), "{time:?}");
    let output = process.container.command(&ready[2..]).output()?;
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
