//! Everything on the real service, by a real Prometheus.

use std::collections::BTreeSet;

use anyhow::Result;
use meterhouse_tests::wait;
use serde_json::Value;

use crate::scene::Scene;
use crate::{dashboards, reference, rules, runbook};

#[test]
fn panels_alerts_metrics_and_statements_are_possible() -> Result<()> {
    let scene = Scene::begin()?;
    scene.act()?;
    every_panel_shows_something(&scene)?;
    variables_offer_something(&scene)?;
    alerts_are_evaluated(&scene)?;
    reference::is_complete(&scene.service.operations().get("/metrics")?.body)?;
    runbook::ask_all(&scene.site)
}

/// Neither an error nor empty, and not only that there is no number.
fn every_panel_shows_something(scene: &Scene) -> Result<()> {
    let queries = dashboards::queries()?;
    let is_number = |sample: &Value| {
        let value = sample["value"][1].as_str().and_then(|value| value.parse::<f64>().ok());
        value.is_some_and(f64::is_finite)
    };
    let empty = || {
        // A route's series begin with its first request, and a rate with the second.
        scene.ask_history()?;
        let mut empty = Vec::new();
        for query in &queries {
            match scene.ask(&query.text) {
                Ok(samples) if samples.iter().any(is_number) => {}
                other => empty.push(format!("{}: {}: {other:?}", query.place, query.text)),
            }
        }
        Ok(empty)
    };
    wait::until_is("every panel to show something", empty, Vec::is_empty)?;
    dashboards::annotations()?.iter().try_for_each(|query| scene.ask(query).map(|_| ()))
}

fn variables_offer_something(scene: &Scene) -> Result<()> {
    for (place, label, series) in dashboards::variables()? {
        assert!(!scene.values(&label, Some(&series))?.is_empty(), "{place}: {series}");
    }
    Ok(())
}

/// All are in order, speak of metrics that there are, and one fires that has to.
fn alerts_are_evaluated(scene: &Scene) -> Result<()> {
    let faults = || {
        let rules = scene.get("rules")?;
        let groups = rules["groups"].as_array().into_iter().flatten();
        let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
        let faults = rules.filter(|rule| rule["health"] != "ok").map(ToString::to_string);
        Ok(faults.collect::<Vec<_>>())
    };
    wait::until_is("all alerts to be in order", faults, Vec::is_empty)?;
    let known: BTreeSet<String> = scene.values("__name__", None)?.into_iter().collect();
    for (name, alert) in rules::alerts()? {
        let words = alert.expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let of_metrics = ["meterhouse_", "process_", "ClickHouse"];
        for metric in words.filter(|word| of_metrics.iter().any(|prefix| word.starts_with(prefix))) {
            assert!(known.contains(metric), "{name} asks for {metric}, which nobody has");
        }
    }
    let firing = || scene.ask(r#"ALERTS{alertname="MeterhouseConflict", alertstate="firing"}"#);
    wait::until_is("the conflict to be told", firing, |found| found.len() == 1).map(|_| ())
}
