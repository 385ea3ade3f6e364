//! Which dates a write marks: those that have no mark of a moment ago.

use std::time::Duration;

use meterhouse_localstack::{ClickHouse, ClickHouseOptions, Clock};
use meterhouse_model::Event;
use meterhouse_store::{ClickHouseConfig, Store};

use crate::database::{Database, shared, store};
use crate::sample::{at, event, of_customer, written};

/// Marks are fresh for a sixth of it.
const INSERT_TIMEOUT: Duration = Duration::from_secs(9);

fn writer(database: &Database<'_>) -> Store {
    store(&ClickHouseConfig { insert_timeout: INSERT_TIMEOUT, ..database.config() })
}

fn usage(subscription: &str, day: u32) -> Event<'static> {
    let end = at(&format!("2026-10-{day:02}T12:00:00Z"));
    of_customer(event(subscription, &format!("{subscription}-{day}"), end, "1"), "c")
}

/// Subscription and day of each mark, in the order of their times.
async fn marks(database: &Database<'_>) -> Vec<String> {
    // In usage_daily a merge leaves the newest one of a date.
    let sql = "SELECT concat(subscription, ' ', toString(toDayOfMonth(date))) FROM touched ORDER BY at, subscription, date";
    database.all(sql).await
}

#[tokio::test]
async fn dates_with_a_fresh_mark_need_no_other() {
    let database = Database::migrated(shared()).await;
    let store = writer(&database);
    for days in [[1, 2], [2, 3]] {
        store.write(&written(&days.map(|day| usage("ü", day)))).await.unwrap();
    }
    // Others share the writer's marks, and nobody else's.
    store.clone().write(&written(&[usage("ü", 1), usage("", 1)])).await.unwrap();
    assert_eq!(marks(&database).await, ["ü 1", "ü 2", "ü 3", " 1"]);
    writer(&database).write(&written(&[usage("ü", 1)])).await.unwrap();
    assert_eq!(marks(&database).await, ["ü 1", "ü 2", "ü 3", " 1", "ü 1"]);
    assert_eq!(database.all::<String>("SELECT DISTINCT toString(customer) FROM touched").await, ["c"]);
    let units: u64 = database.one("SELECT toUInt64(sum(units)) FROM usage_events FINAL").await;
    assert_eq!(units, 4, "three of one subscription, one of the other, each once");
}

#[tokio::test]
async fn dates_are_marked_again_once_their_marks_are_older() {
    let database = Database::migrated(shared()).await;
    let store = writer(&database);
    store.write(&written(&[usage("s", 1)])).await.unwrap();
    tokio::time::sleep(INSERT_TIMEOUT / 6).await;
    for _ in 0..2 {
        store.write(&written(&[usage("s", 1), usage("s", 2)])).await.unwrap();
    }
    assert_eq!(marks(&database).await, ["s 1", "s 1", "s 2"]);
}

#[tokio::test]
async fn marks_that_the_database_has_not_taken_are_not_there() {
    let database = Database::migrated(shared()).await;
    let store = writer(&database);
    database.run("RENAME TABLE touched TO elsewhere").await;
    store.write(&written(&[usage("s", 1)])).await.unwrap_err();
    database.run("RENAME TABLE elsewhere TO touched").await;
    store.write(&written(&[usage("s", 1)])).await.unwrap();
    assert_eq!(database.all::<String>("SELECT subscription FROM touched").await, ["s"]);
}

/// Rows behind an old mark could be overlooked by a scan that has its time from the new clock.
#[tokio::test]
async fn marks_from_before_the_clock_was_set_are_not_fresh() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::new(dir.path().join("clock")).unwrap();
    let options = ClickHouseOptions { clock: Some(clock.clone()), ..ClickHouseOptions::default() };
    let server = ClickHouse::launch(options).unwrap();
    let database = Database::migrated(&server).await;
    let store = writer(&database);
    for seconds in [0, 3600, -3600] {
        clock.shift(seconds).unwrap();
        store.write(&written(&[usage("s", 1)])).await.unwrap();
    }
    assert_eq!(marks(&database).await, ["s 1"; 3]);
}
