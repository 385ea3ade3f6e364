//! Everything is read again from the first record: nothing changes, to the byte.

use anyhow::Result;
use meterhouse_tests::check::all_is_as_expected;
use meterhouse_tests::{Client, Site};

use super::copies::{after, amended, creation, deleted, site};

/// What customers and operators see.
fn answers(site: &Site, client: &Client) -> Result<Vec<String>> {
    let mut answers = Vec::new();
    for customer in ["c", "d"] {
        answers.push(client.ask_history(site.token(), customer, "")?.body);
    }
    let keys = "customer, subscription, option_code, identity, billed_at";
    for table in [
        format!("SELECT * FROM usage_events FINAL ORDER BY {keys}"),
        // Also what takes events away.
        format!(
            "SELECT {keys}, max(version), argMax(is_deleted, version) FROM usage_events GROUP BY {keys} ORDER BY {keys}"
        ),
        "SELECT * FROM identities FINAL ORDER BY identity_hash, topic, partition, offset".to_owned(),
        "SELECT * EXCEPT raw_sha256 FROM rejects FINAL ORDER BY partition, offset, index".to_owned(),
        "SELECT identity_hash, copies, version FROM settlements FINAL ORDER BY ALL".to_owned(),
    ] {
        answers.push(site.query(&format!("{table} FORMAT TSV"))?);
    }
    Ok(answers)
}

#[test]
fn with_other_batches_and_by_another_group_the_answers_stay_as_they_are() -> Result<()> {
    let mut site = site("again")?;
    let publisher = site.publisher()?;
    let mut service = site.serve()?;
    for number in 0..20 {
        let id = number.to_string();
        let moved = creation(&id, "3").on("2026-11-03");
        publisher.publish(&[
            after(&creation(&id, "1"), 5).to(number % 4),
            after(&creation(&id, "2").with("Customer", "d"), 4).to((number + 1) % 4),
            after(&creation(&id, "1"), 3).to((number + 2) % 4),
            after(&if number % 2 == 0 { amended(moved, 1) } else { deleted(moved, 2) }, 6).to(number % 3),
        ])?;
    }
    all_is_as_expected(&site, &service.client())?;
    let before = answers(&site, &service.client())?;
    for (group, rows) in [("again-2", 1), ("again-3", 7)] {
        assert_eq!(service.terminate()?.code(), Some(0), "{}", service.log_tail());
        site.set("kafka.group_id", group)?;
        site.set("ingest.batch_rows", rows)?;
        site.query("TRUNCATE TABLE ledger")?;
        service.start_again()?;
        service.wait_ready()?;
        service.wait_stored(80)?;
        all_is_as_expected(&site, &service.client())?;
        assert_eq!(answers(&site, &service.client())?, before, "{group}");
        assert_eq!(
            service.metric("meterhouse_events_total", &[("outcome", "conflict")])?,
            0,
            "all are known"
        );
    }
    Ok(())
}
