//! `deploy/kubernetes/`: what is rendered fits the program, and one part of it the other.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::container::{USER, can_be_entered};
use crate::kubernetes::{rendered, site};
use crate::manifest::{find, items, of_pod, pod, text};
use crate::process::Process;
use crate::tools::read;

/// A constant of the program in seconds.
fn seconds(path: &str, name: &str) -> Result<u64> {
    let source = read(path)?;
    let start = format!("const {name}: Duration = Duration::from_secs(");
    let (_, rest) = source.split_once(&start).with_context(|| format!("{path} has no {name}"))?;
    rest.split(')').next().context("no number")?.parse().context("no number")
}

#[test]
fn every_pod_keeps_to_the_restricted_profile() -> Result<()> {
    let resources = rendered(&site()?, "example")?;
    let templates: Vec<&Value> = resources.iter().filter_map(pod).collect();
    assert_eq!(templates.len(), 5);
    for template in templates {
        let spec = &template["spec"];
        let name = &template["metadata"]["labels"]["app.kubernetes.io/component"];
        let user = json!({"runAsNonRoot": true, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"}});
        assert_eq!(spec["securityContext"], user, "{name}");
        assert_eq!(spec["automountServiceAccountToken"], false, "{name}");
        let container = &spec["containers"][0];
        let rights = json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]}});
        assert_eq!(container["securityContext"], rights, "{name}");
        assert_eq!(container["image"], "images.example.com/meterhouse:0.1.0", "{name}");
        assert!(container["resources"]["requests"]["cpu"].is_string(), "{name}");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
        assert!(items(&container["volumeMounts"]).all(|mount| mount["readOnly"] == true), "{name}");
    }
    Ok(())
}

#[test]
fn the_program_understands_what_each_pod_is_given() -> Result<()> {
    if !can_be_entered() {
        return Ok(());
    }
    let resources = rendered(&site()?, "example")?;
    for template in resources.iter().filter_map(pod) {
        let container = of_pod(&resources, template)?;
        let role = &template["metadata"]["labels"]["app.kubernetes.io/component"];
        assert_eq!(container.arguments, [text(role)?]);
        let config = container.check_config()?;
        assert!(config["clickhouse"].get("password_file").is_some(), "{role}: no password");
        for port in items(&template["spec"]["containers"][0]["ports"]) {
            assert_eq!(port["containerPort"], container.port(text(&port["name"])?)?, "{role}");
        }
    }
    Ok(())
}

#[test]
fn a_misspelt_variable_or_a_secret_that_is_not_mounted_would_be_found() -> Result<()> {
    if !can_be_entered() {
        return Ok(());
    }
    let resources = rendered(&site()?, "example")?;
    let template = pod(find(&resources, "Deployment", "meterhouse-api")?).context("no pod")?;
    let mut container = of_pod(&resources, template)?;
    container.variables.insert("METERHOUSE_CLICKHOUSE__USR".to_owned(), "x".to_owned());
    let error = container.check_config().unwrap_err().to_string();
    assert!(error.contains("did you mean"), "{error}");

    let mut template = template.clone();
    template["spec"]["volumes"][2]["secret"]["items"] = json!([]);
    let error = of_pod(&resources, &template)?.check_config().unwrap_err().to_string();
    assert!(error.contains("clickhouse_password"), "{error}");
    Ok(())
}

/// Servers are not there, which is what a pod begins with.
#[test]
fn probes_ask_what_the_program_answers() -> Result<()> {
    if !can_be_entered() {
        return Ok(());
    }
    let resources = rendered(&site()?, "example")?;
    let deployments = resources.iter().filter(|resource| resource["kind"] == "Deployment");
    let mut asked = 0;
    for template in deployments.filter_map(pod) {
        let spec = &template["spec"];
        let mut process = Process::start(of_pod(&resources, template)?)?;
        for (probe, status) in [("startupProbe", 200), ("livenessProbe", 200), ("readinessProbe", 503)] {
            let get = &spec["containers"][0][probe]["httpGet"];
            let reply = process.probe(text(&get["port"])?, text(&get["path"])?)?;
            assert_eq!(reply.status, status, "{:?} {probe}: {reply:?}", process.container.arguments);
            asked += 1;
        }
        let grace = spec["terminationGracePeriodSeconds"].as_u64().context("no grace period")?;
        let (status, time) = process.end()?;
        assert_eq!(status.code(), Some(0), "{}", process.log());
        assert!(time < Duration::from_secs(grace), "{time:?}");
    }
    assert_eq!(asked, 9);
    Ok(())
}

