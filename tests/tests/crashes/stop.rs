//! SIGSTOP at a place for longer than the session: another process takes over, then the first one wakes up.

use anyhow::Result;
use meterhouse_tests::{check, wait};
use nix::sys::signal::Signal;

use crate::case::{Case, start_armed, wait_stopped};
use crate::kill::PLACES;

const SESSION_MS: u64 = 6000;
/// Places that are passed in a batch's life; before, there is nothing that another process could take over.
const FIRST_OF_A_BATCH: &str = "assignment_given";
const LAST_OF_A_BATCH: &str = "after_commit";

#[test]
fn between_mark_and_rows() -> Result<()> {
    held_up_at("first_mark_inserted", 2)
}

#[test]
fn between_rows_and_mark() -> Result<()> {
    held_up_at("events_inserted", 2)
}

#[test]
fn between_rows_and_ledger() -> Result<()> {
    held_up_at("rejects_mirrored", 2)
}

#[test]
fn between_ledger_and_commit() -> Result<()> {
    held_up_at("ledger_inserted", 2)
}

#[test]
fn between_assignment_and_reading() -> Result<()> {
    held_up_at("assignment_positions_known", 1)
}

#[test]
fn between_tombstones_and_quarantine() -> Result<()> {
    held_up_at("tombstones_written", 1)
}

/// Rows that come so late after their mark that the sums of their day have been taken for complete.
#[test]
fn a_replay_between_mark_and_rows() -> Result<()> {
    let mut case = Case::new("stop_replay", SESSION_MS)?;
    let mut service = case.site.serve()?;
    case.wait_summed_up()?;
    case.site.set("ingest.allow_negative_units", true)?;
    let command = ["rejects", "replay", "--reason", "negative_units"];
    let mut replay = start_armed(&case.site, &command, "rows_due", 1, "stop")?;
    wait_stopped(&mut replay)?;
    case.wait_summed_up()?;
    replay.signal(Signal::SIGCONT)?;
    assert!(replay.wait_end()?.success(), "{}", replay.log_tail());
    check::all_is_as_expected(&case.site, &service.client())?;
    service.kill()?;
    service.start_again()?;
    case.ends_well(&mut [&mut service])
}

/// A scan that knows nothing of what came while it stood still.
#[test]
fn between_the_time_of_a_scan_and_its_sums() -> Result<()> {
    held_up_at("scan_timed", 1)
}

#[test]
fn between_sums_and_their_check() -> Result<()> {
    held_up_at("scan_recomputed", 1)
}

#[test]
#[ignore = "takes minutes: make crashes"]
fn anywhere() -> Result<()> {
    let begin = PLACES.iter().position(|place| *place == FIRST_OF_A_BATCH).unwrap_or_default();
    let end = PLACES.iter().position(|place| *place == LAST_OF_A_BATCH).unwrap_or_default();
    let others = ["assignment_ended", "accepted_inserted", "refused_quarantined"];
    let is_passed_alone = |place: &&&str| !others.contains(*place);
    PLACES[begin..=end].iter().filter(is_passed_alone).try_for_each(|place| held_up_at(place, 1))
}

fn held_up_at(place: &str, hit: u32) -> Result<()> {
    let mut case = Case::new(&format!("stop_{place}_{hit}"), SESSION_MS)?;
    assert!(case.site.run(&["migrate"])?.status.success());
    let mut first = start_armed(&case.site, &["serve"], place, hit, "stop")?;
    wait_stopped(&mut first)?;
    let mut second = case.site.start(&["serve"], "second")?;
    let assigned = || second.metric("meterhouse_partitions", &[("state", "assigned")]);
    wait::until_is("the other process to take over", assigned, |assigned| *assigned == 4)?;
    second.wait_ready()?;
    case.publish()?;
    case.wait_summed_up()?;
    first.signal(Signal::SIGCONT)?;
    case.ends_well(&mut [&mut first, &mut second])
}
