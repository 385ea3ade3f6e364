//! Copies that differ in every order of arrival: the oracle says what counts and which are in conflict.

use anyhow::Result;
use meterhouse_tests::check::{all_is_as_expected, all_is_as_expected_rolled_up};
use meterhouse_tests::{Message, Usage, audit};

use super::copies::{after, amended, creation, deleted, permutations, site};

/// Makes a copy of the event of an id.
type Copy = fn(&str) -> Usage;

/// Four copies each, with the times of their records: which copy counts must not depend on the order in which they come.
const STORIES: [(&str, [(Copy, i64); 4]); 5] = [
    (
        "creations on four keys",
        [
            (|id| creation(id, "1"), 1),
            (|id| creation(id, "2").with("OptionCode", "disk"), 2),
            (|id| creation(id, "4").on("2026-11-03"), 3),
            (|id| creation(id, "8").with("Customer", "d"), 4),
        ],
    ),
    (
        "creations on one key, two and two equal",
        [
            (|id| creation(id, "1"), 1),
            (|id| creation(id, "2"), 2),
            (|id| creation(id, "1"), 3),
            (|id| creation(id, "2"), 4),
        ],
    ),
    (
        "amendments that move the event and a deletion of it",
        [
            (|id| creation(id, "1"), 1),
            (|id| amended(creation(id, "2").with("OptionCode", "disk"), 1), 2),
            (|id| amended(creation(id, "4").on("2026-11-03"), 2), 3),
            (|id| deleted(creation(id, "4"), 3), 4),
        ],
    ),
    (
        "amendments there and back, beside a conflict",
        [
            (|id| creation(id, "1"), 2),
            (|id| amended(creation(id, "2").on("2026-09-03"), 1), 1),
            (|id| amended(creation(id, "4"), 2), 4),
            (|id| creation(id, "8").with("OptionCode", "disk"), 3),
        ],
    ),
    (
        "a deletion and an amendment at one revision, beside a conflict",
        [
            (|id| creation(id, "1").with("Customer", "d"), 1),
            (|id| deleted(creation(id, "1").with("Customer", "d"), 1), 2),
            (|id| amended(creation(id, "2"), 1), 3),
            (|id| creation(id, "4"), 4),
        ],
    ),
];

/// Records of all stories in all orders, each order with an event of its own: the first ones of all, the second ones...
fn rounds() -> Vec<Vec<Message>> {
    let mut rounds = vec![Vec::new(); 4];
    for (story, (_, copies)) in STORIES.iter().enumerate() {
        for (number, order) in permutations(4).iter().enumerate() {
            let id = format!("{story}-{number}");
            for (round, copy) in order.iter().enumerate() {
                let (usage, time) = copies[*copy];
                let partition = i32::try_from((number + copy) % 4).unwrap_or_default();
                rounds[round].push(after(&usage(&id), time).to(partition));
            }
        }
    }
    rounds
}

#[test]
fn one_after_the_other_with_the_sweep_in_between() -> Result<()> {
    let site = site("orders_apart")?;
    let (service, publisher) = (site.serve()?, site.publisher()?);
    for round in rounds() {
        publisher.publish(&round)?;
        all_is_as_expected(&site, &service.client())?;
        // What comes next finds sums by day that it makes wrong.
        site.wait_rolled_up()?;
    }
    all_is_as_expected_rolled_up(&site, &service.client())?;
    audit::verify(&site)
}

#[test]
fn all_in_one_batch_before_and_after_merges() -> Result<()> {
    let site = site("orders_together")?;
    site.publisher()?.publish(rounds().iter().flatten())?;
    let service = site.serve()?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!(expected.copies, 5 * 24 * 4);
    assert!(!expected.conflicts.is_empty());
    site.query("OPTIMIZE TABLE usage_events FINAL")?;
    site.query("OPTIMIZE TABLE identities FINAL")?;
    all_is_as_expected(&site, &service.client())?;
    audit::verify(&site)
}

#[test]
fn one_after_the_other_without_a_sweep_in_between_and_without_merges() -> Result<()> {
    let mut site = site("orders_late")?;
    site.set("sweep.interval_ms", 600_000)?;
    let mut service = site.serve()?;
    for table in ["usage_events", "identities", "rejects", "settlements"] {
        site.query(&format!("SYSTEM STOP MERGES {table}"))?;
    }
    let publisher = site.publisher()?;
    for round in rounds() {
        publisher.publish(&round)?;
        site.wait_consumed()?;
    }
    assert_eq!(site.stored_conflicts()?.len(), 0, "nobody has looked");
    service.kill()?;
    site.set("sweep.interval_ms", 50)?;
    service.start_again()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service.client())?;
    Ok(())
}
