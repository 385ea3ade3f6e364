//! Migrations are applied once, recorded, and never change afterwards.

use meterhouse_store::{Error, ErrorClass, SchemaState};
use sha2::{Digest, Sha256};

use crate::database::{Database, shared, utc};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../../schemas/clickhouse/", $name, ".sql")))),*]
    };
}

const FILES: [(&str, &str); 15] = files![
    "0000_schema_migrations",
    "0001_usage_events",
    "0002_rejects",
    "0003_billing_zone",
    "0004_identities",
    "0005_ledger",
    "0006_usage_daily",
    "0007_touched",
    "0008_touched_by_marks",
    "0009_settlements",
    "0010_suspects",
    "0011_replays",
    "0012_subscription_customers",
    "0013_subscription_customers_before",
    "0014_usage_daily_compact",
];

const RECORDED: &str = "SELECT name, sha256, software FROM schema_migrations ORDER BY applied_at, name";

#[tokio::test]
async fn a_second_time_changes_nothing_and_everything_is_recorded() {
    let database = Database::named(shared());
    let applied = database.store().migrate(utc()).await.unwrap().applied;
    assert!(applied.iter().map(|migration| migration.name).eq(FILES.map(|(name, _)| name)));
    let recorded: Vec<(String, String, String)> = database.all(RECORDED).await;
    let expected = FILES.map(|(name, sql)| {
        (name.to_owned(), hex::encode(Sha256::digest(sql)), env!("CARGO_PKG_VERSION").to_owned())
    });
    assert_eq!(recorded, expected);

    assert_eq!(database.store().migrate(utc()).await.unwrap().applied, []);
    assert_eq!(database.all::<(String, String, String)>(RECORDED).await, expected);
    let pins: u64 = database.one("SELECT count() FROM billing_zone").await;
    assert_eq!(pins, 1);
}

#[tokio::test]
async fn several_at_once_do_no_harm() {
    let database = Database::named(shared());
    let [a, b, c] = [database.store(), database.store(), database.store()];
    tokio::try_join!(a.migrate(utc()), b.migrate(utc()), c.migrate(utc())).unwrap();
    assert_eq!(database.store().migrate(utc()).await.unwrap().applied, []);
    assert_eq!(database.store().schema_state(utc()).await.unwrap(), SchemaState::Ready);
}

#[tokio::test]
async fn one_that_was_cut_short_goes_on() {
    let database = Database::migrated(shared()).await;
    database.run("DROP TABLE billing_zone SYNC").await;
    database.run("DELETE FROM schema_migrations WHERE name = '0003_billing_zone'").await;
    let applied = database.store().migrate(utc()).await.unwrap().applied;
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
