//! The oracle: what the history of a log must be. It is Python, and shares no code with the service.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::{local_dir, workspace_dir};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Place;
use crate::kafka::Logged;

/// What the oracle judges by.
#[derive(Debug, Clone, Default)]
pub struct Question<'a> {
    /// Billing time zone.
    pub zone: &'a str,
    /// The catalog, as CSV.
    pub catalog: Option<&'a Path>,
    /// The registry, as CSV.
    pub subscriptions: Option<&'a Path>,
    /// Whether units may be below zero.
    pub allow_negative_units: bool,
}

/// What must come out.
#[derive(Debug, Clone, Deserialize)]
pub struct Expected {
    /// Records in the log.
    pub records: u64,
    /// Usable events, resends included.
    pub copies: u64,
    /// Events that count.
    pub events: u64,
    /// Rejects by reason: records, and events whose identity is taken by other content.
    pub rejects: BTreeMap<String, u64>,
    /// The place and the reason of each of these rejects.
    pub rejected: Vec<(Place, String)>,
    /// Where the events stand whose identity is taken by other content.
    pub conflicts: Vec<Place>,
    /// The HTTP answer by customer.
    pub history: BTreeMap<String, Value>,
    /// The items of the bill by customer, of those that have any.
    pub bills: BTreeMap<String, Vec<BillItem>>,
}

/// An item of a bill. In the order of the oracle: sorted by subscription first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct BillItem {
    /// Subscription, which the answer calls a zone.
    pub zone: String,
    /// ISO 4217.
    pub currency: String,
    /// The text of the number.
    pub amount: String,
    /// `charge` or `credit`.
    pub kind: String,
    /// RFC 3339 in UTC.
    pub occurred_at: String,
    /// Service, units and month.
    pub description: String,
}

/// One billing account of the FOCUS sample, summed straight from its file.
#[derive(Debug, Clone, Deserialize)]
pub struct FocusAccount {
    /// Exact sum by service, all of September 2024.
    pub usage: BTreeMap<String, String>,
    /// All rows of the account.
    pub rows: u64,
    /// Rows that are no usage, by reason.
    pub rejected: BTreeMap<String, u64>,
}

/// Judges a log.
///
/// # Errors
/// The oracle fails.
pub fn judge(log: &[Logged], question: &Question<'_>) -> Result<Expected> {
    let dir = local_dir().join("run");
    std::fs::create_dir_all(&dir)?;
    let file = tempfile::Builder::new().prefix("oracle-").suffix(".jsonl").tempfile_in(dir)?;
    write_lines(log, file.as_file())?;
    let mut command = python("oracle.py");
    command.arg(file.path()).args(["--zone", question.zone]);
    for (option, path) in [("--catalog", question.catalog), ("--subscriptions", question.subscriptions)] {
        if let Some(path) = path {
            command.arg(option).arg(path);
        }
    }
    if question.allow_negative_units {
        command.arg("--allow-negative-units");
    }
    answer(command)
}

/// The sums of the FOCUS sample by billing account.
///
/// # Errors
/// The program fails.
pub fn focus_sums(sample: &Path) -> Result<BTreeMap<String, FocusAccount>> {
    let mut command = python("focus_sums.py");
    command.arg(sample);
    answer(command)
}

/// The hash of a merchant's signature.
///
/// # Errors
/// The program fails.
pub fn signature(algorithm: &str, code: &str, date: &str, secret: &str) -> Result<String> {
    let mut command = python("signature.py");
    command.args([algorithm, code, date]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().context("run python3")?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(secret.as_bytes())?;
    }
    read_answer(&child.wait_with_output()?)
}

/// The folder of the Python programs.
pub fn folder() -> PathBuf {
    workspace_dir().join("tests/oracle")
}

fn python(program: &str) -> Command {
    let mut command = Command::new("python3");
    // -B: no compiled files in the tree.
    command.arg("-B").arg(folder().join(program));
    command
}

fn answer<T: DeserializeOwned>(mut command: Command) -> Result<T> {
    read_answer(&command.output().context("run python3")?)
}

fn read_answer<T: DeserializeOwned>(output: &Output) -> Result<T> {
    ensure!(output.status.success(), "the oracle failed:\n{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("read the oracle's answer")
}

fn write_lines(log: &[Logged], file: &File) -> Result<()> {
    let mut out = BufWriter::new(file);
    for record in log {
        serde_json::to_writer(&mut out, record)?;
        out.write_all(b"\n")?;
    }
    out.flush().context("write the log for the oracle")
}
