//! Events that tests write copies of.

use anyhow::Result;
use meterhouse_tests::{Message, Site, Usage};

/// 2026-11-24T12:00:00Z.
pub(crate) const NOW_MS: i64 = 1_795_521_600_000;

/// A site whose service looks for copies that differ all the time.
pub(crate) fn site(name: &str) -> Result<Site> {
    let mut site = Site::new(name)?;
    site.set("sweep.interval_ms", 50)?;
    Ok(site)
}

/// A creation of the event of this id.
pub(crate) fn creation(id: &str, units: &str) -> Usage {
    Usage::default().with("EventId", id).with("Units", units)
}

pub(crate) fn amended(usage: Usage, revision: u32) -> Usage {
    usage.with("Action", "amend").with_json("Revision", &revision.to_string())
}

pub(crate) fn deleted(usage: Usage, revision: u32) -> Usage {
    usage.with("Action", "delete").with_json("Revision", &revision.to_string())
}

/// Its record, so many milliseconds after `NOW_MS`.
pub(crate) fn after(usage: &Usage, milliseconds: i64) -> Message {
    usage.message().at(NOW_MS + milliseconds)
}

/// All orders of so many things.
pub(crate) fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1);
    let longer = shorter.iter().flat_map(|order| {
        (0..count).map(move |place| {
            let mut order = order.clone();
            order.insert(place, count - 1);
            order
        })
    });
    longer.collect()
}
