//! A database is used only as it must be.

use meterhouse_store::{Error, SchemaState};

use crate::database::{Database, shared, utc};

/// The text of the refusal.
async fn refused(database: &Database<'_>) -> String {
    let error = database.store().schema_state(utc()).await.unwrap_err();
    assert!(matches!(error, Error::Refused(_)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn empty_behind_ready() {
    let database = Database::named(shared());
    let store = database.store();
    assert_eq!(store.schema_state(utc()).await.unwrap(), SchemaState::Empty, "no database");
    shared().query(&format!("CREATE DATABASE `{}`", database.name.replace('`', "\\`"))).unwrap();
    assert_eq!(store.schema_state(utc()).await.unwrap(), SchemaState::Empty, "no tables");
    store.migrate(utc()).await.unwrap();
    assert_eq!(store.schema_state(utc()).await.unwrap(), SchemaState::Ready);
    database.run("DELETE FROM schema_migrations WHERE name IN ('0002_rejects', '0003_billing_zone')").await;
    let behind = SchemaState::Behind(vec!["0002_rejects", "0003_billing_zone"]);
    assert_eq!(store.schema_state(utc()).await.unwrap(), behind);
}

#[tokio::test]
async fn a_table_that_may_lose_rows_is_refused() {
    let database = Database::migrated(shared()).await;
    for table in ["usage_events", "rejects", "billing_zone", "schema_migrations"] {
        for setting in [
            "fsync_after_insert",
            "fsync_part_directory",
            "min_rows_to_fsync_after_merge",
            "min_compressed_bytes_to_fsync_after_merge",
        ] {
            for change in [format!("MODIFY SETTING {setting} = 0"), format!("RESET SETTING {setting}")] {
                database.run(&format!("ALTER TABLE {table} {change}")).await;
                let text = refused(&database).await;
                assert!(text.contains(table) && text.contains(setting), "{change}: {text}");
            }
            database.run(&format!("ALTER TABLE {table} MODIFY SETTING {setting} = 1")).await;
        }
    }
    assert_eq!(database.store().schema_state(utc()).await.unwrap(), SchemaState::Ready);
}

#[tokio::test]
async fn a_missing_table_or_pin_is_refused() {
    let database = Database::migrated(shared()).await;
    database.run("TRUNCATE TABLE billing_zone").await;
    assert_eq!(database.store().schema_state(utc()).await.unwrap(), SchemaState::Empty, "cut short before");
    database.run("INSERT INTO rejects (topic) VALUES ('t')").await;
    assert!(refused(&database).await.contains("no billing time zone"));
    database.store().migrate(utc()).await.unwrap();
    database.run("DROP TABLE usage_events SYNC").await;
    assert!(refused(&database).await.contains("usage_events was migrated and is gone"));
}
