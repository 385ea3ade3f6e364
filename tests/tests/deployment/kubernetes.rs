//! `deploy/kubernetes/`: what is rendered is valid.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::tools::{Verdict, file, kubernetes_validate, kustomize, run_well, validate_custom, yaml};

/// Kinds that Kubernetes itself does not know.
const CUSTOM: [&str; 2] = ["ScaledObject", "PodMonitor"];

/// A copy of all manifests with secrets for the example.
pub(crate) fn site() -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    run_well(Command::new("cp").arg("--recursive").arg(file("deploy/kubernetes")).arg(folder.path()))?;
    let secrets = folder.path().join("kubernetes/example/secrets");
    fs::create_dir(&secrets)?;
    for role in ["migrator", "writer", "reader"] {
        fs::write(secrets.join(format!("{role}_password")), format!("secret of the {role}"))?;
    }
    fs::write(secrets.join("credentials.toml"), "# nobody\n")?;
    Ok(folder)
}

/// What a folder of manifests renders to.
pub(crate) fn rendered(site: &TempDir, folder: &str) -> Result<Vec<Value>> {
    yaml(&kustomize(&site.path().join("kubernetes").join(folder))?)
}

fn judge(resources: &[Value]) -> Result<Verdict> {
    let is_custom = |resource: &&Value| CUSTOM.iter().any(|kind| resource["kind"] == *kind);
    let (custom, own): (Vec<_>, Vec<_>) = resources.iter().partition(is_custom);
    let folder = tempfile::tempdir()?;
    let documents: Vec<String> = own.iter().map(|resource| resource.to_string()).collect();
    let path = folder.path().join("resources.yaml");
    fs::write(&path, documents.join("\n---\n"))?;
    let verdict = kubernetes_validate(&path)?;
    ensure!(!verdict.is_good || verdict.text.matches(" passed ").count() == own.len(), "{}", verdict.text);
    if custom.is_empty() || !verdict.is_good {
        return Ok(verdict);
    }
    validate_custom(&custom.into_iter().cloned().collect::<Vec<_>>())
}

#[test]
fn the_base_and_the_example_are_valid() -> Result<()> {
    let site = site()?;
    for (folder, count) in [("base", 15), ("example", 21)] {
        let resources = rendered(&site, folder)?;
        assert_eq!(resources.len(), count, "{folder}");
        let verdict = judge(&resources)?;
        assert!(verdict.is_good, "{folder}: {}", verdict.text);
    }
    Ok(())
}

#[test]
fn a_mistake_would_be_found() -> Result<()> {
    let site = site()?;
    for (path, right, wrong) in [
        ("base/ingest.yaml", "          readinessProbe:", "          readynessProbe:"),
        ("base/api.yaml", "  minReplicas: 2", "  minReplicas: two"),
        ("base/verify.yaml", "  schedule:", "  cron:"),
        ("base/network.yaml", "  policyTypes: [Egress]", "  policyType: [Egress]"),
        ("keda/scaled-object.yaml", "  pollingInterval: 15", "  pollInterval: 15"),
        ("keda/scaled-object.yaml", "  maxReplicaCount: 8", "  maxReplicaCount: many"),
        ("pod-monitor/pod-monitor.yaml", "  podMetricsEndpoints:", "  podEndpoints:"),
    ] {
        let path = site.path().join("kubernetes").join(path);
        let text = fs::read_to_string(&path)?;
        ensure!(text.matches(right).count() == 1, "{right:?} is not there once");
        fs::write(&path, text.replace(right, wrong))?;
        assert!(!judge(&rendered(&site, "example")?)?.is_good, "nobody minds {wrong}");
        fs::write(&path, text)?;
    }
    Ok(())
}

#[test]
fn a_changed_configuration_replaces_the_pods_and_a_changed_catalog_does_not() -> Result<()> {
    let names = |site: &TempDir| -> Result<Vec<String>> {
        let resources = rendered(site, "example")?;
        let maps = resources.iter().filter(|resource| resource["kind"] == "ConfigMap");
        maps.map(|map| map["metadata"]["name"].as_str().map(str::to_owned).context("no name")).collect()
    };
    let append = |path: &Path| fs::write(path, fs::read_to_string(path)? + "# more\n");
    let site = site()?;
    let config = site.path().join("kubernetes/example/config");
    let before = names(&site)?;
    append(&config.join("catalog.toml"))?;
    assert_eq!(names(&site)?, before);
    append(&config.join("meterhouse.toml"))?;
    assert_ne!(names(&site)?, before);
    Ok(())
}
