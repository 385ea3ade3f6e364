//! The runbook: its links lead somewhere, its commands and statements are possible.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::workspace_dir;
use meterhouse_tests::{Site, meterhouse};

fn text() -> Result<String> {
    fs::read_to_string(workspace_dir().join("docs/runbook.md")).context("read the runbook")
}

/// The sections by the names of their alerts.
pub(crate) fn sections() -> Result<BTreeMap<String, String>> {
    let text = text()?;
    let sections = text.split("\n## ").skip(1).filter_map(|section| section.split_once('\n'));
    Ok(sections.map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect())
}

/// The anchors that a page of it has.
pub(crate) fn anchors() -> Result<BTreeSet<String>> {
    Ok(sections()?.keys().map(|name| name.to_lowercase()).collect())
}

/// What stands in its blocks of a language.
fn blocks(language: &str) -> Result<Vec<String>> {
    let text = text()?;
    let begin = format!("```{language}\n");
    let blocks = text.split(&begin).skip(1).filter_map(|rest| rest.split("```").next());
    Ok(blocks.map(str::to_owned).collect())
}

#[test]
fn its_links_lead_to_sections() -> Result<()> {
    let (text, anchors) = (text()?, anchors()?);
    let links: Vec<&str> = text.split("](#").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 10, "{links:?}");
    for link in links {
        assert!(anchors.contains(link), "{link}");
    }
    Ok(())
}

#[test]
fn its_commands_are_those_of_the_program() -> Result<()> {
    let blocks = blocks("console")?;
    let lines = blocks.iter().flat_map(|block| block.lines());
    let commands: Vec<&str> = lines.filter_map(|line| line.strip_prefix("$ meterhouse ")).collect();
    assert!(commands.len() > 4, "{commands:?}");
    for command in commands {
        // The shell splits it; with --help nothing is done, and what is not an option is refused all the same.
        let script = format!("exec \"$0\" {} --help", command.split(" > ").next().unwrap_or_default());
        let output = Command::new("sh").args(["-c", &script]).arg(meterhouse()?).output()?;
        ensure!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Runs its statements.
pub(crate) fn ask_all(site: &Site) -> Result<()> {
    let blocks = blocks("sql")?;
    let statements = blocks.iter().flat_map(|block| block.split(';')).map(str::trim);
    // The database of the tests keeps no log of its queries.
    let possible = |sql: &&str| !sql.is_empty() && !sql.contains("system.query_log");
    let statements: Vec<&str> = statements.filter(possible).collect();
    ensure!(statements.len() > 6, "{statements:?}");
    statements.iter().try_for_each(|sql| site.query(sql).map(|_| ()))
}
