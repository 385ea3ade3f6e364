//! Copies that differ: found, judged by what the tables really hold, and settled.

use std::borrow::Cow;
use std::time::Duration;

use meterhouse_model::{Change, Event, Reason, Record, Reject};
use meterhouse_store::{
    Case, ConflictOutcome, EventBatch, EventCopy, HashRange, RecentCopies, RejectBatch, RejectedRecord,
    Standing, Unsettled, Winners, seal_tombstones,
};

use crate::database::{Database, shared};
use crate::sample::{at, event, record};

const END: &str = "2026-10-03T18:00:00Z";
const NOVEMBER: &str = "2026-11-03T18:00:00Z";
const ALL: HashRange = HashRange { first: 0, last: u64::MAX };

type Copies = Vec<(Event<'static>, Record<'static>)>;

fn creation(id: &str, units: &str) -> Event<'static> {
    event("s", id, at(END), units)
}

fn of_option(event: Event<'static>, option: &'static str) -> Event<'static> {
    Event { option_code: Cow::Borrowed(option), ..event }
}

async fn store(database: &Database<'_>, copies: &Copies, recent: &mut RecentCopies) -> u64 {
    let mut batch = EventBatch::default();
    for (event, record) in copies {
        batch.push(event, record);
    }
    let sealed = batch.seal_among(recent).unwrap();
    database.store().write(&sealed).await.unwrap();
    sealed.duplicates
}

async fn stored(copies: Copies) -> Database<'static> {
    let database = Database::migrated(shared()).await;
    for table in ["usage_events", "identities"] {
        database.run(&format!("SYSTEM STOP MERGES {table}")).await;
    }
    store(&database, &copies, &mut RecentCopies::default()).await;
    database
}

