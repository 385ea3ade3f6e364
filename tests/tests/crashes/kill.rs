//! SIGKILL at each place.

use std::os::unix::process::ExitStatusExt;

use anyhow::Result;
use meterhouse_tests::{Service, check};
use nix::sys::signal::Signal;

use crate::case::{Case, INSERT_MS, start_armed};
use crate::places::{PLACES, Way, every_place};
use crate::refused;

/// Short: whoever comes after a killed process waits so long for its partitions.
const SESSION_MS: u64 = 1500;

/// Later passes of places that are passed often.
const LATER: [u32; 2] = [2, 5];

macro_rules! tests {
    ($($place:ident: $way:ident,)*) => {
        $(
            #[test]
            fn $place() -> Result<()> {
                killed_at(stringify!($place), 1, Way::$way)
            }
        )*
    };
}
every_place!(tests);

#[test]
#[ignore = "takes minutes: make crashes"]
fn anywhere_later() -> Result<()> {
    let often = PLACES.iter().filter(|(_, way)| *way == Way::Start);
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
    // A command tries once, and its user again: here it is to have the time that it needs.
    case.limit_inserts(10_000)?;
    case.site.set("ingest.allow_negative_units", true)?;
    let replay = ["rejects", "replay", "--reason", "negative_units"];
    is_killed(&mut start_armed(&case.site, &replay, place, 1, "kill")?, place)?;
    let again = case.site.run(&replay)?;
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(case.site.stored_rejects()?.get("negative_units"), None);
    case.limit_inserts(INSERT_MS)?;
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
