//! Every record under `schemas/`, published for real.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meterhouse_tests::fixtures::{self, ExpectedEvent, Fixture, Rules};
use meterhouse_tests::{Message, Service, Site, Usage};
use serde_json::Value;

#[test]
fn examples_are_stored_as_they_say() -> Result<()> {
    for (number, (rules, group)) in grouped("examples")?.into_iter().enumerate() {
        let (site, service) = stored(&format!("examples_{number}"), &rules, &group)?;
        let rows = rows(&site, STORED)?;
        for (fixture, offset) in group.iter().zip(0..) {
            let expected = fixture.expect.events.as_deref().unwrap_or_default();
            let found: Vec<&Value> = rows.iter().filter(|row| row["offset"] == offset).collect();
            assert_eq!(found.len(), expected.len(), "{}: {found:?}", fixture.name);
            for (found, expected) in found.into_iter().zip(expected) {
                assert_eq!(*found, row_of(expected, &site, offset, fixture), "{}", fixture.name);
            }
        }
        assert_eq!(site.count("SELECT count() FROM rejects")?, 0, "{rules:?}");
        drop(service);
    }
    Ok(())
}

#[test]
fn rejects_are_kept_with_reason_bytes_and_place() -> Result<()> {
    for (number, (rules, group)) in grouped("rejects")?.into_iter().enumerate() {
        // A record that only the database can refuse is fine.
        let group: Vec<_> = group.into_iter().filter(|fixture| fixture.expect.stage.is_none()).collect();
        let (site, service) = stored(&format!("rejects_{number}"), &rules, &group)?;
        let rows = rows(&site, REJECTED)?;
        for (fixture, offset) in group.iter().zip(0..) {
            let [row] = rows.iter().filter(|row| row["offset"] == offset).collect::<Vec<_>>()[..] else {
                panic!("{} has not one row: {rows:?}", fixture.name);
            };
            is_kept(row, fixture, &site);
        }
        assert_eq!(rows.len(), group.len());
        for (reason, count) in reasons(&group) {
            let counted = service.metric("meterhouse_rejects_total", &[("reason", reason)])?;
            assert_eq!(counted, count, "metric of {reason}");
        }
    }
    Ok(())
}

const STORED: &str = "SELECT offset, index, customer, subscription, option_code, identity, \
    toString(usage_start) AS start, toString(usage_end) AS end, toString(billed_at) AS billed, \
    toString(billing_day) AS day, toString(units) AS units, description, \
    renewal_order_reference AS renewal, revision, is_deleted, origin, topic, partition, toUnixTimestamp64Milli(record_time) AS time \
    FROM usage_events WHERE subscription != 'canary' ORDER BY offset, index FORMAT JSONEachRow";

const REJECTED: &str = "SELECT topic, partition, offset, index, reason, detail, base64Encode(raw) AS raw, \
    raw_length, lower(hex(raw_sha256)) AS sha256, record_key, toUnixTimestamp64Milli(record_time) AS time, \
    arrayMap(header -> (header.1, header.2), headers) AS headers, rejected_at > '2026-01-01' AS is_dated, \
    replay_outcome FROM rejects FINAL ORDER BY offset FORMAT JSONEachRow";

/// Files by the configuration that they need.
fn grouped(folder: &str) -> Result<BTreeMap<Rules, Vec<Fixture>>> {
    let mut groups: BTreeMap<Rules, Vec<Fixture>> = BTreeMap::new();
    for fixture in fixtures::all(folder)? {
        groups.entry(fixture.rules.clone()).or_default().push(fixture);
    }
    Ok(groups)
}

/// Publishes files to one partition, so that the place of each is its offset, and a usable record behind them.
fn stored(name: &str, rules: &Rules, group: &[Fixture]) -> Result<(Site, Service)> {
    let mut site = Site::new(name)?;
    apply(rules, &mut site)?;
    let migrated = site.run(&["migrate"])?;
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    // Without merges a deletion can be looked at, too.
    site.query("SYSTEM STOP MERGES usage_events")?;
    let mut messages: Vec<Message> = group.iter().map(|fixture| fixture.message.clone().to(2)).collect();
    // Other rules may reject it.
    let is_plain = *rules == Rules::default();
    if is_plain {
        messages.push(Usage::default().with("SubscriptionReference", "canary").message().to(2));
    }
    site.publisher()?.publish(&messages)?;
    let service = site.serve()?;
    site.wait_consumed()?;
    if is_plain {
        assert_eq!(
            site.count("SELECT count() FROM usage_events WHERE subscription = 'canary'")?,
            1,
            "is blocked"
        );
    }
    Ok((site, service))
}

