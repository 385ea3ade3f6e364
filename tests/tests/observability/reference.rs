//! `docs/metrics.md` has each metric as the service has it, and says what to do with it.
//!
//! With `METERHOUSE_WRITE_METRICS=1` it is written anew; what its last column says is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context, Result};
use meterhouse_localstack::workspace_dir;
use meterhouse_tests::{Family, families};

const HEAD: &str =
    "| metric | type | labels | what it tells | what to do with it |\n| --- | --- | --- | --- | --- |\n";
/// Labels with any number of values.
const OPEN: [&str; 6] = ["topic", "partition", "route", "method", "status", "version"];

/// A row of the table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    family: Family,
    /// What an operator does with it, which no program knows.
    use_of_it: String,
}

type Table = BTreeMap<String, Row>;

fn path() -> PathBuf {
    workspace_dir().join("docs/metrics.md")
}

/// Compares the document with a scrape of a process that does everything.
pub(crate) fn is_complete(scrape: &str) -> Result<()> {
    let text = fs::read_to_string(path())?;
    let (before, rest) = text.split_once(HEAD).context("docs/metrics.md has no table")?;
    let end = rest.find("\n\n").map_or(rest.len(), |end| end + 1);
    let (table, after) = rest.split_at(end);
    let documented = parse(table)?;
    let real = merged(families(scrape)?, &documented);
    let unexplained: Vec<&String> = real.keys().filter(|name| real[*name].use_of_it.is_empty()).collect();
    if env::var_os("METERHOUSE_WRITE_METRICS").is_some() {
        fs::write(path(), format!("{before}{HEAD}{}{after}", written(&real)))?;
    } else {
        let real = written(&real);
        let (told, wanted) = (table.lines().collect(), real.lines().collect::<BTreeSet<&str>>());
        let missing: Vec<_> = wanted.difference(&told).collect();
        let surplus: Vec<_> = told.difference(&wanted).collect();
        let rows = format!("rows that are missing: {missing:#?}\nand that are wrong: {surplus:#?}");
        assert!(table == real, "`make metrics` writes docs/metrics.md anew\n{rows}");
    }
    assert!(unexplained.is_empty(), "docs/metrics.md does not say what to do with {unexplained:?}");
    Ok(())
}

/// What a scrape says, with what only the document knows: what a metric is for, and values that labels have at other times.
fn merged(real: BTreeMap<String, Family>, documented: &Table) -> Table {
    let row = |(name, mut family): (String, Family)| {
        let known = documented.get(&name);
        for (label, values) in &mut family.labels {
            let others = known.and_then(|row| row.family.labels.get(label));
            values.extend(others.into_iter().flatten().cloned());
            if OPEN.contains(&label.as_str()) {
                values.clear();
            }
        }
        let use_of_it = known.map_or_else(String::new, |row| row.use_of_it.clone());
        (name, Row { family, use_of_it })
    };
    real.into_iter().map(row).collect()
}

fn written(table: &Table) -> String {
    let mut text = String::new();
    for (name, Row { family, use_of_it }) in table {
        let label = |(label, values): (&String, &BTreeSet<String>)| {
            let values = values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
            if values.is_empty() { format!("`{label}`") } else { format!("`{label}`: {values}") }
        };
        let labels = family.labels.iter().map(label).collect::<Vec<_>>().join("; ");
        // To write into a String cannot fail.
        let (kind, help, unit) = (&family.kind, &family.help, unit(name));
        let _ = writeln!(text, "| `{name}` | {kind}{unit} | {labels} | {help} | {use_of_it} |");
    }
    text
}

/// The unit, which is the end of a metric's name.
fn unit(name: &str) -> &'static str {
    match name.strip_suffix("_total").unwrap_or(name) {
        name if name.ends_with("_timestamp_seconds") || name.ends_with("_time_seconds") => {
            ", seconds since 1970"
        }
        name if name.ends_with("_seconds") => ", seconds",
        name if name.ends_with("_bytes") => ", bytes",
        _ => "",
    }
}

fn parse(table: &str) -> Result<Table> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, help, use_of_it] = cells[..] else { return None };
        let kind = kind.split(',').next().unwrap_or_default().to_owned();
        let family = Family { kind, help: help.to_owned(), labels: parse_labels(labels) };
        Some((name.trim_matches('`').to_owned(), Row { family, use_of_it: use_of_it.to_owned() }))
    };
    table.lines().map(|line| row(line).with_context(|| format!("no row: {line}"))).collect()
}

fn parse_labels(cell: &str) -> BTreeMap<String, BTreeSet<String>> {
    let plain = |text: &str| text.trim().trim_matches('`').to_owned();
    let labels = cell.split(';').filter(|part| !part.trim().is_empty()).map(|part| {
        let (label, values) = part.split_once(':').unwrap_or((part, ""));
        let values = values.split(',').map(plain).filter(|value| !value.is_empty());
        (plain(label), values.collect())
    });
    labels.collect()
}

#[test]
fn a_table_is_read_as_it_was_written() -> Result<()> {
    let values = ["a", "b"].map(str::to_owned).into();
    let labels = [("topic".to_owned(), BTreeSet::new()), ("x".to_owned(), values)].into();
    let family = Family { kind: "counter".to_owned(), help: "Things: all, of a, b.".to_owned(), labels };
    let table: Table = [("m_bytes".to_owned(), Row { family, use_of_it: "Count.".to_owned() })].into();
    assert_eq!(
        written(&table),
        "| `m_bytes` | counter, bytes | `topic`; `x`: `a`, `b` | Things: all, of a, b. | Count. |\n"
    );
    assert_eq!(parse(&written(&table))?, table);
    Ok(())
}
