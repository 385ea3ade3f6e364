//! The monthly history of a real table, through files that change.
//!
//! Needs the supervisor's program: `cargo build -p meterhouse-localstack`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use meterhouse_localstack::{ClickHouse, ClickHouseOptions};
use meterhouse_model::{
    BillingZone, Catalog, Change, CloudEventHeaders, Event, Identity, Record, Registry, Units, parse_instant,
};
use meterhouse_query::{CustomerId, History, Range};
use meterhouse_store::{ClickHouseConfig, EventBatch, Metrics, Store};
use tokio::sync::watch;

const ZONE: &str = "America/New_York";

/// An hour of usage that ends at a local time.
fn usage(customer: &str, subscription: &str, option: &str, end: &str, units: &str) -> Event<'static> {
    let zone = BillingZone::new(ZONE).unwrap();
    let end_micros = parse_instant(end, &zone).unwrap();
    Event {
        subscription: Cow::Owned(subscription.into()),
        option_code: Cow::Owned(option.into()),
        customer: Cow::Owned(customer.into()),
        description: Cow::Borrowed(""),
        identity: Identity::EventId(Cow::Owned(format!("{option} {end}"))),
        index: 0,
        start: end_micros - 3_600_000_000,
        end: end_micros,
        billed_at: end_micros - 1,
        billing_day: zone.day_of(end_micros - 1),
        units: Units::parse(units).unwrap(),
        renewal_order_reference: None,
        change: Change::Create,
        origin: None,
    }
}

async fn insert(store: &Store, events: &[Event<'static>]) {
    let mut batch = EventBatch::default();
    for (event, offset) in events.iter().zip(0..) {
        let record = Record {
            topic: "usage-events",
            partition: 0,
            offset,
            timestamp_ms: None,
            value: None,
            content_type: None,
            cloud_event: CloudEventHeaders::default(),
        };
        batch.push(event, &record);
    }
    store.write(&batch.seal().unwrap()).await.unwrap();
}

/// `MM.YYYY: service=usage ...`, a line a month, as seen in the middle of October 2026.
async fn report(history: &History, customer: &str, from: Option<u32>, to: Option<u32>) -> Vec<String> {
    let customer = CustomerId::of_verified_principal(customer).unwrap();
    let now = parse_instant("2026-10-15T00:00:00Z", &BillingZone::new(ZONE).unwrap()).unwrap();
    let months = history.service_usage(&customer, Range::new(from, to).unwrap(), now).await.unwrap();
    let line = |month: meterhouse_query::MonthUsage| {
        let services = month.services.iter().map(|used| format!(" {}={}", used.service, used.usage));
        format!("{}:{}", month.month, services.collect::<String>())
    };
    months.into_iter().map(line).collect()
}

fn registry(rows: &str) -> Arc<Registry> {
    Arc::new(Registry::from_csv(&format!("subscription,customer,start,expires\n{rows}")).unwrap())
}

/// A history on an empty database, and what its parts can be changed by.
async fn on(server: &ClickHouse) -> (History, Store, watch::Sender<Arc<Registry>>) {
    let config = ClickHouseConfig {
        url: server.http_url(),
        database: "history".into(),
        user: "meterhouse".into(),
        password: Some("local".into()),
        insert_timeout: Duration::from_secs(60),
        query_timeout: Duration::from_secs(60),
    };
    let store = Store::new(&config, Metrics::register(&prometheus::Registry::new()).unwrap());
    let zone = BillingZone::new(ZONE).unwrap();
    store.migrate(&zone).await.unwrap();
    let options =
        "[[option]]\ncode='scale'\nservice='compute'\n[[option]]\ncode='burst'\nservice='compute'\n";
    let (_, catalog) = watch::channel(Arc::new(Catalog::from_toml(options).unwrap()));
    let (registries, latest) = watch::channel(registry(""));
    let margin = Duration::from_secs(75);
    (History::new(store.clone(), Arc::new(zone), catalog, latest, margin), store, registries)
}

#[tokio::test]
async fn a_history_follows_events_registry_and_catalog() {
    let server = ClickHouse::launch(ClickHouseOptions::default()).unwrap();
    let (history, store, registries) = on(&server).await;
    assert!(report(&history, "c", None, None).await.is_empty());

    let disk = usage("c", "s", "disk", "2026-06-20 12:00:00", "3");
    let events = [
        usage("c", "s", "scale", "2026-08-01 00:00:00", "1.5"), // ends with July
        usage("c", "s", "burst", "2026-07-31 23:00:00", "0.25"),
        usage("c", "s", "scale", "2026-09-30 20:00:00", "2"), // October in UTC
        disk.clone(),
        usage("", "t", "scale", "2026-09-10 12:00:00", "100"),
        usage("", "t", "scale", "2026-09-11 12:00:00", "1000"),
        usage("other", "s", "scale", "2026-09-10 12:00:00", "5"),
    ];
    insert(&store, &events).await;
    let own = [
        "06.2026: compute=0.0 disk=3.0",
        "07.2026: compute=1.75 disk=0.0",
        "08.2026: compute=0.0 disk=0.0",
        "09.2026: compute=2.0 disk=0.0",
    ];
    assert_eq!(report(&history, "c", None, None).await, own);
    assert_eq!(report(&history, "c", Some(1), Some(0)).await, [own[3], "10.2026: compute=0.0 disk=0.0"]);
    assert_eq!(report(&history, "other", None, None).await, ["09.2026: compute=5.0"]);

    // The registry learns late whose `t` is, and that it changed hands at a local midnight.
    let changed_hands = "t,c,,2026-09-11T00:00:00-04:00\nt,other,2026-09-11T00:00:00-04:00,\n";
    registries.send(registry(changed_hands)).unwrap();
    assert_eq!(report(&history, "c", Some(1), None).await, ["09.2026: compute=102.0 disk=0.0"]);
    assert_eq!(report(&history, "other", None, None).await, ["09.2026: compute=1005.0"]);

    // What is deleted was never used.
    insert(&store, &[Event { change: Change::Delete(1), ..disk }]).await;
    assert_eq!(report(&history, "c", None, Some(3)).await, ["07.2026: compute=1.75"]);

    // No answer is better than a part of one.
    server.kill().unwrap();
    let customer = CustomerId::of_verified_principal("c").unwrap();
    assert!(history.service_usage(&customer, Range::default(), 0).await.is_err());
}
