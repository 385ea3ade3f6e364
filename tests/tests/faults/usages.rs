//! Writes over HTTP while a server does not answer: what is acknowledged is there, what is not may be sent again.

mod clickhouse;
mod ingest;
mod kafka;

use anyhow::Result;
use meterhouse_localstack::{ClickHouse, Kafka};
use meterhouse_tests::usages::{Usages, usage};
use meterhouse_tests::{Reply, Service, Site, Token, audit, check};
use serde_json::{Value, json};

use crate::rig::{configured, ends_well};

const TOKEN: &str = "mh_usages";
/// How long a write waits until it can be read back; a server that is away is away for longer.
const VISIBLE_WAIT_MS: u64 = 2000;

/// A site whose customer `c` has the subscription S.
fn site(kafka: &Kafka, clickhouse: &ClickHouse, name: &str) -> Result<Site> {
    let mut site = configured(kafka, clickhouse, name)?;
    site.write_credentials(&[Token::new("mh_test"), Token::for_usages(TOKEN, &["*"])])?;
    site.write_subscriptions("subscription,customer,start,expires\nS,c,2026-01-01T00:00:00Z,\n")?;
    site.set("api.visible_wait_ms", VISIBLE_WAIT_MS)?;
    Ok(site)
}

fn usages(service: &Service) -> Usages {
    Usages::new(service.client(), TOKEN)
}

/// A usage that ends at an hour.
fn one(hour: u32, units: u64) -> Value {
    json!([usage("cpu", &format!("{hour:02}:00:00"), units)])
}

/// The only reference in the answer to a POST.
fn reference(reply: &Reply) -> Result<Value> {
    assert_eq!(reply.status, 200, "{reply:?}");
    Ok(reply.json()?[0]["UsageReference"].clone())
}

/// The answer says that the request may be repeated.
fn is_repeatable(reply: &Reply) -> Result<()> {
    assert_eq!((reply.status, &reply.json()?["error_code"]), (503, &json!("SERVICE_UNAVAILABLE")));
    assert!(reply.headers.contains_key("Retry-After"), "{reply:?}");
    Ok(())
}

/// Everything is as the oracle says of the topic, behind the answers too, and the process ends with 0.
fn all_is_well(site: &Site, service: Service) -> Result<()> {
    check::all_is_as_expected(site, &service.client())?;
    audit::verify(site)?;
    ends_well(service)
}