#[test]
fn the_grace_period_is_longer_than_it_can_take() -> Result<()> {
    let behind = seconds("crates/meterhouse/src/service.rs", "LEAVE_BEHIND")?;
    let requests = seconds("crates/api/src/serve.rs", "DRAIN_TIMEOUT")? + behind;
    let batches = seconds("crates/ingest/src/reader.rs", "DRAIN_TIMEOUT")?
        + seconds("crates/ingest/src/pipeline.rs", "LEAVE_TIMEOUT")?
        + behind;
    let resources = rendered(&site()?, "example")?;
    for (name, needed) in
        [("meterhouse-ingest", batches), ("meterhouse-rollup", batches), ("meterhouse-api", requests)]
    {
        let spec = &find(&resources, "Deployment", name)?["spec"]["template"]["spec"];
        let before = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64().unwrap_or(0);
        let grace = spec["terminationGracePeriodSeconds"].as_u64().context("no grace period")?;
        assert!(grace >= before + needed + 5, "{name} has {grace} s, needs {before} + {needed}");
    }
    for (path, line) in [
        ("deploy/compose.yaml", "stop_grace_period: "),
        ("deploy/systemd/meterhouse-serve.service", "TimeoutStopSec="),
    ] {
        let text = read(path)?;
        let grace = text.split_once(line).context("no grace period")?.1;
        let grace: u64 = grace.split(|c: char| !c.is_ascii_digit()).next().unwrap_or("").parse()?;
        assert!(grace >= batches + 5, "{path}: {grace}");
    }
    Ok(())
}

#[test]
fn what_is_named_is_there() -> Result<()> {
    let resources = rendered(&site()?, "example")?;
    for (kind, name) in [("HorizontalPodAutoscaler", "meterhouse-api"), ("ScaledObject", "meterhouse-ingest")]
    {
        let target = text(&find(&resources, kind, name)?["spec"]["scaleTargetRef"]["name"])?;
        // Whoever scales it says the number, and nobody else.
        assert!(find(&resources, "Deployment", target)?["spec"]["replicas"].is_null(), "{target}");
    }
    for name in ["meterhouse-api", "meterhouse-ingest"] {
        let labels = &find(&resources, "Deployment", name)?["spec"]["selector"]["matchLabels"];
        let budget = find(&resources, "PodDisruptionBudget", name)?;
        assert_eq!(budget["spec"]["selector"]["matchLabels"], *labels, "{name}");
    }
    let service = find(&resources, "Service", "meterhouse-api")?;
    let api = find(&resources, "Deployment", "meterhouse-api")?;
    assert_eq!(service["spec"]["selector"], api["spec"]["selector"]["matchLabels"]);
    let rule = &find(&resources, "Ingress", "meterhouse-api")?["spec"]["rules"][0]["http"]["paths"][0];
    assert_eq!(rule["backend"]["service"]["name"], service["metadata"]["name"]);
    assert_eq!(rule["backend"]["service"]["port"]["name"], service["spec"]["ports"][0]["name"]);
    Ok(())
}

#[test]
fn the_network_and_the_scaler_know_the_servers_of_the_configuration() -> Result<()> {
    if !can_be_entered() {
        return Ok(());
    }
    let resources = rendered(&site()?, "example")?;
    let template = pod(find(&resources, "Deployment", "meterhouse-ingest")?).context("no pod")?;
    let config = of_pod(&resources, template)?.check_config()?;
    let trigger = &find(&resources, "ScaledObject", "meterhouse-ingest")?["spec"]["triggers"][0]["metadata"];
    for (member, key) in [("bootstrapServers", "brokers"), ("consumerGroup", "group_id"), ("topic", "topic")]
    {
        assert_eq!(trigger[member].as_str(), config["kafka"][key].as_str(), "{key}");
    }
    let egress = &find(&resources, "NetworkPolicy", "to-servers")?["spec"]["egress"];
    let resolver = &egress[0]["to"][0]["podSelector"]["matchLabels"];
    assert_eq!(
        *resolver,
        json!({"k8s-app": "kube-dns"}),
        "a label of ours would keep names from being resolved"
    );
    let url = config["clickhouse"]["url"].as_str().context("no url")?;
    let addresses =
        [config["kafka"]["brokers"].as_str().context("no brokers")?, url.trim_start_matches("http://")];
    for address in addresses {
        let (host, port) = address.split_once(':').context("no port")?;
        let (port, namespace) = (port.parse::<u16>()?, host.split('.').nth(1).context("no namespace")?);
        let is_allowed = |rule: &Value| {
            let labels = &rule["to"][0]["namespaceSelector"]["matchLabels"];
            labels["kubernetes.io/metadata.name"] == namespace
                && items(&rule["ports"]).any(|allowed| allowed["port"] == port)
        };
        assert!(items(egress).any(is_allowed), "nobody may speak with {address}");
    }
    Ok(())
}
