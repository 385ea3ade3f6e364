//! Generated loads with duplicates, late and invalid records, in several billing time zones.

use anyhow::Result;
use meterhouse_tests::Site;
use meterhouse_tests::check::all_is_as_expected_rolled_up;

/// Option codes of the generator, two of which share a service here; the others are services of their own.
const CATALOG: &str = "code,service\nscale,compute\ncompute-vcpu-hours,compute\negress-gib,network\n";

fn load(name: &str, zone: &str, events: &str) -> Result<()> {
    let mut site = Site::new(name)?;
    site.set("billing.time_zone", zone)?;
    // Small batches: copies of an event arrive in different ones.
    site.set("ingest.batch_rows", 5000)?;
    site.write_catalog(CATALOG)?;
    let shares = ["--duplicates", "5%", "--late", "10%", "--invalid", "4%"];
    let size = ["--events", events, "--customers", "7", "--months", "14", "--seed", "7"];
    site.generate(&[&shares[..], &size[..]].concat())?;
    let service = site.serve()?;
    let expected = all_is_as_expected_rolled_up(&site, &service.client())?;
    assert_eq!(expected.history.len(), 7);
    assert!(expected.rejects.len() >= 20, "{:?}", expected.rejects);
    assert!(expected.copies > expected.events, "no duplicates");
    let records = service.metric("meterhouse_records_total", &[("topic", name)])?;
    assert_eq!(records, events.parse::<u64>()?);
    let rejected = service.metric("meterhouse_events_total", &[("outcome", "rejected")])?;
    assert_eq!(rejected, expected.rejects.values().sum::<u64>());
    Ok(())
}

#[test]
fn utc() -> Result<()> {
    load("load_utc", "UTC", "60000")
}

#[test]
fn berlin() -> Result<()> {
    load("load_berlin", "Europe/Berlin", "50000")
}

#[test]
fn st_johns() -> Result<()> {
    load("load_st_johns", "America/St_Johns", "20000")
}

#[test]
fn apia() -> Result<()> {
    load("load_apia", "Pacific/Apia", "20000")
}

#[test]
fn kolkata() -> Result<()> {
    load("load_kolkata", "Asia/Kolkata", "20000")
}
