//! The billing time zone is pinned once, and its past with it.

use meterhouse_model::BillingZone;
use meterhouse_store::{Error, SchemaState, Store};

use crate::database::{Database, shared};

fn zone(name: &str) -> BillingZone {
    BillingZone::new(name).unwrap()
}

/// What migrating and looking at the schema say, which must be the same.
async fn refusal(store: &Store, zone: &BillingZone) -> String {
    let migrate = store.migrate(zone).await.unwrap_err();
    let state = store.schema_state(zone).await.unwrap_err();
    assert!(matches!((&migrate, &state), (Error::Refused(_), Error::Refused(_))), "{migrate} {state}");
    assert_eq!(migrate.to_string(), state.to_string());
    state.to_string()
}

#[tokio::test]
async fn another_zone_is_refused() {
    let database = Database::named(shared());
    let store = database.store();
    store.migrate(&zone("Europe/Berlin")).await.unwrap();
    assert_eq!(store.schema_state(&zone("Europe/Berlin")).await.unwrap(), SchemaState::Ready);
    let text = refusal(&store, &zone("Europe/Vienna")).await;
    assert!(text.contains("Europe/Berlin") && text.contains("Europe/Vienna"), "{text}");
    assert_eq!(store.schema_state(&zone("Europe/Berlin")).await.unwrap(), SchemaState::Ready);
}

#[tokio::test]
async fn other_rules_for_the_past_are_refused() {
    let database = Database::named(shared());
    let store = database.store();
    let berlin = zone("Europe/Berlin");
    store.migrate(&berlin).await.unwrap();
    // A release of the zone database that moved an offset of years ago would have another hash.
    database
        .run("ALTER TABLE billing_zone UPDATE rules_hash = 'x' WHERE 1 SETTINGS mutations_sync = 1")
        .await;
    let text = refusal(&store, &berlin).await;
    assert!(text.contains("other rules for the past") && text.contains("Europe/Berlin"), "{text}");
}

#[tokio::test]
async fn rules_for_the_future_may_change() {
    let database = Database::named(shared());
    let store = database.store();
    let berlin = zone("Europe/Berlin");
    store.migrate(&berlin).await.unwrap();
    let (until, now): (i64, i64) = database
        .one("SELECT toUnixTimestamp64Micro(rules_until), toUnixTimestamp64Micro(now64(6)) FROM billing_zone")
        .await;
    assert!((now - 60_000_000..=now).contains(&until), "only what is past is pinned: {until} {now}");
    // Pinned long ago, with the rules as they were then: changes of offset since do not count.
    let long_ago = 1_000_000_000_000_000;
    let hash = berlin.fingerprint(long_ago);
    assert_ne!(hash, berlin.fingerprint(until));
    database
        .run(&format!(
            "ALTER TABLE billing_zone UPDATE rules_hash = '{hash}', rules_until = fromUnixTimestamp64Micro({long_ago}) \
             WHERE 1 SETTINGS mutations_sync = 1"
        ))
        .await;
    assert_eq!(store.schema_state(&berlin).await.unwrap(), SchemaState::Ready);
}

#[tokio::test]
async fn of_two_zones_at_once_one_is_pinned() {
    let database = Database::named(shared());
    let store = database.store();
    let (berlin, utc) = (zone("Europe/Berlin"), zone("UTC"));
    let _ = tokio::join!(store.migrate(&berlin), store.migrate(&utc));
    let states = [store.schema_state(&berlin).await, store.schema_state(&utc).await];
    assert_eq!(states.iter().filter(|state| state.is_ok()).count(), 1, "{states:?}");
}