/// Merges a table whose merges were stopped, whatever the server has begun to merge by itself.
async fn merge(database: &Database<'_>, table: &str) {
    database.run(&format!("SYSTEM START MERGES {table}")).await;
    let parts = format!(
        "SELECT count() - uniqExact(partition_id) FROM system.parts \
         WHERE database = currentDatabase() AND table = '{table}' AND active"
    );
    for _ in 0..100 {
        database.run(&format!("OPTIMIZE TABLE {table} FINAL")).await;
        if database.one::<i64>(&parts).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{table} is not merged");
}

async fn found(database: &Database<'_>) -> Vec<Unsettled> {
    database.store().unsettled(ALL, 100).await.unwrap()
}

async fn cases(database: &Database<'_>) -> Vec<Case> {
    let hashes: Vec<u64> = found(database).await.iter().map(|found| found.identity_hash).collect();
    database.store().cases(&hashes).await.unwrap()
}

/// Does all that a sweep does about sums, and settles.
async fn sweep(database: &Database<'_>) {
    let (store, found) = (database.store(), found(database).await);
    for (case, found) in cases(database).await.iter().zip(found) {
        let Some(verdict) = case.judge() else { continue };
        if let Some(sealed) = seal_tombstones(&verdict.tombstones) {
            store.write(&sealed).await.unwrap();
        }
        store.settle(&[found.settlement()]).await.unwrap();
    }
}

async fn counted(database: &Database<'_>) -> Vec<String> {
    database
        .all("SELECT concat(option_code, ' ', toString(units)) FROM usage_events FINAL ORDER BY ALL")
        .await
}

#[tokio::test]
async fn copies_that_agree_are_not_found_even_if_they_are_there_twice() {
    let copies = vec![
        (creation("same", "1"), record(0, 1)),
        (creation("same", "1"), record(1, 2)),
        (creation("amended", "1"), record(0, 3)),
        (Event { change: Change::Amend(1), ..creation("amended", "2") }, record(0, 4)),
    ];
    let database = stored(copies.clone()).await;
    assert_eq!(found(&database).await, []);
    store(&database, &copies, &mut RecentCopies::default()).await;
    assert_eq!(database.one::<u64>("SELECT count() FROM identities").await, 8, "each is there twice");
    assert_eq!(found(&database).await, []);
}

#[tokio::test]
async fn copies_that_differ_are_found_until_they_are_settled_as_they_are() {
    let mut copies = vec![
        (creation("key", "1"), record(0, 1)),
        (of_option(creation("key", "1"), "other"), record(0, 2)),
        (creation("content", "1"), record(0, 3)),
        (creation("content", "2"), record(0, 4)),
        (creation("neither", "1"), record(0, 5)),
    ];
    let database = stored(copies.clone()).await;
    let unsettled = found(&database).await;
    assert_eq!(unsettled.iter().map(|found| found.copies).collect::<Vec<_>>(), [2, 2]);
    // By parts, and one at a time, they are the same.
    let (middle, hashes) = (unsettled[0].identity_hash, unsettled.clone());
    let low = database.store().unsettled(HashRange { last: middle, ..ALL }, 100).await.unwrap();
    let rest = database.store().unsettled(ALL.after(middle).unwrap(), 100).await.unwrap();
    assert_eq!([low, rest].concat(), hashes);
    assert_eq!(database.store().unsettled(ALL, 1).await.unwrap(), &hashes[..1]);

    sweep(&database).await;
    assert_eq!(counted(&database).await, ["scale 1", "scale 1", "scale 1"]);
    assert_eq!(found(&database).await, []);
    store(&database, &copies, &mut RecentCopies::default()).await;
    assert_eq!(found(&database).await, [], "the same copies again");
    // Another one: another state.
    copies.push((of_option(creation("key", "1"), "third"), record(0, 6)));
    store(&database, &copies, &mut RecentCopies::default()).await;
    assert_eq!(found(&database).await.iter().map(|found| found.copies).collect::<Vec<_>>(), [3]);
    sweep(&database).await;
    assert_eq!(counted(&database).await, ["scale 1", "scale 1", "scale 1"]);
    for table in ["usage_events", "identities", "settlements"] {
        merge(&database, table).await;
    }
    assert_eq!(counted(&database).await, ["scale 1", "scale 1", "scale 1"]);
    assert_eq!(found(&database).await, []);
}

#[tokio::test]
async fn suspects_are_found_at_once() {
    let database = Database::migrated(shared()).await;
    let mut recent = RecentCopies::default();
    let suspects = async || {
        let found = database.store().unsettled_suspects(Duration::from_secs(60), 100).await.unwrap();
        found.iter().map(|found| found.copies).collect::<Vec<_>>()
    };
    let first = vec![(creation("e", "1"), record(0, 1)), (creation("f", "1"), record(0, 2))];
    assert_eq!(store(&database, &first, &mut recent).await, 0);
    // Read again it is no copy, resent it is one.
    assert_eq!(store(&database, &first, &mut recent).await, 0);
    assert_eq!(store(&database, &vec![(creation("e", "1"), record(1, 1))], &mut recent).await, 1);
    assert_eq!(suspects().await, Vec::<u64>::new());
    assert_eq!(store(&database, &vec![(creation("e", "2"), record(1, 2))], &mut recent).await, 0);
    assert_eq!(suspects().await, [3]);
    let moved = Event { change: Change::Amend(1), ..event("s", "f", at(NOVEMBER), "1") };
    assert_eq!(store(&database, &vec![(moved, record(1, 3))], &mut recent).await, 0);
    let both = suspects().await;
    assert_eq!((both.len(), both.iter().sum::<u64>()), (2, 5));
    sweep(&database).await;
    assert_eq!(suspects().await, Vec::<u64>::new());
    let none = database.store().unsettled_suspects(Duration::ZERO, 100).await.unwrap();
    assert_eq!(none, []);
}

#[tokio::test]
async fn who_suspects_all_has_every_identity_looked_at_once() {
    let database = stored(vec![(creation("e", "1"), record(0, 1)), (creation("f", "1"), record(0, 2))]).await;
    let moved = |id| Event { change: Change::Amend(1), ..event("s", id, at(NOVEMBER), "1") };
    let mut batch = EventBatch::default();
    for (id, offset) in [("e", 3), ("new", 4), ("f", 5), ("e", 6)] {
        batch.push(&moved(id), &record(0, offset));
    }
    let sealed = batch.seal_suspecting_all().unwrap();
    database.store().write(&sealed).await.unwrap();
    assert_eq!(database.one::<u64>("SELECT count() FROM suspects").await, 3);
    let found = database.store().unsettled_suspects(Duration::from_secs(60), 100).await.unwrap();
    assert_eq!(found, self::found(&database).await);
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn a_case_holds_what_is_stored_and_a_tombstone_takes_it_away() {
    let amendment = Event { change: Change::Amend(7), ..event("s", "e", at(NOVEMBER), "2") };
    let copies = vec![(creation("e", "1"), record(3, 1)), (amendment, record(2, 9))];
    let database = stored(copies).await;
    let case = cases(&database).await.remove(0);
    assert_eq!((case.copies.len(), case.keys.len()), (2, 2));
    let tombstones = case.judge().unwrap().tombstones;
    let [tombstone] = &tombstones[..] else { panic!("{case:?}") };
    assert_eq!((tombstone.row.billed_at, tombstone.winner.offset), (at(END) - 1, 9));
    let marks = "SELECT count() FROM usage_daily WHERE kind = 'mark' AND date = '2026-10-03'";
    let before: u64 = database.one(marks).await;
    sweep(&database).await;
    assert!(database.one::<u64>(marks).await > before, "the date has to be summed again");
    assert_eq!(counted(&database).await, ["scale 2"]);
    let taken = "SELECT concat(toString(billing_day), ' ', toString(units), ' ', toString(revision), ' ', toString(partition), ' ', \
                 toString(offset), ' ', toString(identity = 'e:1:e')) FROM usage_events WHERE is_deleted = 1";
    assert_eq!(database.all::<String>(taken).await, ["2026-10-03 0 7 2 9 1"]);
    let evidence: u64 = database.one("SELECT count() FROM identities").await;
    assert_eq!(evidence, 2, "a tombstone is no copy");
    // What is there is known: nothing would be written again.
    database.run("TRUNCATE TABLE settlements").await;
    assert_eq!(cases(&database).await[0].judge().unwrap().tombstones, []);
}

#[tokio::test]
async fn evidence_whose_rows_are_not_there_yet_settles_nothing() {
    let copies =
        vec![(creation("e", "1"), record(0, 1)), (of_option(creation("e", "1"), "other"), record(0, 2))];
    let database = stored(copies.clone()).await;
    database.run("TRUNCATE TABLE usage_events").await;
    sweep(&database).await;
    assert_eq!(found(&database).await.len(), 1);
    store(&database, &copies, &mut RecentCopies::default()).await;
    sweep(&database).await;
    assert_eq!(counted(&database).await, ["scale 1"]);
    assert_eq!(found(&database).await, []);
}

#[tokio::test]
async fn references_of_53_bits_that_are_alike_are_no_identity() {
    let copies =
        vec![(creation("e", "1"), record(0, 1)), (of_option(creation("e", "1"), "other"), record(0, 2))];
    let database = stored(copies).await;
    // Another subscription's row, with the reference of this one.
    database
        .run(
            "INSERT INTO usage_events (subscription, identity, option_code, billed_at, usage_reference, version, units) \
             SELECT 'else', 'e:1:x', 'scale', billed_at, usage_reference, version + 1, 5 FROM usage_events LIMIT 1",
        )
        .await;
    let case = cases(&database).await.remove(0);
    assert!(case.keys.iter().all(|key| key.subscription == "s"), "{case:?}");
    sweep(&database).await;
    assert_eq!(counted(&database).await, ["scale 1", "scale 5"]);
}

#[tokio::test]
async fn outcomes_stand_above_each_other_and_change_nothing_else() {
    let copies = vec![(creation("e", "1"), record(0, 1)), (creation("e", "2"), record(0, 2))];
    let database = stored(copies).await;
    let case = cases(&database).await.remove(0);
    let store = database.store();
    let creations = store.creations(&[case.hash.0], None, 10).await.unwrap();
    let loser = &creations[1];
    assert_eq!(case.judge().unwrap().standing(loser), Standing::Conflict(&creations[0]));
    assert_eq!(store.quarantined(&[loser]).await.unwrap(), []);
    let mut rejects = RejectBatch::default();
    let value = Record { value: Some(b"raw"), ..record(0, 2) };
    let reject = |detail| Reject::new(Reason::ConflictingDuplicate, detail).at(0);
    rejects.push_event(&reject("this"), &value, RejectedRecord::default());
    // Others of the same record are not this copy.
    rejects.push(&reject("the record"), &value, RejectedRecord::default());
    rejects.push_event(&reject("the next event").at(1), &value, RejectedRecord::default());
    store.insert(&rejects.seal().unwrap()).await.unwrap();
    let outcome = async || {
        let rows = store.quarantined(&[&creations[0], loser]).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].place(), loser.place());
        rows[0].replay_outcome.clone()
    };
    assert_eq!(outcome().await, "");
    let winners = Winners([(case.hash, creations[0].version)].into());
    for noted in [ConflictOutcome::Conflict, ConflictOutcome::Duplicate, ConflictOutcome::Conflict] {
        assert!(store.note_conflict_outcome(&[loser], noted, &winners).await.unwrap());
        assert_eq!(outcome().await, noted.as_str());
    }
    let kept = "SELECT concat(detail, ' ', raw, ' ', replay_outcome, ' ', toString(replayed_at > 0)) FROM rejects FINAL \
                ORDER BY detail";
    let expected = ["the next event raw  0", "the record raw  0", "this raw conflict 1"];
    assert_eq!(database.all::<String>(kept).await, expected);
    database.run("OPTIMIZE TABLE rejects FINAL").await;
    assert_eq!(database.all::<String>(kept).await, expected);
    assert!(store.note_conflict_outcome(&[], ConflictOutcome::Conflict, &winners).await.unwrap());
}

