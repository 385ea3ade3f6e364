//! What an audit asks: the ledger in pages, and what positions are that were read in two logs.

use std::borrow::Cow;

use meterhouse_model::{Change, Event};
use meterhouse_store::{AccountedRange, EventBatch, LedgerEnds, LedgerEpoch, LedgerRow, Slice, Store};

use crate::database::{Database, shared};
use crate::sample::{at, event, record};

const TOPIC: &str = "usage-events";
/// Version of a creation in the first partition, at an offset with the number of the row.
const AT_OFFSET: &str = "bitXor(bitShiftLeft(toUInt128(1), 80) - 1, bitShiftLeft(toUInt128(number), 10))";
/// More positions than a page holds.
const LONG: i64 = 20_000_000;

fn range(epoch: u32, from_position: i64, next_position: i64) -> LedgerRow {
    LedgerRow { epoch, next_position, ..LedgerRow::opening(0, epoch, from_position, 0, "") }
}

fn epoch(epoch: u32, beginning: i64, reach: i64) -> LedgerEpoch {
    LedgerEpoch { partition: 0, epoch, beginning, reach }
}

/// Pages of the ranges of an epoch that end behind a position.
async fn pages(store: &Store, epoch: &LedgerEpoch, position: i64) -> Vec<Vec<(i64, i64)>> {
    let (mut pages, mut last) = (Vec::new(), None);
    loop {
        let ranges = store.accounted_ranges(TOPIC, epoch, position, last).await.unwrap();
        let Some(end) = ranges.last() else { return pages };
        last = Some(*end);
        pages.push(ranges.iter().map(AccountedRange::key).collect());
    }
}

#[tokio::test]
async fn ranges_behind_a_line_come_in_pages() {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    let first =
        [range(0, 5, 5), range(0, 5, 9), range(0, 7, 12), range(0, 12, LONG), range(0, LONG, LONG + 1)];
    let rows = [&first[..], &[range(1, 2, 2), range(1, 2, 3)]].concat();
    // Each twice, as after an insert whose acknowledgement was lost.
    for _ in 0..2 {
        store.insert(&LedgerRow::encode(TOPIC, &rows).unwrap()).await.unwrap();
    }
    let epochs = store.ledger_epochs(TOPIC).await.unwrap();
    assert_eq!(epochs, [epoch(0, 5, LONG + 1), epoch(1, 2, 3)]);
    assert_eq!(
        pages(&store, &epochs[0], 5).await,
        [vec![(5, 9), (7, 12)], vec![(12, LONG)], vec![(LONG, LONG + 1)]]
    );
    assert_eq!(pages(&store, &epochs[0], 9).await.concat(), [(7, 12), (12, LONG), (LONG, LONG + 1)]);
    assert_eq!(pages(&store, &epochs[0], LONG).await, [[(LONG, LONG + 1)]]);
    assert!(pages(&store, &epochs[0], LONG + 1).await.is_empty());
    assert_eq!(pages(&store, &epochs[1], 2).await, [[(2, 3)]]);
}

#[tokio::test]
async fn a_position_that_two_epochs_have_read_is_certain_only_where_it_has_two_records() {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    database
        .run(
            &format!(
                "INSERT INTO identities (identity_hash, topic, version, record_time) \
                 SELECT number, 'usage-events', {AT_OFFSET}, toDateTime64(1000, 3) FROM numbers(10) UNION ALL \
                 SELECT 100 + number, 'usage-events', {AT_OFFSET}, toDateTime64(2000, 3) FROM numbers(4)"
            ))
        .await;
    let old = epoch(0, 0, 10);
    let alone = store.positions(TOPIC, 0, (0, 10), &[old]).await.unwrap();
    assert_eq!((alone.stored(0, 10), alone.rejected(0, 10)), (10..=10, 0..=0));
    let shared = store.positions(TOPIC, 0, (0, 10), &[old, epoch(1, 0, 6)]).await.unwrap();
    assert_eq!((shared.stored(0, 6), shared.records(0, 6)), (4..=6, 4..=6));
    assert_eq!(shared.stored(6, 10), 4..=4, "nobody has read them again");
}

#[tokio::test]
async fn what_a_replay_has_stored_was_rejected_or_stored_when_the_ledger_was_written() {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    // All but the last have events; of the first two rejects a replay says that it has stored them.
    database
        .run(&format!(
            "INSERT INTO identities (identity_hash, topic, version, record_time) \
                 SELECT number, 'usage-events', {AT_OFFSET}, toDateTime64(1000, 3) FROM numbers(6)"
        ))
        .await;
    database
        .run(
            "INSERT INTO rejects (topic, partition, offset, record_time, `index`, scope, replay_outcome) \
             SELECT 'usage-events', 0, number, toDateTime64(1000, 3), -1, 'record', if(number < 5, 'stored', '') \
             FROM numbers(3, 4)",
        )
        .await;
    let positions = store.positions(TOPIC, 0, (0, 7), &[epoch(0, 0, 7)]).await.unwrap();
    assert_eq!((positions.stored(0, 3), positions.rejected(0, 3)), (3..=3, 0..=0));
    assert_eq!((positions.stored(3, 5), positions.rejected(3, 5)), (0..=2, 0..=2), "replayed");
    assert_eq!((positions.replayed(0, 7), positions.both(0, 7)), (2, 1));
    assert_eq!((positions.rejected(6, 7), positions.records(0, 7)), (1..=1, 7..=7));
}

#[tokio::test]
async fn an_identity_whose_change_has_its_row_and_no_evidence_yet_is_left_out_up_to_the_ledger() {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    let usage = |id: &str| event("s", id, at("2026-10-03T18:00:00Z"), "1");
    let with = |change, id| Event { change, ..usage(id) };
    let elsewhere = Event { option_code: Cow::Borrowed("other"), ..with(Change::Amend(1), "moved") };
    let mut accounted = EventBatch::default();
    for (id, offset) in ["amended", "deleted", "moved", "whole"].iter().zip(0..) {
        accounted.push(&usage(id), &record(0, offset));
    }
    store.write(&accounted.seal().unwrap()).await.unwrap();
    // Whoever writes these dies between rows and evidence.
    let mut changes = EventBatch::default();
    let changed = [with(Change::Amend(1), "amended"), with(Change::Delete(1), "deleted"), elsewhere];
    for (change, offset) in changed.iter().zip(10..) {
        changes.push(change, &record(0, offset));
    }
    store.insert(&changes.seal().unwrap().events).await.unwrap();
    let differences = async |end| {
        let ends = LedgerEnds { topic: TOPIC.to_owned(), ends: vec![(0, end)] };
        store.event_differences(&ends, Slice::WHOLE).await.unwrap().len()
    };
    assert_eq!(differences(10).await, 0);
    assert_eq!(differences(20).await, 3, "nothing is under way, and the evidence is missing");
    database.run("DELETE FROM usage_events WHERE identity LIKE '%whole'").await;
    assert_eq!(differences(10).await, 1, "what is not under way is looked at");
}
