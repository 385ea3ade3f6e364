//! `benches/RESULTS.md`: a section for each benchmark, written anew by each recorded run.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::workspace_dir;

const FILE: &str = "benches/RESULTS.md";
const HEADING: &str = "\n## ";

/// A table whose lines are shown as they come: a run may fail late.
#[derive(Debug)]
pub struct Table(String);

impl Table {
    /// One with these columns, with bars between.
    pub fn new(columns: &str) -> Self {
        let mut table = Self(String::new());
        table.add(columns);
        table.add(&vec!["---"; columns.split(" | ").count()].join(" | "));
        table
    }

    /// Adds a line of cells, with bars between.
    pub fn add(&mut self, cells: &str) {
        println!("| {cells} |");
        self.0 += &format!("| {cells} |\n");
    }

    /// The lines so far.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Replaces the section of this title, or adds it. It says by itself when, where and with what the run was.
///
/// # Errors
/// The file cannot be read or written.
pub fn record(title: &str, text: &str) -> Result<()> {
    let path = workspace_dir().join(FILE);
    let before = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let section = format!("{title}\n\n{}\n{}\n", circumstances()?, text.trim_end());
    fs::write(&path, replace(&before, title, &section))?;
    Ok(())
}

fn replace(file: &str, title: &str, section: &str) -> String {
    let mut parts: Vec<&str> = file.split(HEADING).collect();
    let heading = format!("{title}\n");
    match parts.iter().skip(1).position(|part| part.starts_with(&heading)) {
        Some(place) => parts[place + 1] = section,
        None => parts.push(section),
    }
    let parts: Vec<&str> = parts.into_iter().map(str::trim_end).collect();
    parts.join(&format!("\n{HEADING}")) + "\n"
}

/// The command, the date, the revision, the machine and the servers.
fn circumstances() -> Result<String> {
    let program = env::args().next().context("no program")?;
    let program = Path::new(&program).file_name().context("no program")?.to_string_lossy().into_owned();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let memory = line_value("/proc/meminfo", "MemTotal:")?;
    let memory: u64 = memory.trim_end_matches("kB").trim().parse()?;
    Ok(format!(
        "`{program} {}`, {}, revision {}. {}, {} cores, {} GiB. ClickHouse {}, Kafka {}, librdkafka {}.\n",
        arguments.join(" "),
        said("date", &["-u", "+%Y-%m-%d"])?,
        revision()?,
        line_value("/proc/cpuinfo", "model name")?.trim_start_matches([' ', '\t', ':']),
        std::thread::available_parallelism()?,
        memory.div_ceil(1024 * 1024),
        version("deploy/local/clickhouse/package.json", "\"@chdb/lib-linux-x64-gnu\": \"", '"')?,
        version("deploy/local/kafka/pom.xml", "<kafka.version>", '<')?,
        rdkafka::util::get_rdkafka_version().1,
    ))
}

/// The commit, with `-dirty` where something differs from it. The file of results may: a run can record several sections.
fn revision() -> Result<String> {
    let results = format!(":!{FILE}");
    let changed = said("git", &["status", "--porcelain", "--", ".", &results])?;
    let dirty = if changed.is_empty() { "" } else { "-dirty" };
    Ok(said("git", &["describe", "--always"])? + dirty)
}

/// What a file of the local stack says between two marks.
fn version(file: &str, before: &str, after: char) -> Result<String> {
    let text = fs::read_to_string(workspace_dir().join(file))?;
    let version = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    Ok(version.with_context(|| format!("no version in {file}"))?.0.to_owned())
}

fn line_value(file: &str, name: &str) -> Result<String> {
    let text = fs::read_to_string(file)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(value.with_context(|| format!("no {name} in {file}"))?.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).current_dir(workspace_dir()).output()?;
    ensure!(output.status.success(), "{program} ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_are_known() {
        let circumstances = circumstances().unwrap();
        for server in ["ClickHouse 2", "Kafka 4", "librdkafka 2"] {
            assert!(circumstances.contains(server), "{circumstances}");
        }
    }

    #[test]
    fn a_section_is_replaced_or_added() {
        let file = "# Results\n\nIntro.\n\n## A\n\nold\n\n## B\n\nb\n";
        let replaced = replace(file, "A", "A\n\nnew\n");
        assert_eq!(replaced, "# Results\n\nIntro.\n\n## A\n\nnew\n\n## B\n\nb\n");
        let added = replace("# Results\n", "A", "A\n\nnew\n");
        assert_eq!(added, "# Results\n\n## A\n\nnew\n");
    }
}
