//! What it costs to turn a record's bytes into an event, and what the parts of that cost.
//!
//! `cargo bench -p meterhouse-benches --bench parse`

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on stops")]

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use meterhouse_benches::sample;
use meterhouse_model::{BillingZone, Catalog, Record, Registry, Rules, Units, parse, parse_instant};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Calls between two looks at the clock, which takes about as long as a decimal.
const SAMPLE: u32 = 100;
const ZONES: [&str; 2] = ["UTC", "Europe/Berlin"];
const TYPICAL: &str = r#"{"EventId":"evt-00001234","SubscriptionReference":"83FE4FEF2A","OptionCode":"scale","UsageStart":"2026-10-03 17:00:00","UsageEnd":"2026-10-03 18:00:00","Units":"12.534","Customer":"1000941","Description":"Compute usage, zone 3","RenewalOrderReference":12345678}"#;

fn main() {
    divan::main();
}

fn zone(name: &str) -> BillingZone {
    BillingZone::new(name).expect("an IANA zone")
}

fn rules(zone_name: &str) -> Rules {
    Rules::new(Arc::new(zone(zone_name)))
}

/// The same event again and again: every branch is foreseen.
#[divan::bench(sample_size = SAMPLE, args = ZONES)]
fn typical_event(bencher: Bencher<'_, '_>, zone: &str) {
    let rules = rules(zone);
    let bencher = bencher.counter(BytesCount::of_str(TYPICAL));
    bencher.bench_local(|| parse(&sample::record(black_box(TYPICAL)), &rules).is_ok());
}

/// A thousand different events, as a topic has them. Divide by a thousand, or take the items per second.
#[divan::bench(args = ZONES)]
fn thousand_events(bencher: Bencher<'_, '_>, zone: &str) {
    let rules = rules(zone);
    let values: Vec<String> = (0..1000).map(sample::value).collect();
    bencher.counter(ItemsCount::new(values.len())).bench_local(|| {
        values.iter().filter(|value| parse(&sample::record(black_box(value)), &rules).is_ok()).count()
    });
}

/// The same, where option codes and subscriptions must be known.
#[divan::bench]
fn thousand_known_events(bencher: Bencher<'_, '_>) {
    let values: Vec<String> = (0..1000).map(sample::value).collect();
    let rows = (0..1000).map(|number| format!("{},customer,,\n", sample::subscription(number)));
    let registry = "subscription,customer,start,expires\n".to_owned() + &rows.collect::<String>();
    let catalog = "code,service\nscale,Scale\n";
    let rules = Rules {
        known_subscription: Some(Arc::new(Registry::from_csv(&registry).expect("a registry"))),
        known_option: Some(Arc::new(Catalog::from_csv(catalog).expect("a catalog"))),
        ..rules("UTC")
    };
    let is_known = |value: &&String| parse(&sample::record(black_box(value)), &rules).is_ok();
    assert_eq!(values.iter().filter(is_known).count(), values.len());
    let bencher = bencher.counter(ItemsCount::new(values.len()));
    bencher.bench_local(|| values.iter().filter(is_known).count());
}

/// Every record of `schemas/examples` that the default rules accept without its headers.
#[divan::bench(sample_size = SAMPLE, args = examples())]
fn example(bencher: Bencher<'_, '_>, example: &Example) {
    let rules = rules("UTC");
    bencher
        .counter(BytesCount::of_str(example.value.get()))
        .bench_local(|| parse(&black_box(example).as_record(), &rules).is_ok());
}

/// An example, shown by its name.
struct Example {
    name: String,
    timestamp_ms: Option<i64>,
    value: Box<RawValue>,
}

impl Example {
    fn as_record(&self) -> Record<'_> {
        Record { timestamp_ms: self.timestamp_ms, ..sample::record(self.value.get()) }
    }
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What is read of an example's file.
#[derive(Deserialize)]
struct File {
    record: FileRecord,
}

#[derive(Deserialize)]
struct FileRecord {
    timestamp_ms: Option<i64>,
    value: Option<Box<RawValue>>,
}

fn examples() -> Vec<Example> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/examples");
    let rules = rules("UTC");
    let mut examples = Vec::new();
    for entry in folder.read_dir().expect("the folder of the examples") {
        let path = entry.expect("an entry of the folder").path();
        let text = std::fs::read_to_string(&path).expect("the text of an example");
        let File { record: FileRecord { timestamp_ms, value } } =
            serde_json::from_str(&text).expect("an example");
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(value) = value else { continue };
        let example = Example { name, timestamp_ms: timestamp_ms.or(sample::record("").timestamp_ms), value };
        if parse(&example.as_record(), &rules).is_ok() {
            examples.push(example);
        }
    }
    examples.sort_by(|a, b| a.name.cmp(&b.name));
    examples
}

/// A short amount, one of more than 19 digits, the longest one, and one with an exponent.
#[divan::bench(sample_size = SAMPLE, args = ["12.534", "1234567890123.1234567890", "99999999999999999999.999999999999999999", "1.5e3"])]
fn units(text: &str) -> Option<Units> {
    Units::parse(text).ok()
}

#[divan::bench_group]
mod time {
    use super::*;

    #[divan::bench(sample_size = SAMPLE, args = ZONES)]
    fn local(bencher: Bencher<'_, '_>, zone_name: &str) {
        let zone = zone(zone_name);
        bencher.bench_local(|| parse_instant(black_box("2026-10-03 17:00:00"), &zone));
    }

    /// Near a change of the clock more than one offset must be tried.
    #[divan::bench(sample_size = SAMPLE, args = ZONES)]
    fn local_near_a_change(bencher: Bencher<'_, '_>, zone_name: &str) {
        let zone = zone(zone_name);
        bencher.bench_local(|| parse_instant(black_box("2026-10-25 02:30:00"), &zone));
    }

    #[divan::bench(sample_size = SAMPLE, args = ZONES)]
    fn rfc_3339(bencher: Bencher<'_, '_>, zone_name: &str) {
        let zone = zone(zone_name);
        bencher.bench_local(|| parse_instant(black_box("2026-10-03T17:00:00.123456+02:00"), &zone));
    }

    #[divan::bench(sample_size = SAMPLE, args = ZONES)]
    fn billing_day(bencher: Bencher<'_, '_>, zone_name: &str) {
        let zone = zone(zone_name);
        bencher.bench_local(|| zone.day_of(black_box(1_791_046_799_999_999)));
    }

    /// Once a process.
    #[divan::bench(args = ZONES)]
    fn rules_of_a_zone(zone_name: &str) -> BillingZone {
        zone(zone_name)
    }
}
