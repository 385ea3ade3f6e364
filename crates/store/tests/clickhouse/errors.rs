//! Who is to act on an error: nobody but time, or an operator.

use std::net::TcpListener;
use std::time::Duration;

use meterhouse_store::{ClickHouseConfig, Error, ErrorClass};

use crate::database::{Database, NEVER, shared, store, utc};
use crate::sample::{at, event, sealed};

/// Errors of a ping, an insert and a read.
async fn errors(config: &ClickHouseConfig) -> [Error; 3] {
    let store = store(config);
    let batch = sealed(&[event("s", "e", at("2026-10-03T18:00:00Z"), "1")]);
    [
        store.ping().await.unwrap_err(),
        store.insert(&batch).await.unwrap_err(),
        store.usage_by_month("c", &[], NEVER).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn a_wrong_user_or_password_is_fatal_and_not_shown() {
    let database = Database::migrated(shared()).await;
    let right = database.config();
    let wrong = [
        ClickHouseConfig { password: Some("hunter2".into()), ..right.clone() },
        ClickHouseConfig { password: None, ..right.clone() },
        ClickHouseConfig { user: "nobody".into(), password: Some("hunter2".into()), ..right },
    ];
    for config in wrong {
        for error in errors(&config).await {
            assert_eq!((error.class(), error.code()), (ErrorClass::Fatal, Some(516)), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_worth_waiting_for() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in [format!("http://{closed}"), "http://nowhere.invalid:8123".into()] {
        let config = ClickHouseConfig { url, ..Database::named(shared()).config() };
        for error in errors(&config).await {
            assert_eq!((error.class(), error.code()), (ErrorClass::Retryable, None), "{error}");
        }
        let error = store(&config).schema_state(utc()).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Retryable, "not taken for an empty database: {error}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_fatal() {
    let config = ClickHouseConfig { url: "127.0.0.1:8123".into(), ..Database::named(shared()).config() };
    for error in errors(&config).await {
        assert_eq!(error.class(), ErrorClass::Fatal, "{error}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_migrated_is_fatal() {
    let database = Database::named(shared());
    let batch = sealed(&[event("s", "e", at("2026-10-03T18:00:00Z"), "1")]);
    let code = async |code| {
        for error in [
            database.store().insert(&batch).await.unwrap_err(),
            database.store().usage_by_month("c", &[], NEVER).await.unwrap_err(),
        ] {
            assert_eq!((error.class(), error.code()), (ErrorClass::Fatal, Some(code)), "{error}");
        }
    };
    code(81).await;
    shared().query(&format!("CREATE DATABASE `{}`", database.name.replace('`', "\\`"))).unwrap();
    code(60).await;
}

#[tokio::test]
async fn values_that_a_constraint_refuses_are_poisonous() {
    let database = Database::migrated(shared()).await;
    database.run("ALTER TABLE usage_events ADD CONSTRAINT few CHECK units < 10").await;
    let end = at("2026-10-03T18:00:00Z");
    let error = database.store().insert(&sealed(&[event("s", "e", end, "11")])).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (ErrorClass::Poisonous, Some(469)), "{error}");
    database.store().insert(&sealed(&[event("s", "e", end, "9")])).await.unwrap();
}

#[tokio::test]
async fn a_table_of_another_shape_is_fatal() {
    let database = Database::migrated(shared()).await;
    database.run("ALTER TABLE usage_events DROP COLUMN origin").await;
    let batch = sealed(&[event("s", "e", at("2026-10-03T18:00:00Z"), "1")]);
    let error = database.store().insert(&batch).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (ErrorClass::Fatal, Some(16)), "{error}");
}

#[tokio::test]
async fn limits_of_time_are_the_servers() {
    let database = Database::migrated(shared()).await;
    let brief = ClickHouseConfig {
        insert_timeout: Duration::from_millis(1),
        query_timeout: Duration::from_millis(1),
        ..database.config()
    };
    let end = at("2026-10-03T18:00:00Z");
    let events: Vec<_> = (0..50_000).map(|id| event("s", &id.to_string(), end, "1")).collect();
    let batch = sealed(&events);
    let error = store(&brief).insert(&batch).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (ErrorClass::Retryable, Some(159)), "{error}");
    database.store().insert(&batch).await.unwrap();
    let error = store(&brief).usage_by_month("", &[], NEVER).await;
    assert_eq!(error.unwrap(), [], "nobody's usage needs no statement");
    let count: u64 = database.one("SELECT count() FROM usage_events FINAL").await;
    assert_eq!(count, 50_000, "what the first attempt left is replaced");
}
