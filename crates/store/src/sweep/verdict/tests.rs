use meterhouse_model::IdentityHash;

use super::*;

const DAY: i64 = 86_400_000_000;

/// A key of subscription `S`, by option and date.
fn key(identity: &str, option: &str, date: i64) -> RowKey {
    RowKey {
        customer: "c".into(),
        subscription: "S".into(),
        option_code: option.into(),
        identity: identity.into(),
        billed_at: date * DAY,
        billing_day: i32::try_from(date).unwrap(),
        version: Version(0),
        tombstone: Version(0),
    }
}

/// A creation; the earlier its offset, the higher its version.
fn creation(key: &RowKey, offset: i64, content_hash: u64) -> EventCopy {
    EventCopy {
        identity_hash: key.identity_hash(),
        topic: "t".into(),
        partition: 0,
        offset,
        index: 0,
        record_time: offset,
        content_hash,
        key_hash: key.hash(),
        version: Version::creation(Some(offset), 0, offset, 0),
    }
}

fn amendment(key: &RowKey, offset: i64, revision: u32) -> EventCopy {
    EventCopy {
        version: Version::change(revision, false, 0, offset, 0),
        ..creation(key, offset, 1000 + u64::from(revision))
    }
}

/// The keys as the table has them once all of these copies are stored.
fn stored(mut keys: Vec<RowKey>, copies: &[EventCopy]) -> Vec<RowKey> {
    for key in &mut keys {
        let own = copies.iter().filter(|copy| copy.key_hash == key.hash());
        key.version = own.map(|copy| copy.version).max().unwrap_or(key.version).max(key.version);
    }
    keys
}

fn case(keys: Vec<RowKey>, copies: Vec<EventCopy>) -> Case {
    Case { hash: keys[0].identity_hash(), keys: stored(keys, &copies), copies }
}

/// Offsets of the creations that are in conflict, and of those that state the same as the one that wins.
fn standings(case: &Case) -> (Vec<i64>, Vec<i64>) {
    let verdict = case.judge().unwrap();
    let (mut conflicts, mut equals) = (Vec::new(), Vec::new());
    for copy in case.copies.iter().filter(|copy| copy.version.is_creation()) {
        match verdict.standing(copy) {
            Standing::Conflict(_) => conflicts.push(copy.offset),
            Standing::Equal => equals.push(copy.offset),
            Standing::Winner => {}
            Standing::Unknown => panic!("{copy:?}"),
        }
    }
    (conflicts, equals)
}

fn tombstones(case: &Case) -> Vec<Tombstone> {
    case.judge().unwrap().tombstones
}

#[test]
fn the_first_creation_wins_and_others_are_equal_or_in_conflict() {
    let key = key("e:1:e", "a", 1);
    let copies = [creation(&key, 5, 1), creation(&key, 7, 2), creation(&key, 6, 1)];
    let case = case(vec![key.clone()], copies.to_vec());
    assert_eq!(tombstones(&case), []);
    assert_eq!(standings(&case), (vec![7], vec![6]));
    let verdict = case.judge().unwrap();
    assert_eq!(verdict.standing(&copies[1]), Standing::Conflict(&copies[0]));
    // What has come meanwhile may win: it is not judged.
    assert_eq!(verdict.standing(&creation(&key, 4, 3)), Standing::Unknown);
    assert_eq!(verdict.standing(&creation(&key, 8, 3)), Standing::Conflict(&copies[0]));
}

#[test]
fn every_other_key_gets_a_tombstone_of_the_winner() {
    let keys = vec![key("e:1:e", "a", 1), key("e:1:e", "b", 1), key("e:1:e", "a", 2)];
    let copies = vec![creation(&keys[0], 5, 1), amendment(&keys[1], 8, 1), creation(&keys[2], 6, 2)];
    let case = case(keys, copies.clone());
    let tombstones = tombstones(&case);
    let rows: Vec<_> = tombstones.iter().map(|t| (t.row.option_code.as_str(), t.row.billing_day)).collect();
    assert_eq!(rows, [("a", 1), ("a", 2)]);
    assert!(tombstones.iter().all(|tombstone| tombstone.winner == copies[1]));
    // A change is no creation: the first of these still decides what is a conflict.
    assert_eq!(standings(&case), (vec![6], vec![]));
}

