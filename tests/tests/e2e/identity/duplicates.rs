//! Copies that state the same count once, for ever.

use anyhow::Result;
use meterhouse_tests::check::{all_is_as_expected, history_lines};
use meterhouse_tests::{Message, Service, Site, audit};

use super::copies::{after, creation, site};

const EVENTS: u32 = 50;

/// The same events again, each to the next partition, or the one after.
fn copies(shift: i32) -> Vec<Message> {
    let copy = |number: u32| {
        let partition = (i32::try_from(number).unwrap_or_default() + shift) % 4;
        after(&creation(&number.to_string(), "0.1"), i64::from(shift)).to(partition)
    };
    (0..EVENTS).map(copy).collect()
}

fn each_counts_once(site: &Site, service: &Service) -> Result<()> {
    let expected = all_is_as_expected(site, &service.client())?;
    assert_eq!((expected.events, expected.rejects.len()), (u64::from(EVENTS), 0));
    assert_eq!(history_lines(site, &service.client(), "c")?, ["10.2026 cpu 5.0"]);
    Ok(())
}

#[test]
fn they_count_once_across_batches_partitions_and_restarts_before_and_after_merges() -> Result<()> {
    let site = site("duplicates")?;
    let mut service = site.serve()?;
    let publisher = site.publisher()?;
    for table in ["usage_events", "identities"] {
        site.query(&format!("SYSTEM STOP MERGES {table}"))?;
    }
    // In one batch, then in another one, then after a restart.
    publisher.publish(copies(0).iter().chain(&copies(1)))?;
    each_counts_once(&site, &service)?;
    publisher.publish(&copies(2))?;
    each_counts_once(&site, &service)?;
    let duplicates = service.metric("meterhouse_events_total", &[("outcome", "duplicate")])?;
    assert_eq!(duplicates, u64::from(2 * EVENTS), "one batch or two, they are noticed");
    service.kill()?;
    service.start_again()?;
    service.wait_ready()?;
    publisher.publish(&copies(3))?;
    each_counts_once(&site, &service)?;
    assert_eq!(site.count("SELECT count() FROM usage_events")?, u64::from(4 * EVENTS));

    for table in ["usage_events", "identities"] {
        site.query(&format!("SYSTEM START MERGES {table}"))?;
        site.query(&format!("OPTIMIZE TABLE {table} FINAL"))?;
    }
    each_counts_once(&site, &service)?;
    assert_eq!(site.count("SELECT count() FROM usage_events")?, u64::from(EVENTS));
    assert_eq!(site.count("SELECT count() FROM identities")?, u64::from(4 * EVENTS), "evidence stays");
    publisher.publish(&copies(5))?;
    each_counts_once(&site, &service)?;
    assert_eq!(service.metric("meterhouse_sweep_tombstones_total", &[])?, 0);
    Ok(())
}

#[test]
fn one_that_differs_is_told_in_metrics_and_readiness() -> Result<()> {
    let site = site("conflict_metrics")?;
    let service = site.serve()?;
    let other = creation("e", "2").with("OptionCode", "disk");
    site.publisher()?.publish(&[after(&creation("e", "1"), 1), after(&other, 2), after(&other, 3)])?;
    all_is_as_expected(&site, &service.client())?;
    let metric = |name: &str, labels: &[(&str, &str)]| service.metric(name, labels);
    assert_eq!(metric("meterhouse_events_total", &[("outcome", "conflict")])?, 2);
    assert_eq!(metric("meterhouse_rejects_total", &[("reason", "conflicting_duplicate")])?, 2);
    assert_eq!(metric("meterhouse_sweep_tombstones_total", &[])?, 1);
    assert_eq!(metric("meterhouse_sweep_failures_total", &[])?, 0);
    let lag = service.scrape()?.sum("meterhouse_sweep_lag_seconds", &[]);
    assert!(lag.is_some_and(|lag| lag < 60.0), "{lag:?}");
    let (_, readiness) = service.readiness()?;
    assert_eq!(readiness["checks"]["sweep"], "ok");
    Ok(())
}

/// A producer that gives all of its events one id: one of them counts, and quarantine has all others.
#[test]
fn one_id_for_everything_is_seen_to_page_by_page() -> Result<()> {
    const COPIES: i32 = 2300;
    let site = site("one_id")?;
    let service = site.serve()?;
    let copy = |number: i32| {
        let option = ["cpu", "disk", "ram"][usize::try_from(number % 3).unwrap_or_default()];
        let usage = creation("0", &number.to_string()).with("OptionCode", option);
        after(&usage, i64::from(COPIES - number)).to(number % 4)
    };
    site.publisher()?.publish(&(0..COPIES).map(copy).collect::<Vec<_>>())?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!((expected.events, expected.conflicts.len()), (1, 2299));
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 disk 2299.0"]);
    audit::verify(&site)
}