#[tokio::test]
async fn the_row_of_a_creation_is_read_by_its_place_and_never_a_tombstone() {
    let of_api = |event| Event { origin: Some(Cow::Borrowed("{}")), ..event };
    let loser = Event {
        description: Cow::Borrowed("\"d\""),
        renewal_order_reference: Some(7),
        ..of_api(of_option(creation("e", "2.50"), "other"))
    };
    let copies = vec![(of_api(creation("e", "1")), record(0, 1)), (loser.clone(), record(0, 2))];
    let database = stored(copies).await;
    let case = cases(&database).await.remove(0);
    sweep(&database).await;
    let store = database.store();
    let creations = store.creations(&[case.hash.0], None, 10).await.unwrap();
    let copy = |offset| creations.iter().find(|copy| copy.offset == offset).unwrap().clone();
    let read = store.stored_event(&copy(2)).await.unwrap();
    assert_eq!(read.as_ref(), Some(&loser));
    // The tombstone on its key has the winner's place.
    assert_eq!(store.stored_event(&copy(1)).await.unwrap().unwrap().option_code, "scale");
    merge(&database, "usage_events").await;
    assert_eq!(store.stored_event(&copy(2)).await.unwrap(), None);
    assert_eq!(store.stored_event(&EventCopy { partition: 5, ..copy(1) }).await.unwrap(), None);
}

