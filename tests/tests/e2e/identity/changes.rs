//! Amendments and deletions, with what they lead to written out by hand.

use anyhow::Result;
use meterhouse_tests::Usage;
use meterhouse_tests::check::{all_is_as_expected, history_lines};

use super::copies::{amended, creation, deleted, site};

#[test]
fn an_event_moves_to_another_month_and_service_and_back() -> Result<()> {
    let site = site("moves")?;
    let (service, publisher) = (site.serve()?, site.publisher()?);
    let november = |units| creation("e", units).on("2026-11-03").with("OptionCode", "disk");
    let steps: [(Usage, &[&str]); 5] = [
        (creation("e", "1"), &["10.2026 cpu 1.0"]),
        (amended(november("2"), 1), &["11.2026 disk 2.0"]),
        (amended(creation("e", "4"), 2), &["10.2026 cpu 4.0"]),
        (deleted(november("2"), 3), &[]),
        (amended(creation("e", "8").with("Customer", "d"), 4), &[]),
    ];
    for (usage, expected) in steps {
        publisher.publish([&usage.message()])?;
        all_is_as_expected(&site, &service.client())?;
        assert_eq!(history_lines(&site, &service.client(), "c")?, expected, "{}", usage.json());
    }
    assert_eq!(history_lines(&site, &service.client(), "d")?, ["10.2026 cpu 8.0"]);
    Ok(())
}

#[test]
fn a_rollup_process_sees_to_what_an_ingest_process_stores() -> Result<()> {
    let site = site("moves_apart")?;
    assert!(site.run(&["migrate"])?.status.success());
    let mut ingest = site.start(&["ingest"], "ingest")?;
    let mut api = site.start(&["api"], "api")?;
    ingest.wait_ready()?;
    api.wait_ready()?;
    let moved = amended(creation("e", "2").on("2026-11-03"), 1);
    let conflict = creation("e", "4").with("OptionCode", "disk");
    site.publisher()?.publish(&[&creation("e", "1"), &moved, &conflict].map(|usage| usage.message()))?;
    site.wait_consumed()?;
    let three = ["10.2026 cpu 1.0", "10.2026 disk 4.0", "11.2026 cpu 2.0", "11.2026 disk 0.0"];
    assert_eq!(history_lines(&site, &api.client(), "c")?, three, "nobody has looked");
    let mut rollup = site.start(&["rollup"], "rollup")?;
    rollup.wait_ready()?;
    all_is_as_expected(&site, &api.client())?;
    assert_eq!(history_lines(&site, &api.client(), "c")?, ["11.2026 cpu 2.0"]);
    assert_eq!(rollup.metric("meterhouse_sweep_tombstones_total", &[])?, 2);
    Ok(())
}

#[test]
fn changes_that_come_before_their_originals_count_at_once() -> Result<()> {
    let site = site("changes_first")?;
    let (service, publisher) = (site.serve()?, site.publisher()?);
    let early = [
        amended(creation("amended", "2").with("OptionCode", "disk"), 1),
        deleted(creation("deleted", "1").on("2026-11-03"), 1),
    ];
    publisher.publish(&early.map(|usage| usage.message()))?;
    all_is_as_expected(&site, &service.client())?;
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 disk 2.0"]);
    let late = [creation("amended", "1"), creation("deleted", "1")];
    publisher.publish(&late.map(|usage| usage.message()))?;
    all_is_as_expected(&site, &service.client())?;
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 disk 2.0"]);
    Ok(())
}
