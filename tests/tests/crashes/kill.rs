//! SIGKILL at each place.

use std::os::unix::process::ExitStatusExt;

use anyhow::Result;
use meterhouse_tests::{Service, check};
use nix::sys::signal::Signal;

use crate::case::{Case, start_armed};
use crate::refused;

/// Short: whoever comes after a killed process waits so long for its partitions.
const SESSION_MS: u64 = 1500;

/// Later passes of places that are passed often.
const LATER: [u32; 2] = [2, 5];

/// What has a process pass a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It starts, and reads.
    Start,
    /// The same, and passes the place once.
    Once,
    /// Another one joins the group.
    Join,
    /// It is asked to end.
    End,
    /// The database refuses records.
    Refuse,
    /// Sums by day are made again.
    Rebuild,
    /// Rejects are judged again, by other rules.
    Replay,
}

macro_rules! places {
    ($($place:ident: $way:ident,)*) => {
        /// All places with a test, in the order of the code's list.
        pub(crate) const PLACES: &[&str] = &[$(stringify!($place)),*];
        const WAYS: &[Way] = &[$(Way::$way),*];
        $(
            #[test]
            fn $place() -> Result<()> {
                killed_at(stringify!($place), 1, Way::$way)
            }
        )*
    };
}

places! {
    migration_executed: Start,
    migration_recorded: Start,
    zone_pinned: Once,
    assignment_given: Once,
    openings_known: Once,
    openings_inserted: Once,
    assignment_positions_known: Once,
    assignment_taken: Once,
    assignment_ended: Join,
    record_pushed: Start,
    batch_closed: Start,
    batch_sealed: Start,
    rejects_inserted: Start,
    first_mark_inserted: Start,
    rows_due: Start,
    events_inserted: Start,
    identities_inserted: Start,
    events_written: Start,
    accepted_inserted: Refuse,
    refused_quarantined: Refuse,
    rejects_mirrored: Start,
    batch_stored: Start,
    ledger_inserted: Start,
    batch_accounted: Start,
    before_commit: Start,
    after_commit: Start,
    drained: End,
    scan_timed: Start,
    scan_recomputed: Start,
    rebuild_marked: Rebuild,
    copies_judged: Start,
    tombstones_written: Start,
    conflicts_quarantined: Start,
    copies_settled: Start,
    replay_stored: Replay,
    replay_noted: Replay,
}

#[test]
#[ignore = "takes minutes: make crashes"]
fn anywhere_later() -> Result<()> {
    let often = PLACES.iter().zip(WAYS).filter(|(_, way)| **way == Way::Start);
    for (place, way) in often {
        LATER.iter().try_for_each(|hit| killed_at(place, *hit, *way))?;
    }
    Ok(())
}

fn killed_at(place: &str, hit: u32, way: Way) -> Result<()> {
    let case = Case::new(&format!("kill_{place}_{hit}"), SESSION_MS)?;
    match way {
        Way::Refuse => return refused::killed_at(case, place, hit),
        Way::Rebuild => return killed_in_rebuild(case, place),
        Way::Replay => return killed_in_replay(case, place),
        _ => {}
    }
    let mut service = start_armed(&case.site, &["serve"], place, hit, "kill")?;
    let mut other = None;
    match way {
        Way::Start | Way::Once | Way::Refuse | Way::Rebuild | Way::Replay => {}
        Way::Join => {
            service.wait_ready()?;
            other = Some(case.site.start(&["serve"], "other")?);
        }
        Way::End => {
            service.wait_ready()?;
            service.signal(Signal::SIGTERM)?;
        }
    }
    is_killed(&mut service, place)?;
    service.set_variables(&[]);
    service.start_again()?;
    let mut services: Vec<&mut Service> = [&mut service].into_iter().chain(other.as_mut()).collect();
    case.ends_well(&mut services)
}

fn killed_in_rebuild(case: Case, place: &str) -> Result<()> {
    let mut service = case.site.serve()?;
    case.wait_summed_up()?;
    let rebuild = ["rollup", "rebuild"];
    is_killed(&mut start_armed(&case.site, &rebuild, place, 1, "kill")?, place)?;
    check::all_is_as_expected(&case.site, &service.client())?;
    let again = case.site.run(&rebuild)?;
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    case.ends_well(&mut [&mut service])
}

fn killed_in_replay(mut case: Case, place: &str) -> Result<()> {
    let mut service = case.site.serve()?;
    case.wait_summed_up()?;
    service.kill()?;
    case.site.set("ingest.allow_negative_units", true)?;
    let replay = ["rejects", "replay", "--reason", "negative_units"];
    is_killed(&mut start_armed(&case.site, &replay, place, 1, "kill")?, place)?;
    let again = case.site.run(&replay)?;
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(case.site.stored_rejects()?.get("negative_units"), None);
    service.start_again()?;
    case.ends_well(&mut [&mut service])
}

pub(crate) fn is_killed(service: &mut Service, place: &str) -> Result<()> {
    let status = service.wait_end()?;
    assert_eq!(status.signal(), Some(Signal::SIGKILL as i32), "{place}: {}", service.log_tail());
    let told = format!("name=\"{place}\"");
    let log = service.log();
    assert!(log.contains("crash point") && log.contains(&told), "{}", service.log_tail());
    Ok(())
}
