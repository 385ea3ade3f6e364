//! The order of copies of one event.

use std::borrow::Cow;

use meterhouse_model::{Change, CloudEventHeaders, Day, Event, Identity, Record, Units, Version};
use proptest::prelude::*;

/// One copy: what it does, and where it stands.
#[derive(Debug, Clone, Copy)]
struct Copy {
    change: Change,
    timestamp_ms: Option<i64>,
    partition: i32,
    offset: i64,
    index: u16,
    from_api: bool,
}

const CREATION: Copy = Copy {
    change: Change::Create,
    timestamp_ms: Some(2000),
    partition: 5,
    offset: 100,
    index: 2,
    from_api: false,
};
const AMENDMENT: Copy = Copy { change: Change::Amend(3), ..CREATION };
const DELETION: Copy = Copy { change: Change::Delete(3), ..CREATION };

fn version(copy: Copy) -> Version {
    let event = Event {
        subscription: Cow::Borrowed("s"),
        option_code: Cow::Borrowed("o"),
        customer: Cow::Borrowed(""),
        description: Cow::Borrowed(""),
        identity: Identity::EventId(Cow::Borrowed("e")),
        index: copy.index,
        start: 0,
        end: 0,
        billed_at: 0,
        billing_day: Day(0),
        units: Units::ZERO,
        renewal_order_reference: None,
        change: copy.change,
        origin: copy.from_api.then_some(Cow::Borrowed("{}")),
    };
    event.version(&Record {
        topic: "t",
        partition: copy.partition,
        offset: copy.offset,
        timestamp_ms: copy.timestamp_ms,
        value: None,
        content_type: None,
        cloud_event: CloudEventHeaders::default(),
    })
}

#[test]
fn the_winner_has_the_higher_version() {
    let api = Copy { from_api: true, ..CREATION };
    let table = [
        // Of creations the first in Kafka's order: timestamp, partition, offset, index.
        (
            "earlier timestamp",
            Copy { timestamp_ms: Some(1999), partition: 9, offset: 999, index: 9, ..CREATION },
            CREATION,
        ),
        ("lower partition", Copy { partition: 4, offset: 999, index: 9, ..CREATION }, CREATION),
        ("lower offset", Copy { offset: 99, index: 9, ..CREATION }, CREATION),
        ("lower index", Copy { index: 1, ..CREATION }, CREATION),
        // The clock decides nothing between creations of the API.
        ("api: lower partition", Copy { partition: 4, timestamp_ms: Some(9000), ..api }, api),
        ("api: lower offset", Copy { offset: 99, timestamp_ms: Some(9000), ..api }, api),
        ("api: before a producer's copy", Copy { offset: 999, timestamp_ms: Some(9000), ..api }, CREATION),
        // Every change wins over every creation.
        (
            "any change",
            Copy { change: Change::Amend(1), offset: 1_000_000, timestamp_ms: Some(9000), ..CREATION },
            CREATION,
        ),
        ("any deletion", Copy { change: Change::Delete(1), offset: 1_000_000, ..CREATION }, api),
        // Of changes the higher revision, whatever they do and wherever they stand.
        (
            "higher revision",
            Copy { change: Change::Amend(4), partition: 9, offset: 999, index: 9, ..CREATION },
            DELETION,
        ),
        ("highest revision", Copy { change: Change::Amend(i32::MAX.unsigned_abs()), ..CREATION }, DELETION),
        (
            "higher deletion",
            Copy { change: Change::Delete(4), partition: 9, offset: 999, index: 9, ..CREATION },
            AMENDMENT,
        ),
        // At the same revision deletion before amendment, then the lower partition, offset and index.
        ("deletion", Copy { partition: 9, offset: 999, index: 9, ..DELETION }, AMENDMENT),
        ("change: lower partition", Copy { partition: 4, offset: 999, index: 9, ..AMENDMENT }, AMENDMENT),
        ("change: lower offset", Copy { offset: 99, index: 9, ..AMENDMENT }, AMENDMENT),
        ("change: lower index", Copy { index: 1, ..AMENDMENT }, AMENDMENT),
        ("deletion: lower offset", Copy { offset: 99, index: 9, ..DELETION }, DELETION),
        // What has no timestamp counts as the earliest.
        ("no timestamp", Copy { timestamp_ms: None, offset: 999, ..CREATION }, CREATION),
    ];
    for (rule, winner, loser) in table {
        assert!(version(winner) > version(loser), "{rule}: {winner:?} against {loser:?}");
    }
}

#[test]
fn the_clock_decides_nothing_between_changes() {
    assert_eq!(version(Copy { timestamp_ms: Some(1), ..AMENDMENT }), version(AMENDMENT));
    assert_eq!(version(Copy { from_api: true, ..AMENDMENT }), version(AMENDMENT));
}

