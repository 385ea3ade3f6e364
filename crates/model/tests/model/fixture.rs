//! Reading a fixture and turning it into a call of the parser.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meterhouse_model::{BillingZone, Catalog, CloudEventHeaders, Events, Record, Registry, Reject, Rules};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixture {
    #[serde(skip)]
    pub(crate) name: String,
    #[serde(rename = "description")]
    _description: String,
    record: RecordFixture,
    #[serde(default)]
    rules: RulesFixture,
    pub(crate) schema: Option<bool>,
    pub(crate) expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordFixture {
    #[serde(default = "default_topic")]
    topic: String,
    #[serde(default = "default_partition")]
    partition: i32,
    #[serde(default = "default_offset")]
    offset: i64,
    #[serde(default = "default_timestamp_ms")]
    timestamp_ms: Option<i64>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    value: Option<Box<RawValue>>,
    value_text: Option<String>,
    value_base64: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFixture {
    time_zone: Option<String>,
    max_record_bytes: Option<usize>,
    max_age_days: Option<u32>,
    max_future_seconds: Option<u32>,
    max_interval_days: Option<u32>,
    allow_negative_units: Option<bool>,
    subscriptions_csv: Option<String>,
    catalog_csv: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) events: Option<Vec<ExpectedEvent>>,
    /// Outer none: not stated.
    #[serde(default, deserialize_with = "stated")]
    pub(crate) index: Option<Option<u16>>,
    pub(crate) detail: Option<String>,
    pub(crate) stage: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedEvent {
    pub(crate) subscription: String,
    pub(crate) option_code: String,
    pub(crate) identity: String,
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) billed_at: String,
    pub(crate) billing_day: String,
    pub(crate) units: String,
    #[serde(default)]
    pub(crate) index: u16,
    #[serde(default)]
    pub(crate) customer: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) renewal_order_reference: Option<u64>,
    #[serde(default = "default_change")]
    pub(crate) change: String,
    pub(crate) origin: Option<String>,
    pub(crate) usage_reference: Option<u64>,
}

fn default_topic() -> String {
    "usage-events".to_owned()
}

fn default_partition() -> i32 {
    3
}

fn default_offset() -> i64 {
    12345
}

fn default_timestamp_ms() -> Option<i64> {
    Some(1_791_050_405_000)
}

fn default_change() -> String {
    "create".to_owned()
}

fn stated<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u16>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The folder `schemas` of the workspace.
pub(crate) fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

/// All fixtures of a folder under `schemas`, by name.
pub(crate) fn all(folder: &str) -> Vec<Fixture> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(schemas().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Fixture {
    let text = std::fs::read_to_string(path).unwrap();
    let mut fixture: Fixture =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    fixture.name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    fixture
}

impl Fixture {
    /// Bytes of the record's value.
    pub(crate) fn value(&self) -> Option<Vec<u8>> {
        let record = &self.record;
        let json = record.value.as_ref().map(|value| value.get().as_bytes().to_vec());
        let text = record.value_text.as_ref().map(|text| text.as_bytes().to_vec());
        let encoded = record.value_base64.as_ref().map(|text| STANDARD.decode(text).unwrap());
        json.or(text).or(encoded)
    }

    /// What the parser says. The events are kept longer than the record.
    pub(crate) fn parse(&self) -> Result<Events<'static>, Reject> {
        let value = self.value();
        let header = |name: &str| self.record.headers.get(name).map(String::as_bytes);
        let record = Record {
            topic: &self.record.topic,
            partition: self.record.partition,
            offset: self.record.offset,
            timestamp_ms: self.record.timestamp_ms,
            value: value.as_deref(),
            content_type: header("content-type"),
            cloud_event: CloudEventHeaders {
                specversion: header("ce_specversion"),
                id: header("ce_id"),
                source: header("ce_source"),
                event_type: header("ce_type"),
            },
        };
        let events = meterhouse_model::parse(&record, &self.rules())?;
        Ok(events.into_iter().map(meterhouse_model::Event::into_owned).collect())
    }

    fn rules(&self) -> Rules {
        let given = &self.rules;
        let zone = given.time_zone.as_deref().unwrap_or("UTC");
        let mut rules = Rules::new(Arc::new(BillingZone::new(zone).unwrap()));
        rules.max_record_bytes = given.max_record_bytes.unwrap_or(rules.max_record_bytes);
        rules.max_age_days = given.max_age_days.unwrap_or(rules.max_age_days);
        rules.max_future_seconds = given.max_future_seconds.unwrap_or(rules.max_future_seconds);
        rules.max_interval_days = given.max_interval_days.unwrap_or(rules.max_interval_days);
        rules.allow_negative_units = given.allow_negative_units.unwrap_or(rules.allow_negative_units);
        let registry = given.subscriptions_csv.as_deref().map(|text| Registry::from_csv(text).unwrap());
        rules.known_subscription = registry.map(Arc::new);
        rules.known_option =
            given.catalog_csv.as_deref().map(|text| Arc::new(Catalog::from_csv(text).unwrap()));
        rules
    }
}