fn apply(rules: &Rules, site: &mut Site) -> Result<()> {
    let numbers = [
        ("ingest.max_record_bytes", rules.max_record_bytes),
        ("ingest.max_age_days", rules.max_age_days),
        ("ingest.max_future_seconds", rules.max_future_seconds),
        ("ingest.max_interval_days", rules.max_interval_days),
    ];
    for (key, number) in numbers {
        number.map_or(Ok(()), |number| site.set(key, number))?;
    }
    if let Some(zone) = &rules.time_zone {
        site.set("billing.time_zone", zone.as_str())?;
    }
    if let Some(allow) = rules.allow_negative_units {
        site.set("ingest.allow_negative_units", allow)?;
    }
    if let Some(csv) = &rules.subscriptions_csv {
        site.set("ingest.require_known_subscription", true)?;
        site.write_subscriptions(csv)?;
    }
    if let Some(csv) = &rules.catalog_csv {
        site.set("ingest.require_known_option", true)?;
        site.write_catalog(csv)?;
    }
    Ok(())
}

fn rows(site: &Site, sql: &str) -> Result<Vec<Value>> {
    // Numbers of 64 bits as numbers.
    let text = site.query(&format!("{sql} SETTINGS output_format_json_quote_64bit_integers = 0"))?;
    text.lines().map(|line| serde_json::from_str(line).context("a row")).collect()
}

/// The row of an event, as the file describes it.
fn row_of(event: &ExpectedEvent, site: &Site, offset: i64, fixture: &Fixture) -> Value {
    let time = fixture.message.timestamp_ms.unwrap_or_default();
    let utc = |text: &str| text.replace('T', " ").replace('Z', "");
    let (change, revision) =
        event.change.as_deref().and_then(|change| change.split_once(' ')).unwrap_or(("create", "0"));
    let identity = match event.identity.strip_prefix("k:") {
        // The coordinates are those of this topic. A change names those of its original as they are.
        Some(_) if change == "create" => {
            format!("k:{}:{},2,{offset},{time},{}", site.name.len(), site.name, event.index)
        }
        _ => event.identity.clone(),
    };
    serde_json::json!({
        "offset": offset,
        "index": event.index,
        "customer": event.customer,
        "subscription": event.subscription,
        "option_code": event.option_code,
        "identity": identity,
        "start": utc(&event.start),
        "end": utc(&event.end),
        "billed": utc(&event.billed_at),
        "day": event.billing_day,
        // ClickHouse writes no fraction of zeros.
        "units": event.units.strip_suffix(".0").unwrap_or(&event.units),
        "description": event.description,
        "renewal": event.renewal_order_reference.unwrap_or(0),
        "revision": revision.parse::<u64>().unwrap_or_default(),
        "is_deleted": u8::from(change == "delete"),
        "origin": event.origin.as_deref().unwrap_or_default(),
        "topic": site.name,
        "partition": 2,
        "time": time,
    })
}

fn is_kept(row: &Value, fixture: &Fixture, site: &Site) {
    let name = &fixture.name;
    assert_eq!(row["reason"], fixture.reason(), "{name}");
    assert_eq!(row["index"], fixture.expect.index.unwrap_or(-1), "{name}");
    let detail = fixture.expect.detail.as_deref().unwrap_or_default();
    assert!(row["detail"].as_str().is_some_and(|text| text.contains(detail)), "{name}: {row}");
    let value = fixture.message.value.as_deref().unwrap_or_default();
    assert_eq!(row["raw"], STANDARD.encode(value), "{name}");
    assert_eq!(row["raw_length"], value.len(), "{name}");
    assert_eq!(row["record_key"], fixture.subscription.as_str(), "{name}");
    assert_eq!(row["time"].as_i64(), fixture.message.timestamp_ms, "{name}");
    assert_eq!(row["topic"], site.name.as_str(), "{name}");
    assert_eq!(row["partition"], 2, "{name}");
    assert_eq!(row["is_dated"], 1, "{name}");
    assert_eq!(row["replay_outcome"], "", "{name}");
    let headers = fixture.message.headers.iter();
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.clone(), String::from_utf8_lossy(value))).collect();
    assert_eq!(row["headers"], serde_json::json!(headers), "{name}");
}

fn reasons(group: &[Fixture]) -> BTreeMap<&str, u64> {
    let mut reasons = BTreeMap::new();
    for fixture in group {
        *reasons.entry(fixture.reason()).or_default() += 1;
    }
    reasons
}
