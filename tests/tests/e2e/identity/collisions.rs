//! Two events whose identities have one hash: 64 bits are not enough to tell all events apart, their texts are.

use anyhow::Result;
use meterhouse_tests::check::{all_is_as_expected, history_lines};
use meterhouse_tests::{Service, Site, wait};

use super::copies::{after, amended, creation, site};

/// In subscription `S`, these two really have one hash: they were searched for.
const ALIKE: [&str; 2] = ["dedb6f0a1859d198", "791c710b7dd6ba45"];

fn share_a_hash(site: &Site) -> Result<()> {
    let hashes = site.count("SELECT uniqExact(identity_hash) FROM identities WHERE content_hash != 0")?;
    assert_eq!(hashes, 1, "the hash of identities is another one: search two others");
    Ok(())
}

/// Two whole passes later all is as it was.
fn passes_change_nothing(site: &Site, service: &Service) -> Result<()> {
    let passes = || service.metric("meterhouse_sweep_passes_total", &[]);
    let begun = passes()?;
    wait::until_is("two passes", passes, |passes| *passes > begun + 1)?;
    all_is_as_expected(site, &service.client())?;
    Ok(())
}

#[test]
fn on_one_key_or_several_both_count() -> Result<()> {
    for (name, option) in [("collide_on_one_key", "cpu"), ("collide_on_two_keys", "disk")] {
        let site = site(name)?;
        let (service, publisher) = (site.serve()?, site.publisher()?);
        let other = creation(ALIKE[1], "2").with("OptionCode", option);
        publisher.publish(&[after(&creation(ALIKE[0], "1"), 1), after(&other, 2), after(&other, 3)])?;
        let expected = all_is_as_expected(&site, &service.client())?;
        assert_eq!((expected.events, expected.conflicts.len()), (2, 0));
        share_a_hash(&site)?;
        passes_change_nothing(&site, &service)?;
        assert_eq!(site.stored_rejects()?.len(), 0);
        assert_eq!(service.metric("meterhouse_sweep_tombstones_total", &[])?, 0);
    }
    Ok(())
}

#[test]
fn what_is_wrong_with_one_of_them_is_seen_to_and_the_other_one_stays() -> Result<()> {
    let site = site("collide_and_conflict")?;
    let (service, publisher) = (site.serve()?, site.publisher()?);
    publisher.publish(&[
        after(&creation(ALIKE[0], "1"), 1),
        after(&creation(ALIKE[1], "2"), 2),
        // In conflict with the first: on another key, and on the key that both have.
        after(&creation(ALIKE[0], "4").with("OptionCode", "disk"), 3),
        after(&creation(ALIKE[0], "8"), 4),
    ])?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!((expected.events, expected.conflicts.len()), (2, 2));
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 3.0"]);
    publisher.publish([&after(&amended(creation(ALIKE[1], "16").on("2026-11-03"), 1), 5)])?;
    all_is_as_expected(&site, &service.client())?;
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 1.0", "11.2026 cpu 16.0"]);
    share_a_hash(&site)?;
    // Also if all is judged again, now that tombstones are there.
    site.query("TRUNCATE TABLE settlements")?;
    passes_change_nothing(&site, &service)
}
