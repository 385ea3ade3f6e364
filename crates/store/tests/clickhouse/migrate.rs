//! Migrations are applied once, recorded, and never change afterwards.

use meterhouse_store::{Error, ErrorClass, SchemaState};
use sha2::{Digest, Sha256};

use crate::database::{Database, shared, utc};

const FILES: [(&str, &str); 4] = [
    ("0000_schema_migrations", include_str!("../../../../schemas/clickhouse/0000_schema_migrations.sql")),
    ("0001_usage_events", include_str!("../../../../schemas/clickhouse/0001_usage_events.sql")),
    ("0002_rejects", include_str!("../../../../schemas/clickhouse/0002_rejects.sql")),
    ("0003_billing_zone", include_str!("../../../../schemas/clickhouse/0003_billing_zone.sql")),
];

const RECORDED: &str = "SELECT name, sha256, software FROM schema_migrations ORDER BY applied_at, name";

#[tokio::test]
async fn a_second_time_changes_nothing_and_everything_is_recorded() {
    let database = Database::named(shared());
    let applied = database.store().migrate(utc()).await.unwrap();
    assert!(applied.iter().map(|migration| migration.name).eq(FILES.map(|(name, _)| name)));
    let recorded: Vec<(String, String, String)> = database.all(RECORDED).await;
    let expected = FILES.map(|(name, sql)| {
        (name.to_owned(), hex::encode(Sha256::digest(sql)), env!("CARGO_PKG_VERSION").to_owned())
    });
    assert_eq!(recorded, expected);

    assert_eq!(database.store().migrate(utc()).await.unwrap(), []);
    assert_eq!(database.all::<(String, String, String)>(RECORDED).await, expected);
    let pins: u64 = database.one("SELECT count() FROM billing_zone").await;
    assert_eq!(pins, 1);
}

#[tokio::test]
async fn several_at_once_do_no_harm() {
    let database = Database::named(shared());
    let [a, b, c] = [database.store(), database.store(), database.store()];
    tokio::try_join!(a.migrate(utc()), b.migrate(utc()), c.migrate(utc())).unwrap();
    assert_eq!(database.store().migrate(utc()).await.unwrap(), []);
    assert_eq!(database.store().schema_state(utc()).await.unwrap(), SchemaState::Ready);
}

#[tokio::test]
async fn one_that_was_cut_short_goes_on() {
    let database = Database::migrated(shared()).await;
    database.run("DROP TABLE billing_zone SYNC").await;
    database.run("DELETE FROM schema_migrations WHERE name = '0003_billing_zone'").await;
    let applied = database.store().migrate(utc()).await.unwrap();
    assert!(applied.iter().map(|migration| migration.name).eq(["0003_billing_zone"]));
    assert_eq!(database.store().schema_state(utc()).await.unwrap(), SchemaState::Ready);
}

#[tokio::test]
async fn a_changed_file_is_refused() {
    let database = Database::migrated(shared()).await;
    let change = "ALTER TABLE schema_migrations UPDATE sha256 = upper(sha256) WHERE name = '0001_usage_events' \
                  SETTINGS mutations_sync = 1";
    database.run(change).await;
    let store = database.store();
    for error in [store.migrate(utc()).await.map(|_| ()), store.schema_state(utc()).await.map(|_| ())]
        .map(Result::unwrap_err)
    {
        assert!(matches!(error, Error::Refused(_)), "{error}");
        assert_eq!(error.class(), ErrorClass::Fatal);
        assert!(error.to_string().contains("0001_usage_events has changed"), "{error}");
    }
}
