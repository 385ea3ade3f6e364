//! A service with a load in front of it.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use meterhouse_localstack::{ClickHouse, Kafka};
use meterhouse_tests::{Service, Site, check};

const RECORDS: u64 = 40_000;

/// A site with a topic and a load on it.
pub(crate) fn loaded(kafka: &Kafka, clickhouse: &ClickHouse, name: &str) -> Result<Site> {
    let site = configured(kafka, clickhouse, name)?;
    let size = ["--events", &RECORDS.to_string(), "--customers", "5"];
    site.generate(&[&size[..], &["--duplicates", "5%", "--late", "5%", "--invalid", "2%"]].concat())?;
    Ok(site)
}

/// A site with a topic, small batches and short time-outs.
pub(crate) fn configured(kafka: &Kafka, clickhouse: &ClickHouse, name: &str) -> Result<Site> {
    kafka.create_topic(name, 4)?;
    let mut site = Site::on(kafka, clickhouse, name)?;
    site.set("ingest.batch_rows", 500)?;
    site.set("ingest.session_timeout_ms", 3000)?;
    site.set("clickhouse.query_timeout_ms", 2000)?;
    Ok(site)
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

/// Waits until the process has stored some records, but not all.
pub(crate) fn wait_middle(service: &Service) -> Result<()> {
    let stored = service.wait_stored(2000)?;
    assert!(stored < RECORDS, "it was too fast for a fault in the middle");
    Ok(())
}

/// Waits until everything is stored, and compares it with the oracle.
pub(crate) fn all_is_as_expected(site: &Site, service: &Service) -> Result<()> {
    let expected = check::all_is_as_expected(site, &service.client())?;
    assert_eq!(expected.records, RECORDS);
    Ok(())
}

/// Asks it to end, which it does with 0.
pub(crate) fn ends_well(mut service: Service) -> Result<()> {
    let status = service.terminate()?;
    assert_eq!(status.code(), Some(0), "{}", service.log_tail());
    Ok(())
}
