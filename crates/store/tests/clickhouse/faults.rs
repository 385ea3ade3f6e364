//! A server that is held, killed or started again.

use std::time::{Duration, Instant};

use meterhouse_store::{ClickHouseConfig, EncodedBatch, ErrorClass, EventBatch, Store};

use crate::awkward;
use crate::database::{Database, NEVER, launch, store};
use crate::sample::{at, event, of_customer, sealed, written};

/// What the client waits beyond the server's limit, and a little for a busy machine.
const GRACE: Duration = Duration::from_secs(5 + 2);

/// Rows of a batch that takes a while, over several months: such an insert is not atomic.
const ROWS: u64 = 100_000;

fn large_batch() -> EncodedBatch {
    let mut batch = EventBatch::default();
    for number in 0..ROWS {
        let (event, record) = awkward::event(number, 1_000, 12);
        batch.push(&event, &record);
    }
    batch.seal().unwrap().events
}

#[tokio::test]
async fn a_held_server_is_not_waited_for() {
    let server = launch();
    let database = Database::migrated(&server).await;
    let limit = Duration::from_secs(1);
    let impatient =
        store(&ClickHouseConfig { insert_timeout: limit, query_timeout: limit, ..database.config() });
    let events = [of_customer(event("s", "e", at("2026-10-03T18:00:00Z"), "1"), "c")];
    let small = sealed(&events);
    let large = large_batch();
    impatient.write(&written(&events)).await.unwrap();
    server.pause().unwrap();
    let started = Instant::now();
    let (ping, tiny, big, read) = tokio::join!(
        impatient.ping(),
        impatient.insert(&small),
        impatient.insert(&large),
        impatient.usage_by_month("c", &[], NEVER),
    );
    assert!(started.elapsed() < limit + GRACE, "{:?}", started.elapsed());
    for error in [ping.unwrap_err(), tiny.unwrap_err(), big.unwrap_err(), read.unwrap_err()] {
        assert_eq!(error.class(), ErrorClass::Retryable, "{error}");
    }
    server.resume().unwrap();
    impatient.insert(&small).await.unwrap();
    assert_eq!(impatient.usage_by_month("c", &[], NEVER).await.unwrap()[0].records, 1);
}

#[tokio::test]
async fn a_batch_that_a_kill_cut_short_is_whole_after_another_attempt() {
    let server = launch();
    let database = Database::migrated(&server).await;
    let store = database.store();
    let large = large_batch();
    // How long it takes when nobody is killed.
    let started = Instant::now();
    store.insert(&large).await.unwrap();
    let usual = started.elapsed();
    let expected = sums(&database).await;
    let mut cut_short = 0;
    for eighth in 1..=8 {
        database.run("TRUNCATE TABLE usage_events").await;
        let insert = tokio::spawn({
            let (store, large) = (store.clone(), large.clone());
            async move { store.insert(&large).await }
        });
        tokio::time::sleep(usual * eighth / 8).await;
        server.kill().unwrap();
        let first = insert.await.unwrap();
        server.start().unwrap();
        if let Err(error) = first {
            cut_short += 1;
            assert_eq!(error.class(), ErrorClass::Retryable, "{error}");
            insert_at_last(&store, &large).await;
        }
        assert_eq!(sums(&database).await, expected, "killed after {eighth}/8");
    }
    assert!(cut_short > 0);
}

/// Number of rows that count, exact sum of their units, and a hash over all that is in them.
async fn sums(database: &Database<'_>) -> (u64, String, u64) {
    const SUMS: &str =
        "SELECT count(), toString(sum(toDecimal256(units, 18))), sum(sipHash64(*)) FROM usage_events FINAL";
    database.one(SUMS).await
}

/// The same bytes, until they are acknowledged: through connections that may be dead, to a server that may be starting.
async fn insert_at_last(store: &Store, batch: &EncodedBatch) {
    for _ in 0..20 {
        match store.insert(batch).await {
            Ok(()) => return,
            Err(error) => assert_eq!(error.class(), ErrorClass::Retryable, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not acknowledged after many attempts");
}

#[tokio::test]
async fn connections_of_before_a_restart_lose_nothing() {
    let server = launch();
    let database = Database::migrated(&server).await;
    let store = database.store();
    for round in 0..4 {
        let end = at("2026-10-03T18:00:00Z");
        let events: Vec<_> =
            (0..4).map(|id| of_customer(event("s", &format!("{round}-{id}"), end, "1"), "c")).collect();
        // Several connections, which the pool keeps.
        let batches: Vec<_> = events.chunks(1).map(sealed).collect();
        insert_at_last(&store, &written(&events).marks.all()).await;
        let inserts = batches.iter().map(|batch| insert_at_last(&store, batch));
        for insert in inserts {
            insert.await;
        }
        let (a, b) =
            tokio::join!(store.usage_by_month("c", &[], NEVER), store.usage_by_month("c", &[], NEVER));
        for usage in [a.unwrap(), b.unwrap()] {
            assert_eq!(usage[0].records, 4 * (round + 1));
        }
        if round % 2 == 0 {
            server.kill().unwrap();
        } else {
            server.stop().unwrap();
        }
        let error = store.insert(&batches[0]).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Retryable, "{error}");
        server.start().unwrap();
    }
}
