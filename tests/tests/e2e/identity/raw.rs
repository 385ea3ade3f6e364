//! What quarantine keeps of a conflict: the record's bytes, or what is left of them.

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meterhouse_tests::check::all_is_as_expected;
use meterhouse_tests::{Message, Service, Site, Usage, audit, shared, wait};
use serde_json::{Value, json};

use super::copies::{NOW_MS, after, creation, site};

/// A site with these records stored, of which nobody has compared the copies, and a service that is not running.
fn unswept(name: &str, messages: &[Message]) -> Result<(Site, Service)> {
    let mut site = site(name)?;
    site.set("sweep.interval_ms", 600_000)?;
    let mut service = site.serve()?;
    site.query("SYSTEM STOP MERGES usage_events")?;
    site.publisher()?.publish(messages)?;
    site.wait_consumed()?;
    service.kill()?;
    assert_eq!(site.stored_conflicts()?.len(), 0, "nobody has looked");
    site.set("sweep.interval_ms", 50)?;
    Ok((site, service))
}

/// Detail, raw bytes and index of each conflict, in the order of their offsets.
fn conflicts(site: &Site, count: u64) -> Result<Vec<(String, Vec<u8>, i64)>> {
    let stored = || site.count("SELECT count() FROM rejects FINAL WHERE reason = 'conflicting_duplicate'");
    wait::until_is("conflicts in quarantine", stored, |stored| *stored == count)?;
    let rows = site.query(
        "SELECT detail, base64Encode(raw), toInt32(index) FROM rejects FINAL ORDER BY offset, index FORMAT JSONCompactEachRow",
    )?;
    let parse = |line: &str| {
        let (detail, raw, index): (String, String, i64) = serde_json::from_str(line)?;
        Ok((detail, STANDARD.decode(raw)?, index))
    };
    rows.lines().map(parse).collect()
}

fn other(id: &str) -> Usage {
    creation(id, "2.50")
        .with("OptionCode", "disk")
        .with("Description", "d")
        .with_json("RenewalOrderReference", "7")
        .with_json("Origin", r#"{"Request":"x"}"#)
}

#[test]
fn a_record_of_several_events_is_kept_whole_under_each_of_them_with_key_and_headers() -> Result<()> {
    let mut site = site("raw_kept")?;
    shared().kafka().create_topic("raw_kept_dead", 1)?;
    site.set("ingest.mirror_topic", "raw_kept_dead")?;
    let service = site.serve()?;
    let usages = [creation("a", "7").json(), creation("b", "1").json(), creation("c", "9").json()];
    let mut record =
        Message::new("the key", format!("{{\"Usages\":[{}]}}", usages.join(","))).to(0).at(NOW_MS + 9);
    record.headers = vec![("traceparent".to_owned(), b"00-1".to_vec())];
    let firsts = ["a", "c"].map(|id| after(&creation(id, "1"), 1).to(1));
    site.publisher()?.publish(firsts.iter().chain([&record]))?;
    all_is_as_expected(&site, &service.client())?;
    let kept = conflicts(&site, 2)?;
    assert_eq!(kept.iter().map(|(_, _, index)| *index).collect::<Vec<_>>(), [0, 2]);
    for (detail, raw, _) in kept {
        assert_eq!(Some(raw), record.value);
        assert!(detail.contains("of record raw_kept/1/"), "{detail}");
    }
    let rest = "SELECT count() FROM rejects FINAL WHERE record_key = 'the key' AND headers = [('traceparent', '00-1')]";
    assert_eq!(site.count(rest)?, 2);
    audit::is_mirrored(&site, "raw_kept_dead")?;
    let mirrored = site.log_of("raw_kept_dead")?;
    assert_eq!(mirrored.len(), 2);
    assert!(mirrored.iter().all(|mirrored| mirrored.value == record.value));
    Ok(())
}

#[test]
fn where_the_record_is_gone_its_row_is_kept_and_marked() -> Result<()> {
    let messages = [after(&creation("e", "1"), 2).to(0), after(&other("e").without("Origin"), 3).to(0)];
    let (site, mut service) = unswept("raw_gone", &messages)?;
    site.delete_records()?;
    service.start_again()?;
    let [(detail, raw, 0)] = &conflicts(&site, 1)?[..] else { panic!("another index") };
    assert!(
        detail.starts_with("the record is gone from kafka, its value is rebuilt from its row")
            && detail.contains("raw_gone/0/0"),
        "{detail}"
    );
    let expected = json!({
        "EventId": "e", "SubscriptionReference": "S", "OptionCode": "disk", "Customer": "c", "Units": "2.5",
        "UsageStart": "2026-10-03T10:00:00.000000Z", "UsageEnd": "2026-10-03T11:00:00.000000Z", "Description": "d",
        "RenewalOrderReference": 7,
    });
    assert_eq!(serde_json::from_slice::<Value>(raw)?, expected);
    assert_eq!(site.count("SELECT count() FROM usage_events FINAL")?, 1);
    Ok(())
}

#[test]
fn where_the_row_is_gone_too_the_place_is_kept() -> Result<()> {
    // Both on one key: a merge keeps the one that counts.
    let messages = [after(&creation("e", "1"), 2).to(0), after(&creation("e", "2"), 3).to(0)];
    let (site, mut service) = unswept("raw_lost", &messages)?;
    site.delete_records()?;
    site.query("SYSTEM START MERGES usage_events")?;
    site.query("OPTIMIZE TABLE usage_events FINAL")?;
    service.start_again()?;
    let [(detail, raw, 0)] = &conflicts(&site, 1)?[..] else { panic!("another index") };
    assert!(
        detail.starts_with("the record is gone from kafka, and so is its row") && raw.is_empty(),
        "{detail}"
    );
    assert_eq!(site.count("SELECT offset FROM rejects FINAL")?, 1);
    Ok(())
}

#[test]
fn a_creation_of_the_api_that_wins_by_its_origin_displaces_one_that_was_first() -> Result<()> {
    let messages = [after(&creation("e", "1"), 2).to(0), after(&other("e"), 3).to(0)];
    let (site, mut service) = unswept("raw_origin", &messages)?;
    service.start_again()?;
    service.wait_ready()?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!(expected.conflicts, [("raw_origin".to_owned(), 0, 0, 0)]);
    Ok(())
}
