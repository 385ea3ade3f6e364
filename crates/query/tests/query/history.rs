//! The monthly history of a real table, through files that change.

use std::sync::Arc;

use meterhouse_model::{BillingZone, Catalog, Change, Event, Registry, parse_instant};
use meterhouse_query::{CustomerId, History, Range};
use tokio::sync::watch;

use crate::site::{LIMIT, MARGIN, Site, ZONE, launch, usage, write};

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

/// A history, and what its registry can be changed by.
fn history(site: &Site<'_>) -> (History, watch::Sender<Arc<Registry>>) {
    let zone = BillingZone::new(ZONE).unwrap();
    let options =
        "[[option]]\ncode='scale'\nservice='compute'\n[[option]]\ncode='burst'\nservice='compute'\n";
    let (_, catalog) = watch::channel(Arc::new(Catalog::from_toml(options).unwrap()));
    let (registries, latest) = watch::channel(registry(""));
    (History::new(site.store.clone(), Arc::new(zone), catalog, latest, site.margin), registries)
}

#[tokio::test]
async fn a_history_follows_events_registry_and_catalog() {
    let server = launch();
    let site = Site::new(&server, LIMIT, MARGIN).await;
    let (history, registries) = history(&site);
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
    write(&site.store, &events).await;
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
    write(&site.store, &[Event { change: Change::Delete(1), ..disk }]).await;
    assert_eq!(report(&history, "c", None, Some(3)).await, ["07.2026: compute=1.75"]);

    // No answer is better than a part of one.
    server.kill().unwrap();
    let customer = CustomerId::of_verified_principal("c").unwrap();
    assert!(history.service_usage(&customer, Range::default(), 0).await.is_err());
}