#[test]
fn what_is_there_already_is_not_written_again() {
    let keys = vec![key("e:1:e", "a", 1), key("e:1:e", "b", 1)];
    let copies = vec![creation(&keys[0], 5, 1), amendment(&keys[1], 8, 1)];
    let mut case = case(keys, copies.clone());
    case.keys[0].tombstone = copies[1].version;
    case.keys[0].version = copies[1].version;
    assert_eq!(tombstones(&case), []);
    // A lower one is not enough: copies between the two may come.
    case.keys[0].tombstone = Version(copies[1].version.0 - 1);
    assert_eq!(tombstones(&case).len(), 1);
}

#[test]
fn nothing_is_done_until_all_keys_and_the_winning_row_are_there() {
    let keys = vec![key("e:1:e", "a", 1), key("e:1:e", "b", 1)];
    let copies = vec![creation(&keys[0], 5, 1), creation(&keys[1], 6, 2)];
    let whole = case(keys, copies);
    let without_key = Case { keys: whole.keys[..1].to_vec(), ..whole.clone() };
    assert!(without_key.judge().is_none());
    let mut without_row = whole.clone();
    without_row.keys[0].version = Version(0);
    assert!(without_row.judge().is_none());
    assert_eq!(tombstones(&whole).len(), 1);
    assert_eq!(whole.judge().unwrap().standing(&creation(&key("e:1:e", "c", 1), 7, 3)), Standing::Unknown);
}

#[test]
fn equal_versions_of_logs_that_were_made_anew_have_one_winner() {
    let keys = vec![key("e:1:e", "a", 1), key("e:1:e", "b", 1)];
    let (early, late) =
        (amendment(&keys[0], 8, 1), EventCopy { record_time: 9, ..amendment(&keys[1], 8, 1) });
    assert_eq!(early.version, late.version);
    for copies in [vec![early.clone(), late.clone()], vec![late, early.clone()]] {
        let tombstones = tombstones(&case(keys.clone(), copies));
        assert_eq!(tombstones.len(), 1);
        assert_eq!(tombstones[0].winner, early);
        assert_eq!(tombstones[0].row.option_code, "b");
    }
}

/// Two event ids whose identities in subscription `S` really have one hash.
const ALIKE: [&str; 2] = ["e:16:dedb6f0a1859d198", "e:16:791c710b7dd6ba45"];

#[test]
fn identities_that_share_a_hash_are_told_apart() {
    let hash = IdentityHash::of("S", ALIKE[0].as_bytes());
    assert_eq!(hash, IdentityHash::of("S", ALIKE[1].as_bytes()));
    // On different keys.
    let keys = vec![key(ALIKE[0], "a", 1), key(ALIKE[1], "b", 1)];
    let copies = vec![creation(&keys[0], 5, 1), creation(&keys[1], 6, 2)];
    let apart = case(keys, copies.clone());
    assert_eq!((tombstones(&apart), standings(&apart)), (vec![], (vec![], vec![])));
    // With the same customer, date and option.
    let keys = vec![key(ALIKE[0], "a", 1), key(ALIKE[1], "a", 1)];
    assert_ne!(keys[0].hash(), keys[1].hash());
    let copies = vec![creation(&keys[0], 5, 1), creation(&keys[1], 6, 2)];
    let together = case(keys, copies);
    assert_eq!((tombstones(&together), standings(&together)), (vec![], (vec![], vec![])));
}

#[test]
fn what_is_wrong_with_one_of_two_that_share_a_hash_is_seen_to() {
    let keys =
        vec![key(ALIKE[0], "a", 1), key(ALIKE[0], "b", 1), key(ALIKE[1], "a", 1), key(ALIKE[1], "a", 2)];
    let copies = vec![
        creation(&keys[0], 5, 1),
        creation(&keys[0], 9, 3),
        creation(&keys[1], 6, 2),
        creation(&keys[2], 7, 4),
        amendment(&keys[3], 8, 1),
    ];
    let mut case = case(keys, copies);
    let lacking = tombstones(&case);
    let rows: Vec<_> = lacking
        .iter()
        .map(|t| (t.row.identity.as_str(), t.row.option_code.as_str(), t.winner.offset))
        .collect();
    assert_eq!(rows, [(ALIKE[0], "b", 5), (ALIKE[1], "a", 8)]);
    let conflicts = (vec![9, 6], vec![]);
    assert_eq!(standings(&case), conflicts);
    // With the tombstones in place it is still so.
    for key in [1, 2] {
        case.keys[key].version = lacking[key - 1].winner.version.max(case.keys[key].version);
        case.keys[key].tombstone = lacking[key - 1].winner.version;
    }
    assert_eq!((tombstones(&case), standings(&case)), (vec![], conflicts));
}
