//! The records under `schemas/`, ready to be published. `schemas/README.md` describes the files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meterhouse_localstack::workspace_dir;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Message;

/// The subscription that the files name.
const SUBSCRIPTION: &str = "83FE4FEF2";
/// 2026-10-03T18:00:05Z, the time of records that give none.
const TIMESTAMP_MS: i64 = 1_791_050_405_000;

/// A file, with the record that it describes.
#[derive(Debug)]
pub struct Fixture {
    /// The file's name without its ending: for a reject, reason, point, and case.
    pub name: String,
    /// Its record, with a subscription of its own.
    pub message: Message,
    /// The subscription that it was given.
    pub subscription: String,
    /// Configuration that differs from the defaults.
    pub rules: Rules,
    /// What must become of it.
    pub expect: Expect,
}

/// Configuration that differs from the defaults.
#[derive(Debug, Clone, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// `billing.time_zone`.
    pub time_zone: Option<String>,
    /// `ingest.max_record_bytes`.
    pub max_record_bytes: Option<u64>,
    /// `ingest.max_age_days`.
    pub max_age_days: Option<u64>,
    /// `ingest.max_future_seconds`.
    pub max_future_seconds: Option<u64>,
    /// `ingest.max_interval_days`.
    pub max_interval_days: Option<u64>,
    /// `ingest.allow_negative_units`.
    pub allow_negative_units: Option<bool>,
    /// Text of `subscriptions.path`, which must know the subscription.
    pub subscriptions_csv: Option<String>,
    /// Text of `catalog.path`, which must know the option code.
    pub catalog_csv: Option<String>,
}

/// What must become of a record.
#[derive(Debug, Deserialize)]
pub struct Expect {
    /// Its events, if it is accepted.
    pub events: Option<Vec<ExpectedEvent>>,
    /// Which of its events is at fault, if it is rejected; none for the record as a whole.
    pub index: Option<i32>,
    /// A part of the reject's detail.
    pub detail: Option<String>,
    /// Who rejects it, if that is not the parser.
    pub stage: Option<String>,
}

/// An event as it is stored.
#[derive(Debug, Deserialize)]
pub struct ExpectedEvent {
    /// Place in its record.
    #[serde(default)]
    pub index: u16,
    /// Its subscription.
    pub subscription: String,
    /// Its option code.
    pub option_code: String,
    /// The customer that it names.
    #[serde(default)]
    pub customer: String,
    /// The tagged text of its identity.
    pub identity: String,
    /// UTC.
    pub start: String,
    /// UTC.
    pub end: String,
    /// UTC.
    pub billed_at: String,
    /// A date of the billing zone's calendar.
    pub billing_day: String,
    /// Exact decimal.
    pub units: String,
    /// Its description.
    #[serde(default)]
    pub description: String,
    /// The renewal that it belongs to.
    #[serde(default)]
    pub renewal_order_reference: Option<u64>,
    /// `create`, or `amend` or `delete` with the revision.
    pub change: Option<String>,
    /// What the API adds.
    pub origin: Option<String>,
}

#[derive(Deserialize)]
struct File {
    record: RecordOfFile,
    #[serde(default)]
    rules: Rules,
    expect: Expect,
}

#[derive(Deserialize)]
struct RecordOfFile {
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default = "default_timestamp")]
    timestamp_ms: Option<i64>,
    value: Option<Box<RawValue>>,
    value_text: Option<String>,
    value_base64: Option<String>,
}

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
fn default_timestamp() -> Option<i64> {
    Some(TIMESTAMP_MS)
}

/// All files of a folder: `examples` or `rejects`. Those with a record that Kafka cannot hold, one without a time, are
/// left out.
///
/// All files name one subscription and most one event. To be told apart in one database each gets another subscription
/// of the same length, but for the few that write it in a roundabout way.
///
/// # Errors
/// A file cannot be read.
pub fn all(folder: &str) -> Result<Vec<Fixture>> {
    let dir = workspace_dir().join("schemas").join(folder);
    let mut paths = Vec::new();
    for entry in fs::read_dir(&dir).with_context(|| dir.display().to_string())? {
        paths.push(entry?.path());
    }
    paths.sort();
    let numbered = paths.iter().zip(0..).map(|(path, number)| {
        let subscription = format!("83FE4F{number:03}");
        read(path, subscription).with_context(|| path.display().to_string())
    });
    numbered.filter_map(Result::transpose).collect()
}

fn read(path: &Path, other: String) -> Result<Option<Fixture>> {
    let text = fs::read_to_string(path)?;
    let file: File = serde_json::from_str(&text)?;
    let Some(timestamp_ms) = file.record.timestamp_ms else { return Ok(None) };
    // Where the record spells it in another way it stays as it is, and so does what is expected.
    let is_plain = file.record.value()?.is_some_and(|value| contains(&value, SUBSCRIPTION.as_bytes()));
    let subscription = if is_plain { other } else { SUBSCRIPTION.to_owned() };
    let File { record, rules, expect } = serde_json::from_str(&text.replace(SUBSCRIPTION, &subscription))?;
    let message = Message {
        key: Some(subscription.clone().into_bytes()),
        value: record.value()?,
        headers: record.headers.into_iter().map(|(name, value)| (name, value.into_bytes())).collect(),
        timestamp_ms: Some(timestamp_ms),
        partition: None,
    };
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
    Ok(Some(Fixture { name: name.unwrap_or_default(), message, subscription, rules, expect }))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

impl RecordOfFile {
    fn value(&self) -> Result<Option<Vec<u8>>> {
        Ok(match (&self.value, &self.value_text, &self.value_base64) {
            (Some(value), ..) => Some(value.get().as_bytes().to_vec()),
            (_, Some(text), _) => Some(text.as_bytes().to_vec()),
            (_, _, Some(base64)) => Some(STANDARD.decode(base64)?),
            (None, None, None) => None,
        })
    }
}

impl Fixture {
    /// The reason that a reject's name tells.
    pub fn reason(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_are_read_and_no_two_share_an_event() {
        let mut seen = std::collections::BTreeSet::new();
        for fixture in all("examples").unwrap() {
            for event in fixture.expect.events.unwrap() {
                assert!(seen.insert((event.subscription, event.identity, event.index)), "{}", fixture.name);
            }
        }
        assert!(all("rejects").unwrap().len() > 80);
    }
}
