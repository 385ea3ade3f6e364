//! A user's profile on the server must not change what is stored or summed.

use std::fs;

use meterhouse_localstack::{ClickHouse, ClickHouseOptions};
use meterhouse_model::{Day, Ownership};
use meterhouse_store::{ClickHouseConfig, ErrorClass, SchemaState, Store};

use crate::daily::{MARGIN, roll_up, write};
use crate::database::{Database, NEVER, store, utc};
use crate::sample::{at, event, of_customer, written};

/// Users, each of a profile of its own: all that could lose rows or make sums short.
const PROFILES: [(&str, &str); 13] = [
    ("meterhouse", ""),
    ("few", "<limit>1</limit><offset>1</offset>"),
    ("old", "<use_query_cache>1</use_query_cache><query_cache_ttl>600</query_cache_ttl>"),
    ("any", "<join_default_strictness>ANY</join_default_strictness><join_use_nulls>1</join_use_nulls>"),
    ("read", "<max_rows_to_read>1</max_rows_to_read><read_overflow_mode>break</read_overflow_mode>"),
    (
        "group",
        "<max_rows_to_group_by>1</max_rows_to_group_by><group_by_overflow_mode>any</group_by_overflow_mode>",
    ),
    ("result", "<max_result_rows>1</max_result_rows><result_overflow_mode>break</result_overflow_mode>"),
    ("join", "<max_rows_in_join>1</max_rows_in_join><join_overflow_mode>break</join_overflow_mode>"),
    (
        "insert",
        "<async_insert>1</async_insert><wait_for_async_insert>0</wait_for_async_insert>\
         <max_partitions_per_insert_block>1</max_partitions_per_insert_block>",
    ),
    (
        "async",
        "<async_insert>1</async_insert><constraints><async_insert><const/></async_insert></constraints>",
    ),
    (
        "window",
        "<deduplicate_insert>enable</deduplicate_insert>\
         <constraints><deduplicate_insert><const/></deduplicate_insert></constraints>",
    ),
    ("reader", "<readonly>1</readonly>"),
    ("month", "<max_partitions_to_read>1</max_partitions_to_read>"),
];

/// A server with these users.
fn launch() -> (ClickHouse, tempfile::TempDir) {
    let profiles = PROFILES.map(|(name, settings)| format!("<{name}>{settings}</{name}>")).concat();
    let network = "<networks><ip>127.0.0.1</ip></networks><quota>default</quota>";
    let users = PROFILES.map(|(name, _)| {
        format!("<{name}><password>local</password>{network}<profile>{name}</profile></{name}>")
    });
    let users = format!(
        "<clickhouse><quotas><default/></quotas><profiles><default/>{profiles}</profiles>
         <users><default><password/>{network}<profile>default</profile></default>{}</users></clickhouse>",
        users.concat()
    );
    let folder = tempfile::tempdir().unwrap();
    let deployed = meterhouse_localstack::workspace_dir().join("deploy/local/clickhouse/config.xml");
    fs::copy(deployed, folder.path().join("config.xml")).unwrap();
    fs::write(folder.path().join("users.xml"), users).unwrap();
    let config_file = Some(folder.path().join("config.xml"));
    (ClickHouse::launch(ClickHouseOptions { config_file, ..ClickHouseOptions::default() }).unwrap(), folder)
}

fn store_as(database: &Database<'_>, user: &str) -> Store {
    store(&ClickHouseConfig { user: user.into(), ..database.config() })
}

/// Records of customer `c` and of its subscriptions `t` and `u`: one a month of each.
async fn records(store: &Store) -> Result<u64, meterhouse_store::Error> {
    let days = (utc().day_of(at("2026-03-01T00:00:00Z")), utc().day_of(at("2026-06-01T00:00:00Z")));
    let owned = |subscription: &str, from_day, to_day| Ownership {
        subscription: subscription.into(),
        from_day,
        to_day,
    };
    let unnamed =
        [owned("t", Day::FIRST, days.0), owned("t", days.1, Day::END), owned("u", Day::FIRST, Day::END)];
    let usage = store.usage_by_month("c", &unnamed, NEVER).await?;
    Ok(usage.iter().map(|usage| usage.records).sum())
}

#[tokio::test]
async fn profiles_cannot_shorten_sums_nor_lose_rows() {
    let (server, _folder) = launch();
    let database = Database::named(&server);
    store_as(&database, "few").migrate(utc()).await.unwrap();
    let month = |month: i32| {
        let end = at(&format!("2026-0{month}-03T18:00:00Z"));
        [of_customer(event("s", "e", end, "1"), "c"), event("t", "e", end, "1"), event("u", "e", end, "1")]
    };
    store_as(&database, "insert").write(&written(&[1, 2, 3, 4].map(month).concat())).await.unwrap();
    let some = database.one::<u64>("SELECT count() FROM usage_events FINAL").await;
    assert_eq!(some, 12, "stored when acknowledged, over several partitions");
    for user in ["old", "old", "meterhouse"] {
        assert_eq!(records(&store_as(&database, user)).await.unwrap(), 4 + 2 + 4, "{user}");
    }
    store_as(&database, "insert").write(&written(&[5, 6, 7].map(month).concat())).await.unwrap();
    for user in ["old", "any", "few", "join", "meterhouse"] {
        assert_eq!(records(&store_as(&database, user)).await.unwrap(), 7 + 4 + 7, "{user}");
    }
    for user in ["read", "group", "result"] {
        let error = records(&store_as(&database, user)).await.unwrap_err();
        assert!(matches!(error.code(), Some(158 | 191 | 396)), "{user}: {error}");
    }
}

#[tokio::test]
async fn a_setting_that_a_profile_pins_is_refused() {
    let (server, _folder) = launch();
    let database = Database::migrated(&server).await;
    for user in ["few", "old", "any", "insert"] {
        assert_eq!(
            store_as(&database, user).schema_state(utc()).await.unwrap(),
            SchemaState::Ready,
            "{user}"
        );
    }
    for (user, setting) in
        [("async", "async_insert"), ("window", "deduplicate_insert"), ("reader", "readonly")]
    {
        let error = store_as(&database, user).schema_state(utc()).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Fatal, "{user}: {error}");
        assert!(error.to_string().contains(setting), "{user}: {error}");
    }
}

#[tokio::test]
async fn scans_and_live_dates_read_no_month_but_their_own() {
    let (server, _folder) = launch();
    let database = Database::migrated(&server).await;
    let store = store_as(&database, "month");
    let usage = |month: i32, id: &str| {
        of_customer(event("s", id, at(&format!("2026-0{month}-03T18:00:00Z")), "1"), "c")
    };
    let events: Vec<_> = (1..=9).map(|month| usage(month, "e")).collect();
    write(&database, &events).await;
    roll_up(&store).await;
    write(&database, &[usage(5, "live")]).await;
    let usage = store.usage_by_month("c", &[], MARGIN).await.unwrap();
    assert_eq!(usage.iter().map(|usage| usage.records).sum::<u64>(), 10);
    let error = store.usage_by_month("c", &[], NEVER).await.unwrap_err();
    assert_eq!(error.code(), Some(565), "the limit works: {error}");
}
