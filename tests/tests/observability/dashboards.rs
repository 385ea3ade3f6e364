//! The dashboards: what every panel has, and that the queries can be asked as Grafana would ask them.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use meterhouse_localstack::workspace_dir;
use serde_json::{Value, json};

use crate::runbook;

/// Columns of a dashboard.
const COLUMNS: u64 = 24;
/// What Grafana fills in where all jobs, processes and topics are chosen. Its interval is four scrapes at least; here it
/// covers everything that the test has done.
const FILLED_IN: [(&str, &str); 4] =
    [("$__rate_interval", "2m"), ("$job", "meterhouse.*"), ("$instance", ".*"), ("$topic", ".*")];

/// A query, and where it stands.
pub(crate) struct Query {
    pub(crate) place: String,
    pub(crate) text: String,
}

fn dashboards() -> Result<Vec<(String, Value)>> {
    let folder = workspace_dir().join("deploy/grafana/dashboards");
    let mut dashboards = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        dashboards.push((name, serde_json::from_str(&text).with_context(|| format!("{path:?}"))?));
    }
    Ok(dashboards)
}

fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn filled_in(text: &str) -> String {
    let text = FILLED_IN.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    // What is left are places in a regular expression.
    assert!(!text.replace("${1}", "").contains('$'), "a variable that nobody fills in: {text}");
    text
}

/// The queries of all panels, with variables filled in.
pub(crate) fn queries() -> Result<Vec<Query>> {
    let mut queries = Vec::new();
    for (file, dashboard) in dashboards()? {
        for panel in items(&dashboard, "panels") {
            for target in items(panel, "targets") {
                let place = format!("{file}, {}, {}", panel["title"], target["refId"]);
                queries.push(Query { place, text: filled_in(target["expr"].as_str().context("no query")?) });
            }
        }
    }
    Ok(queries)
}

/// The queries of all annotations, which may find nothing.
pub(crate) fn annotations() -> Result<Vec<String>> {
    let dashboards = dashboards()?;
    let annotations = dashboards.iter().flat_map(|(_, dashboard)| items(&dashboard["annotations"], "list"));
    Ok(annotations.filter_map(|annotation| annotation["expr"].as_str()).map(filled_in).collect())
}

/// The label and the series whose values each variable offers, with other variables filled in.
pub(crate) fn variables() -> Result<Vec<(String, String, String)>> {
    let mut variables = Vec::new();
    for (file, dashboard) in dashboards()? {
        for variable in items(&dashboard["templating"], "list").iter().filter(|one| one["type"] == "query") {
            let query = variable["query"]["query"].as_str().context("no query")?;
            let inner = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
            let (series, label) =
                inner.and_then(|inner| inner.rsplit_once(", ")).context("no label_values")?;
            variables.push((format!("{file}, {}", variable["name"]), label.to_owned(), filled_in(series)));
        }
    }
    Ok(variables)
}

#[test]
fn each_panel_says_what_it_shows_in_which_unit_and_where_to_read_on() -> Result<()> {
    let (dashboards, anchors) = (dashboards()?, runbook::anchors()?);
    assert_eq!(dashboards.len(), 4);
    let source = json!({"type": "prometheus", "uid": "${datasource}"});
    for (file, dashboard) in &dashboards {
        let panels = items(dashboard, "panels").iter().filter(|panel| panel["type"] != "row");
        for panel in panels {
            let place = format!("{file}: {}", panel["title"]);
            assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{place}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{place}");
            assert!(!items(panel, "targets").is_empty(), "{place}");
            let sources = items(panel, "targets").iter().chain([panel]).map(|part| &part["datasource"]);
            assert!(sources.into_iter().all(|found| *found == source), "{place}");
            for link in items(panel, "links") {
                let anchor = link["url"].as_str().and_then(|url| url.strip_prefix("${runbook}#"));
                assert!(anchor.is_some_and(|anchor| anchors.contains(anchor)), "{place}: {link}");
            }
        }
    }
    Ok(())
}

#[test]
fn panels_have_numbers_and_places_of_their_own() -> Result<()> {
    let mut uids = BTreeSet::new();
    for (file, dashboard) in dashboards()? {
        assert!(uids.insert(dashboard["uid"].to_string()), "{file}");
        assert!(dashboard["schemaVersion"].as_u64().is_some_and(|version| version >= 39), "{file}");
        let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for panel in items(&dashboard, "panels") {
            assert!(ids.insert(panel["id"].to_string()), "{file}: {}", panel["title"]);
            let [x, y, width, height] =
                ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap_or(0));
            assert!(width > 0 && height > 0 && x + width <= COLUMNS, "{file}: {}", panel["title"]);
            let mut cells = (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y)));
            assert!(cells.all(|cell| taken.insert(cell)), "{file}: {} lies on another", panel["title"]);
        }
    }
    Ok(())
}
