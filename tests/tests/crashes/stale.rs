//! A process that has judged copies of an event, and stands still while more of them come and others judge anew: what it
//! knows is out of date when it goes on.

use anyhow::Result;
use meterhouse_tests::{Message, Service, Site, Usage, audit, check, wait};
use nix::sys::signal::Signal;

use crate::case::{start_armed, wait_stopped};

const SESSION_MS: u64 = 2000;
/// 2026-11-24T12:00:00Z.
const NOW_MS: i64 = 1_795_521_600_000;

/// A copy of the one event: what it states, and how late it is in the order of copies.
fn copy(option_code: &str, rank: i64) -> Message {
    Usage::default().with("EventId", "e").with("OptionCode", option_code).message().at(NOW_MS + rank)
}

fn passes(service: &Service) -> Result<u64> {
    service.metric("meterhouse_sweep_passes_total", &[])
}

#[test]
fn what_others_have_noted_since_stays() -> Result<()> {
    a_verdict_out_of_date("stale_notes", true)
}

#[test]
fn what_is_no_conflict_any_more_does_not_become_one() -> Result<()> {
    a_verdict_out_of_date("stale_conflict", false)
}

/// The verdict is that one copy is in conflict, until an earlier one says the same as it does. Somebody else may have put it
/// into quarantine before that.
fn a_verdict_out_of_date(name: &str, is_noted_before: bool) -> Result<()> {
    let mut site = Site::new(name)?;
    site.set("ingest.session_timeout_ms", SESSION_MS)?;
    site.set("sweep.interval_ms", 100)?;
    // The longest pause between two passes on a machine that is busy.
    site.set("sweep.max_lag_seconds", 20)?;
    let publisher = site.publisher()?;
    // Two state the same, and the first of them wins over the other content.
    publisher.publish(&[copy("cpu", 200), copy("disk", 300), copy("disk", 100)])?;
    let mut stale = start_armed(&site, &["serve"], "copies_judged", 1, "stop")?;
    wait_stopped(&stale)?;
    // Now the other content wins, and both copies of the one that has won before are conflicts.
    let overtake = || publisher.publish(&[copy("cpu", 50)]);
    if !is_noted_before {
        overtake()?;
    }
    let mut other = site.start(&["serve"], "other")?;
    other.wait_ready()?;
    if is_noted_before {
        check::all_is_as_expected(&site, &other.client())?;
        overtake()?;
    }
    check::all_is_as_expected(&site, &other.client())?;
    stale.signal(Signal::SIGCONT)?;
    stale.wait_ready()?;
    let before = passes(&stale)?;
    wait::until_is("it to look again", || passes(&stale), |now| *now >= before + 2)?;
    check::all_is_as_expected(&site, &stale.client())?;
    audit::verify(&site)
}