#[test]
fn fields_end_at_their_limits() {
    let largest = Version::creation(Some(i64::MAX), i32::MAX, i64::MAX, u16::MAX);
    assert_eq!(largest, Version(0), "the last of all creations");
    let first = Version::creation(Some(i64::MIN), i32::MIN, i64::MIN, 0);
    assert_eq!(first.0 >> 125, 0, "a creation, however early");
    assert_eq!(
        Version::change(u32::MAX, true, 0, 0, 0),
        Version::change(i32::MAX.unsigned_abs(), true, 0, 0, 0)
    );
    assert!(Version::change(1, false, i32::MAX, i64::MAX, u16::MAX) > first);
    assert!(Version::change(u32::MAX, true, 0, 0, 0).0 < 1 << 127);
}

#[test]
fn values_are_told_apart_up_to_the_limits() {
    let creation = |timestamp_ms, partition, offset, index| {
        Version::creation(Some(timestamp_ms), partition, offset, index)
    };
    let (timestamp, partition, offset) = ((1 << 45) - 1, (1 << 20) - 1, (1 << 50) - 1);
    assert!(creation(timestamp - 1, 0, 0, 0) > creation(timestamp, 0, 0, 0));
    assert!(creation(0, partition - 1, 0, 0) > creation(0, partition, 0, 0));
    assert!(creation(0, 0, offset - 1, 0) > creation(0, 0, offset, 0));
    // A record holds 1,000 events.
    assert!(creation(0, 0, 0, 998) > creation(0, 0, 0, 999));
    let revision = i32::MAX.unsigned_abs();
    assert!(Version::change(revision - 1, true, 0, 0, 0) < Version::change(revision, false, 0, 0, 999));
}

#[test]
fn revisions_and_deletions_of_events() {
    let event = |change| (version(Copy { change, ..CREATION }), change);
    assert_eq!(event(Change::Create).0, Version::creation(Some(2000), 5, 100, 2));
    assert_eq!(event(Change::Amend(3)).0, Version::change(3, false, 5, 100, 2));
    assert_eq!(event(Change::Delete(3)).0, Version::change(3, true, 5, 100, 2));
}

#[test]
fn bounds_are_between_the_copies_that_they_tell_apart() {
    let last = (i32::MAX, i64::MAX, u16::MAX);
    let change = |revision, delete, (partition, offset, index)| {
        Version::change(revision, delete, partition, offset, index)
    };
    assert!(change(2, true, (0, 0, 0)) < Version::before_revision(3));
    assert_eq!(Version::before_revision(3), change(3, false, last));
    assert!(change(3, false, (0, 0, 0)) < Version::before_deletion(3));
    assert_eq!(Version::before_deletion(3), change(3, true, last));
}

/// The order as the documentation words it: the greater one wins.
fn rank(copy: Copy) -> impl Ord {
    let (kind, revision, delete) = match copy.change {
        Change::Create => (0, 0, false),
        Change::Amend(revision) => (1, revision, false),
        Change::Delete(revision) => (1, revision, true),
    };
    let timestamp = if kind == 1 || copy.from_api { 0 } else { copy.timestamp_ms.unwrap_or(0) };
    (kind, revision, delete, -timestamp, -i64::from(copy.partition), -copy.offset, -i32::from(copy.index))
}

fn copies() -> impl Strategy<Value = Copy> {
    let change = prop_oneof![
        Just(Change::Create),
        (1..4_u32).prop_map(Change::Amend),
        (1..4_u32).prop_map(Change::Delete),
        (1..=i32::MAX.unsigned_abs()).prop_map(Change::Amend)
    ];
    let timestamp = prop_oneof![(0..3_i64).prop_map(Some), (0..1_i64 << 45).prop_map(Some), Just(None)];
    let partition = prop_oneof![0..3, 0..1 << 20];
    let offset = prop_oneof![0..3_i64, 0..1_i64 << 50];
    let place = (change, timestamp, partition, offset, prop_oneof![0..3_u16, 0..1000_u16], any::<bool>());
    place.prop_map(|(change, timestamp_ms, partition, offset, index, from_api)| Copy {
        change,
        timestamp_ms,
        partition,
        offset,
        index,
        from_api,
    })
}

proptest! {
    #![proptest_config(crate::cases(5000))]

    #[test]
    fn versions_are_in_the_documented_order(a in copies(), b in copies()) {
        prop_assert_eq!(version(a).cmp(&version(b)), rank(a).cmp(&rank(b)));
    }
}

#[test]
fn a_version_tells_what_its_copy_does() {
    for (copy, is_creation, revision) in [
        (CREATION, true, 0),
        (Copy { timestamp_ms: None, partition: 0, offset: 0, index: 0, ..CREATION }, true, 0),
        (AMENDMENT, false, 3),
        (DELETION, false, 3),
        (Copy { change: Change::Amend(1), offset: 0, ..CREATION }, false, 1),
        (
            Copy { change: Change::Delete(i32::MAX.unsigned_abs()), ..CREATION },
            false,
            i32::MAX.unsigned_abs(),
        ),
    ] {
        let version = version(copy);
        assert_eq!((version.is_creation(), version.revision()), (is_creation, revision), "{copy:?}");
    }
}