#[tokio::test]
async fn creations_come_by_pages_each_once_and_decisive_copies_are_few() {
    let mut copies: Copies = Vec::new();
    for offset in 0..25 {
        let event =
            of_option(creation("e", &offset.to_string()), ["scale", "other"][usize::from(offset % 2 == 1)]);
        copies.push((event, record(i32::try_from(offset % 3).unwrap(), offset)));
    }
    copies.push((creation("f", "1"), record(1, 100)));
    copies.push((creation("f", "2"), record(0, 101)));
    for revision in [1, 2] {
        let amendment = Event { change: Change::Amend(revision), ..creation("e", "7") };
        copies.push((amendment, record(0, 200 + i64::from(revision))));
    }
    let database = stored(copies.clone()).await;
    store(&database, &copies, &mut RecentCopies::default()).await;
    let hashes: Vec<u64> = found(&database).await.iter().map(|found| found.identity_hash).collect();
    let store = database.store();
    let (mut pages, mut last) = (Vec::new(), None);
    loop {
        let page = store.creations(&hashes, last.as_ref(), 10).await.unwrap();
        let is_last = page.len() < 10;
        pages.extend(page);
        last = pages.last().cloned();
        if is_last {
            break;
        }
    }
    let places: Vec<_> = pages.iter().map(|copy| (copy.identity_hash, copy.place())).collect();
    assert_eq!(places.len(), 27);
    assert!(places.is_sorted() && places.windows(2).all(|pair| pair[0] != pair[1]), "{places:?}");
    let cases = cases(&database).await;
    let decisive: usize = cases.iter().map(|case| case.copies.len()).sum();
    assert_eq!(decisive, 4, "two creations and an amendment of one event, a creation of the other");
    let winner = cases.iter().flat_map(|case| &case.copies).max_by_key(|copy| copy.version).unwrap();
    assert_eq!(winner.offset, 202);
}

