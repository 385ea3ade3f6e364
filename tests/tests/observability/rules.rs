//! The alerts: valid, each with tests of its own, and a section in the runbook.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::workspace_dir;
use serde_json::Value;

use crate::runbook;

/// What somebody has to know of an alert.
#[derive(Debug)]
pub(crate) struct Alert {
    pub(crate) expression: String,
    severity: String,
    runbook_url: String,
}

fn folder() -> PathBuf {
    workspace_dir().join("deploy/prometheus")
}

fn yaml(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_saphyr::from_str(&text).with_context(|| format!("{}", path.display()))
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// All alerts by name.
pub(crate) fn alerts() -> Result<BTreeMap<String, Alert>> {
    let file = yaml(&folder().join("meterhouse.rules.yml"))?;
    let rules = items(&file["groups"]).iter().flat_map(|group| items(&group["rules"]));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let alert = |rule: &Value| {
        let alert = Alert {
            expression: text(&rule["expr"]),
            severity: text(&rule["labels"]["severity"]),
            runbook_url: text(&rule["annotations"]["runbook_url"]),
        };
        (text(&rule["alert"]), alert)
    };
    Ok(rules.map(alert).collect())
}

/// The files with tests of the alerts.
fn tests() -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder().join("tests"))?.collect::<Result<Vec<_>, _>>()?;
    Ok(entries.into_iter().map(|entry| entry.path()).collect())
}

fn promtool(arguments: &[&str], files: &[PathBuf]) -> Result<()> {
    let output = Command::new("promtool").args(arguments).args(files).output();
    let output = output.context("run promtool, of Debian's package prometheus")?;
    let [told, failed] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    ensure!(output.status.success(), "promtool {arguments:?}: {}\n{told}{failed}", output.status);
    Ok(())
}

#[test]
fn the_files_are_valid() -> Result<()> {
    promtool(&["check", "rules"], &[folder().join("meterhouse.rules.yml")])?;
    promtool(&["check", "config"], &[folder().join("prometheus.yml")])
}

#[test]
fn each_alert_fires_when_it_should_and_at_no_other_time() -> Result<()> {
    let files = tests()?;
    promtool(&["test", "rules"], &files)?;
    let (mut loud, mut quiet) = (BTreeSet::new(), BTreeSet::new());
    for file in &files {
        let tests = yaml(file)?;
        let cases = items(&tests["tests"]).iter().flat_map(|test| items(&test["alert_rule_test"]));
        for case in cases {
            let name = case["alertname"].as_str().context("no name")?.to_owned();
            if items(&case["exp_alerts"]).is_empty() {
                quiet.insert(name)
            } else {
                loud.insert(name)
            };
        }
    }
    let all: BTreeSet<String> = alerts()?.into_keys().collect();
    assert_eq!(loud, all, "alerts with a test in which they fire");
    assert_eq!(quiet, all, "alerts with a test in which they do not");
    Ok(())
}

#[test]
fn each_alert_has_a_section_in_the_runbook_and_each_section_an_alert() -> Result<()> {
    let (alerts, sections) = (alerts()?, runbook::sections()?);
    assert_eq!(sections.keys().collect::<Vec<_>>(), alerts.keys().collect::<Vec<_>>());
    for (name, alert) in &alerts {
        assert_eq!(alert.runbook_url, format!("docs/runbook.md#{}", name.to_lowercase()));
        assert!(["critical", "warning"].contains(&alert.severity.as_str()), "{name}: {alert:?}");
        for part in ["**For the bills:**", "**Look:**", "**Mend:**", "**Worry**"] {
            assert_eq!(sections[name].matches(part).count(), 1, "{part} of {name}");
        }
    }
    Ok(())
}
