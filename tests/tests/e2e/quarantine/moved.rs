//! Replays of events that are stored on other keys already.

use anyhow::Result;
use meterhouse_tests::check::history_lines;
use meterhouse_tests::wait;

use super::{EXTENDED, replay, stored, strict, usage, verify};

/// Whoever judges does not see what others store meanwhile, so the sweep is to look at all that a replay stores, and not
/// only when a pass over all evidence comes there.
#[test]
fn a_replayed_amendment_that_moves_its_event_is_suspected_at_once() -> Result<()> {
    let mut site = strict("replay_moved")?;
    site.set("sweep.interval_ms", 600_000)?;
    let created = usage("moved", "cpu").with("Units", "5");
    let amendment =
        usage("moved", "gpu").with("Units", "7").with("Action", "amend").with_json("Revision", "1");
    site.publisher()?.publish(&[created.message(), amendment.message()])?;
    let mut service = stored(&site)?;
    site.write_catalog(EXTENDED)?;
    assert_eq!(replay(&site, &[])?.1["stored"].as_u64(), Some(1));
    let live = || site.count("SELECT count() FROM usage_events FINAL");
    assert_eq!(live()?, 2, "nobody has looked since");
    let suspected =
        "SELECT count() FROM suspects WHERE identity_hash IN (SELECT identity_hash FROM identities)";
    assert_eq!(site.count(suspected)?, 1);
    service.terminate()?;
    service.start_again()?;
    wait::until_is("the event to count on one key", live, |live| *live == 1)?;
    service.wait_ready()?;
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 compute 7.0"]);
    verify(&site)
}
