//! `deploy/systemd/`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::container::can_be_entered;
use crate::manifest::of_unit;
use crate::process::Process;
use crate::tools::{Verdict, file, run, run_well};

/// The highest exposure that `systemd-analyze security` may find, in tenths; 100 is that of a unit without any limits.
const EXPOSURE_MAX: &str = "15";
const UNITS: &str = "usr/lib/systemd/system";
const DROP_IN: &str = "meterhouse-.service.d/common.conf";
/// Those of the processes that go on.
const SERVICES: [&str; 4] = ["serve", "ingest", "rollup", "api"];

/// What `install.sh` makes of the program under test, beside the units that every machine has.
fn installed() -> Result<TempDir> {
    let root = tempfile::tempdir()?;
    let program = meterhouse_tests::meterhouse()?;
    run_well(Command::new("sh").arg(file("deploy/systemd/install.sh")).arg(program).arg(root.path()))?;
    for entry in fs::read_dir(Path::new("/").join(UNITS))?.flatten() {
        let is_base = entry.path().extension().is_some_and(|kind| kind == "target" || kind == "slice");
        if is_base {
            fs::copy(entry.path(), root.path().join(UNITS).join(entry.file_name()))?;
        }
    }
    for secret in ["clickhouse_password", "migrator_password"] {
        fs::write(root.path().join("etc/meterhouse/secrets").join(secret), "a password")?;
    }
    fs::write(root.path().join("etc/meterhouse/credentials.toml"), "# nobody\n")?;
    Ok(root)
}

fn analyze(root: &TempDir, arguments: &[&str]) -> Result<Verdict> {
    run(Command::new("systemd-analyze").arg(format!("--root={}", root.path().display())).args(arguments))
}

fn verify(root: &TempDir) -> Result<Verdict> {
    let mut units: Vec<String> = fs::read_dir(root.path().join(UNITS))?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("meterhouse-") && !name.ends_with(".d"))
        .collect();
    units.sort();
    ensure!(units.len() == SERVICES.len() + 3, "{units:?}");
    let mut arguments = vec!["--recursive-errors=no", "verify"];
    arguments.extend(units.iter().map(String::as_str));
    analyze(root, &arguments)
}

fn security(root: &TempDir, unit: &str) -> Result<Verdict> {
    analyze(root, &["--offline=yes", &format!("--threshold={EXPOSURE_MAX}"), "security", unit])
}

#[test]
fn the_units_are_valid_and_confined() -> Result<()> {
    let root = installed()?;
    let verdict = verify(&root)?;
    assert!(verdict.is_good && verdict.text.is_empty(), "{}", verdict.text);
    for service in SERVICES.iter().chain(&["migrate", "verify"]) {
        let verdict = security(&root, &format!("meterhouse-{service}.service"))?;
        assert!(verdict.is_good, "{service}: {}", verdict.text);
    }
    Ok(())
}

#[test]
fn a_mistake_would_be_found() -> Result<()> {
    let root = installed()?;
    let units = root.path().join(UNITS);
    for (name, right, wrong) in [
        (DROP_IN, "ProtectHome=", "ProtectHme="),
        ("meterhouse-api.service", "Restart=on-failure", "Restart=sometimes"),
        ("meterhouse-api.service", "/usr/bin/meterhouse api", "/usr/bin/meter api"),
        ("meterhouse-verify.timer", "OnCalendar=*-*-* 03:17:00 UTC", "OnCalendar=each night"),
    ] {
        let text = fs::read_to_string(units.join(name))?;
        ensure!(text.contains(right), "{name} has no {right}");
        fs::write(units.join(name), text.replace(right, wrong))?;
        let verdict = verify(&root)?;
        assert!(!verdict.is_good || !verdict.text.is_empty(), "nobody minds {wrong}");
        fs::write(units.join(name), text)?;
    }
    let text = fs::read_to_string(units.join(DROP_IN))?;
    fs::write(units.join(DROP_IN), text.replace("CapabilityBoundingSet=\n", ""))?;
    assert!(!security(&root, "meterhouse-api.service")?.is_good, "nobody minds all capabilities");
    Ok(())
}

#[test]
fn the_program_understands_what_each_unit_gives_it() -> Result<()> {
    if !can_be_entered() {
        return Ok(());
    }
    let root = installed()?;
    let mut ports = Vec::new();
    for service in SERVICES.iter().chain(&["migrate", "verify"]) {
        let container = of_unit(root.path(), &format!("meterhouse-{service}.service"))?;
        assert_eq!(container.arguments, [*service]);
        let config = container.check_config().context(*service)?;
        assert!(config["clickhouse"].get("password_file").is_some(), "{service}: no password");
        if ["ingest", "rollup", "api"].contains(service) {
            ports.push(container.port("metrics")?);
        }
    }
    ports.sort_unstable();
    assert_eq!(ports, [9464, 9465, 9466], "on one machine each needs its own");
    Ok(())
}

#[test]
fn a_process_ends_well_and_a_wrong_configuration_with_a_code_that_is_not_tried_again() -> Result<()> {
    if !can_be_entered() {
        return Ok(());
    }
    let root = installed()?;
    let mut process = Process::start(of_unit(root.path(), "meterhouse-serve.service")?)?;
    assert_eq!(process.end()?.0.code(), Some(0), "{}", process.log());
    let output =
        process.container.command(&["--config", "/etc/meterhouse/nothing.toml", "serve"]).output()?;
    assert_eq!(output.status.code(), Some(2));
    let unit = fs::read_to_string(root.path().join(UNITS).join("meterhouse-serve.service"))?;
    assert!(unit.contains("RestartPreventExitStatus=2 4\n"));
    Ok(())
}

#[test]
fn installing_again_keeps_what_is_there() -> Result<()> {
    let root = installed()?;
    let config = root.path().join("etc/meterhouse/meterhouse.toml");
    fs::write(&config, "# mine\n")?;
    let mut install = Command::new("sh");
    run_well(install.arg(file("deploy/systemd/install.sh")).arg("/bin/true").arg(root.path()))?;
    assert_eq!(fs::read_to_string(config)?, "# mine\n");
    Ok(())
}
