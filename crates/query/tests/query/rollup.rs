//! The worker finds every date that needs it, whatever happens to it or to others.

use std::time::Duration;

use meterhouse_model::{Change, Event};
use meterhouse_query::rollup::{Progress, RebuildError, rebuild};
use meterhouse_store::DateFilter;

use crate::site::{LIMIT, MARGIN, Site, launch, metrics, shared, usage, write};

/// Some days of usage of customer `c`.
fn days(count: u32, units: &str) -> Vec<Event<'static>> {
    (0..count)
        .map(|day| {
            usage("c", "s", "scale", &format!("2026-{:02}-{:02} 12:00:00", day / 28 + 1, day % 28 + 1), units)
        })
        .collect()
}

#[tokio::test]
async fn marks_are_found_as_they_come_and_all_others_at_the_start() {
    let site = Site::new(shared(), LIMIT, MARGIN).await;
    write(&site.store, &days(30, "1")).await;
    // Of these the short-lived list says nothing.
    site.query("TRUNCATE TABLE {db}.touched");
    let worker = site.worker();
    site.rolled_up().await;
    write(&site.store, &days(40, "1")).await;
    assert!(site.unclean().await > 0);
    site.rolled_up().await;
    let clean = site.sums("c", &[]).await;
    assert_eq!(clean, site.raw_sums("customer = 'c'"));
    site.query("TRUNCATE TABLE {db}.usage_events");
    assert_eq!(site.sums("c", &[]).await, clean, "from the sums by day");
    worker.end().await;
}

#[tokio::test]
async fn several_workers_do_no_harm() {
    let site = Site::new(shared(), LIMIT, MARGIN).await;
    let workers = [site.worker(), site.worker(), site.worker()];
    for revision in 1..=8 {
        let changes: Vec<_> = days(60, &revision.to_string())
            .into_iter()
            .map(|event| Event { change: Change::Amend(revision), ..event })
            .collect();
        write(&site.store, &changes[usize::try_from(revision).unwrap()..]).await;
        assert_eq!(site.sums("c", &[]).await, site.raw_sums("customer = 'c'"));
        tokio::time::sleep(site.margin / 2 * (revision % 3)).await;
    }
    site.rolled_up().await;
    assert_eq!(site.sums("c", &[]).await, site.raw_sums("customer = 'c'"));
    for worker in workers {
        worker.end().await;
    }
}

#[tokio::test]
async fn killed_anywhere_it_leaves_nothing_wrong() {
    let site = Site::new(shared(), LIMIT, MARGIN).await;
    for round in 0..12 {
        if round % 4 == 0 {
            let change = Change::Amend(round + 1);
            let events = days(100, &round.to_string()).into_iter().map(|event| Event { change, ..event });
            write(&site.store, &events.collect::<Vec<_>>()).await;
        }
        let worker = site.worker();
        // It scans once it has watched the server's clock for a margin.
        tokio::time::sleep(site.margin + Duration::from_millis(u64::from(round) * 7)).await;
        worker.kill();
        assert_eq!(site.sums("c", &[]).await, site.raw_sums("customer = 'c'"), "round {round}");
    }
    let worker = site.worker();
    site.rolled_up().await;
    assert_eq!(site.sums("c", &[]).await, site.raw_sums("customer = 'c'"));
    worker.end().await;
}

#[tokio::test]
async fn an_outage_is_reported_and_waited_for() {
    let server = launch();
    let site = Site::new(&server, LIMIT, MARGIN).await;
    write(&site.store, &days(3, "1")).await;
    let worker = site.worker();
    worker.reported(Result::is_ok).await;
    server.kill().unwrap();
    worker.reported(Result::is_err).await;
    server.start().unwrap();
    worker.reported(Result::is_ok).await;
    site.rolled_up().await;
    assert_eq!(site.sums("c", &[]).await, site.raw_sums("customer = 'c'"));
    worker.end().await;
}

#[tokio::test]
async fn a_rebuild_makes_damaged_sums_right() {
    let site = Site::new(shared(), LIMIT, MARGIN).await;
    write(&site.store, &days(60, "1")).await;
    let worker = site.worker();
    site.rolled_up().await;
    worker.end().await;
    let right = site.sums("c", &[]).await;
    site.query("INSERT INTO {db}.usage_daily SELECT * REPLACE(units * 2 AS units) FROM {db}.usage_daily FINAL WHERE kind = 'data'");
    site.query("OPTIMIZE TABLE {db}.usage_daily FINAL");
    assert_ne!(site.sums("c", &[]).await, right, "nobody can tell");
    let mut seen = Vec::new();
    let filter = DateFilter { customer: Some("c".into()), ..DateFilter::default() };
    let (store, margin) = (&site.store, site.margin);
    rebuild(store, filter.clone(), margin, false, metrics(), |progress| seen.push(progress)).await.unwrap();
    assert_eq!(seen, [Progress::Marked(60)]);
    assert_eq!((site.unclean().await, site.sums("c", &[]).await), (60, right.clone()));
    rebuild(store, filter.clone(), margin, true, metrics(), |progress| seen.push(progress)).await.unwrap();
    assert_eq!((&seen[1], seen.last()), (&Progress::Marked(60), Some(&Progress::Left(0))));
    assert_eq!((site.unclean().await, site.sums("c", &[]).await), (0, right.clone()));
    site.query("TRUNCATE TABLE {db}.usage_events");
    assert_eq!(site.sums("c", &[]).await, right);
}

#[tokio::test]
async fn a_rebuild_says_what_it_cannot_do() {
    let site = Site::new(shared(), LIMIT, MARGIN).await;
    write(&site.store, &days(2, "1")).await;
    site.query(
        "INSERT INTO {db}.usage_daily (customer, subscription, date, kind, at, records)
         SELECT 'c', 's', '2026-01-01', 'header', now64(9) + INTERVAL 1 DAY, 0",
    );
    let outcome = rebuild(&site.store, DateFilter::default(), site.margin, true, metrics(), |_| {}).await;
    assert!(matches!(outcome, Err(RebuildError::FromTheFuture(1))), "{outcome:?}");
    assert_eq!(site.sums("c", &[]).await, site.raw_sums("customer = 'c'"));
}