#[tokio::test]
async fn nothing_is_written_about_conflicts_once_another_creation_wins() {
    let database = stored(vec![(creation("e", "1"), record(0, 5)), (creation("e", "2"), record(0, 6))]).await;
    let store = database.store();
    let hash = cases(&database).await[0].hash;
    let copies = store.creations(&[hash.0], None, 10).await.unwrap();
    let winners = Winners([(hash, copies[0].version)].into());
    let value = Record { value: Some(b"raw"), ..record(0, 6) };
    let sealed = || {
        let mut rejects = RejectBatch::default();
        let key = RejectedRecord { key: None, headers: vec![(b"a".to_vec(), b"b".to_vec())] };
        rejects.push_event(&Reject::new(Reason::ConflictingDuplicate, "d").at(0), &value, key);
        rejects.seal().unwrap()
    };
    assert!(store.quarantine(&sealed(), &winners).await.unwrap());
    let rows = "SELECT concat(detail, ' ', raw, ' ', toString(headers), ' ', scope, ' ', first_reason, ' ', \
                toString(rejected_at > 0)) FROM rejects FINAL";
    let row = ["d raw [('a','b')] event conflicting_duplicate 1"];
    assert_eq!(database.all::<String>(rows).await, row);

    self::store(&database, &vec![(creation("e", "3"), record(0, 4))], &mut RecentCopies::default()).await;
    database.run("TRUNCATE TABLE rejects").await;
    assert!(!store.quarantine(&sealed(), &winners).await.unwrap());
    assert_eq!(database.all::<String>(rows).await, Vec::<String>::new());
    let latest = Winners([(hash, store.creations(&[hash.0], None, 1).await.unwrap()[0].version)].into());
    assert!(store.quarantine(&sealed(), &latest).await.unwrap());
    for noted in [ConflictOutcome::Duplicate, ConflictOutcome::Conflict] {
        assert!(!store.note_conflict_outcome(&[&copies[1]], noted, &winners).await.unwrap());
    }
    assert_eq!(store.quarantined(&[&copies[1]]).await.unwrap()[0].replay_outcome, "");
}
