//! SIGSTOP at a place for longer than the session: another process takes over, or does the same work, then the first one
//! wakes up.

use anyhow::Result;
use meterhouse_tests::{Service, Site, check, wait};
use nix::sys::signal::Signal;

use crate::case::{Case, start_armed, wait_stopped};
use crate::places::{Way, every_place};
use crate::refused;

const SESSION_MS: u64 = 6000;
const REPLAY: [&str; 4] = ["rejects", "replay", "--reason", "negative_units"];

/// Each place at its first pass.
mod each {
    use super::*;

    macro_rules! tests {
        ($($place:ident: $way:ident,)*) => {
            $(
                #[test]
                #[ignore = "takes minutes: make crashes"]
                fn $place() -> Result<()> {
                    let case = Case::new(concat!("held_", stringify!($place)), SESSION_MS)?;
                    held_up_at(case, stringify!($place), 1, Way::$way)
                }
            )*
        };
    }
    every_place!(tests);
}

#[test]
fn between_mark_and_rows() -> Result<()> {
    while_it_reads("first_mark_inserted", 2)
}

#[test]
fn between_rows_and_mark() -> Result<()> {
    while_it_reads("events_inserted", 2)
}

#[test]
fn between_rows_and_ledger() -> Result<()> {
    while_it_reads("rejects_mirrored", 2)
}

#[test]
fn between_ledger_and_commit() -> Result<()> {
    while_it_reads("ledger_inserted", 2)
}

#[test]
fn between_assignment_and_reading() -> Result<()> {
    while_it_reads("assignment_positions_known", 1)
}

#[test]
fn between_tombstones_and_quarantine() -> Result<()> {
    while_it_reads("tombstones_written", 1)
}

/// Rows that come so late after their mark that the sums of their day have been taken for complete.
#[test]
fn a_replay_between_mark_and_rows() -> Result<()> {
    let case = Case::new("stop_replay", SESSION_MS)?;
    held_up_in_replay(case, "rows_due", |_| Ok(()))
}

/// A scan that knows nothing of what came while it stood still.
#[test]
fn between_the_time_of_a_scan_and_its_sums() -> Result<()> {
    while_it_reads("scan_timed", 1)
}

#[test]
fn between_sums_and_their_check() -> Result<()> {
    while_it_reads("scan_recomputed", 1)
}

fn while_it_reads(place: &str, hit: u32) -> Result<()> {
    held_up_at(Case::new(&format!("stop_{place}_{hit}"), SESSION_MS)?, place, hit, Way::Start)
}

fn held_up_at(case: Case, place: &str, hit: u32, way: Way) -> Result<()> {
    match way {
        Way::Start | Way::Once | Way::Join => held_up_in_service(case, place, hit, way),
        Way::End => held_up_at_its_end(case, place),
        Way::Refuse => refused::held_up_at(case, place),
        Way::Rebuild => held_up_in_rebuild(case, place),
        Way::Replay => held_up_in_replay(case, place, replay_succeeds),
    }
}

fn held_up_in_service(mut case: Case, place: &str, hit: u32, way: Way) -> Result<()> {
    let mut first = start_armed(&case.site, &["serve"], place, hit, "stop")?;
    match way {
        Way::Join => first.wait_ready()?,
        _ => wait_stopped(&first)?,
    }
    // Held up in its first steps, it has made no tables, or some.
    assert!(case.site.run(&["migrate"])?.status.success());
    let mut second = take_over(&case)?;
    wait_stopped(&first)?;
    case.publish()?;
    case.wait_summed_up()?;
    first.signal(Signal::SIGCONT)?;
    case.ends_well(&mut [&mut first, &mut second])
}

fn held_up_at_its_end(mut case: Case, place: &str) -> Result<()> {
    let mut first = start_armed(&case.site, &["serve"], place, 1, "stop")?;
    first.wait_ready()?;
    first.signal(Signal::SIGTERM)?;
    wait_stopped(&first)?;
    let mut second = take_over(&case)?;
    case.publish()?;
    case.wait_summed_up()?;
    first.signal(Signal::SIGCONT)?;
    assert_eq!(first.wait_end()?.code(), Some(0), "{}", first.log_tail());
    case.ends_well(&mut [&mut second])
}

fn held_up_in_rebuild(mut case: Case, place: &str) -> Result<()> {
    let mut service = case.site.serve()?;
    case.wait_summed_up()?;
    let rebuild = ["rollup", "rebuild"];
    let mut first = start_armed(&case.site, &rebuild, place, 1, "stop")?;
    wait_stopped(&first)?;
    case.publish()?;
    let second = case.site.run(&rebuild)?;
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    case.wait_summed_up()?;
    first.signal(Signal::SIGCONT)?;
    assert!(first.wait_end()?.success(), "{}", first.log_tail());
    case.ends_well(&mut [&mut service])
}

fn replay_succeeds(site: &Site) -> Result<()> {
    let output = site.run(&REPLAY)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The service that sums up goes by the old rules until it is started again, so no more records come meanwhile.
fn held_up_in_replay(mut case: Case, place: &str, meanwhile: impl FnOnce(&Site) -> Result<()>) -> Result<()> {
    let mut service = case.site.serve()?;
    case.wait_summed_up()?;
    case.site.set("ingest.allow_negative_units", true)?;
    let mut first = start_armed(&case.site, &REPLAY, place, 1, "stop")?;
    wait_stopped(&first)?;
    meanwhile(&case.site)?;
    case.wait_summed_up()?;
    first.signal(Signal::SIGCONT)?;
    assert!(first.wait_end()?.success(), "{}", first.log_tail());
    check::all_is_as_expected(&case.site, &service.client())?;
    service.kill()?;
    service.start_again()?;
    case.ends_well(&mut [&mut service])
}

/// Another process, which has all partitions.
pub(crate) fn take_over(case: &Case) -> Result<Service> {
    let mut second = case.site.start(&["serve"], "second")?;
    let assigned = || second.metric("meterhouse_partitions", &[("state", "assigned")]);
    wait::until_is("the other process to take over", assigned, |assigned| *assigned == 4)?;
    second.wait_ready()?;
    Ok(second)
}
