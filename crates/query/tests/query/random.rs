//! Random usage, resends, changes and pauses, with a worker that is always at its heels.

use std::time::Duration;

use meterhouse_model::{BillingZone, Change, Day, Event, Ownership};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::site::{LIMIT, MARGIN, Site, ZONE, shared, usage, write};

const DATES: [&str; 12] = [
    "2026-03-07",
    "2026-03-08",
    "2026-03-09",
    "2026-03-30",
    "2026-03-31",
    "2026-04-01",
    "2026-04-30",
    "2026-05-01",
    "2026-10-31",
    "2026-11-01",
    "2026-12-31",
    "2027-01-01",
];

/// Around the margin: some dates become clean between two steps, others do not.
const PAUSES_MS: std::ops::Range<u64> = 0..4000;

/// One of few events, so that there are resends and changes of what was there before.
#[derive(Debug, Clone)]
struct Step {
    event: u32,
    change: Change,
    units: u32,
}

#[derive(Debug, Clone)]
struct Batch {
    steps: Vec<Step>,
    pause_ms: u64,
}

impl Step {
    fn event(&self) -> Event<'static> {
        let number = self.event;
        let customer = ["c", "d", ""][(number % 3) as usize];
        let subscription = ["s", "t"][(number / 3 % 2) as usize];
        let option = ["scale", "disk", "net"][(number / 6 % 3) as usize];
        // Local evenings are the next date in UTC, and of the next month at some of these.
        let date = DATES[(number / 7 % 12) as usize];
        let end = format!("{date} {:02}:00:00", 16 + number % 8);
        // A creation is the same each time.
        let units = if self.change == Change::Create { number } else { self.units };
        Event { change: self.change, ..usage(customer, subscription, option, &end, &format!("{units}.125")) }
    }
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let change = prop_oneof![
        3 => Just(Change::Create),
        2 => (1..4_u32).prop_map(Change::Amend),
        1 => (1..4_u32).prop_map(Change::Delete),
    ];
    let step = (0..200_u32, change, 0..1000_u32).prop_map(|(event, change, units)| {
        // The same revision says the same each time.
        let units = match change {
            Change::Amend(revision) => event * 10 + revision,
            _ => units,
        };
        Step { event, change, units }
    });
    let batch = (prop::collection::vec(step, 1..40), PAUSES_MS)
        .prop_map(|(steps, pause_ms)| Batch { steps, pause_ms });
    prop::collection::vec(batch, 1..8)
}

/// Customers `c` and `d` with the subscriptions that are theirs on some days, and the same as a condition in SQL.
fn questions() -> Vec<(&'static str, Vec<Ownership>, String)> {
    let zone = BillingZone::new(ZONE).unwrap();
    let middle = zone.day_of(meterhouse_model::parse_instant("2026-03-31 12:00:00", &zone).unwrap());
    let owned = |subscription: &str, from_day, to_day| Ownership {
        subscription: subscription.into(),
        from_day,
        to_day,
    };
    let days =
        |condition: &str| format!("customer = '' AND {condition} (toInt32(billing_day) >= {})", middle.0);
    vec![
        (
            "c",
            vec![owned("s", Day::FIRST, middle), owned("t", Day::FIRST, Day::END)],
            format!(
                "customer = 'c' OR ({} AND subscription = 's') OR (customer = '' AND subscription = 't')",
                days("NOT")
            ),
        ),
        (
            "d",
            vec![owned("s", middle, Day::END)],
            format!("customer = 'd' OR ({} AND subscription = 's')", days("")),
        ),
    ]
}

async fn check(site: &Site<'_>, when: &str) -> Result<(), TestCaseError> {
    for (customer, unnamed, condition) in questions() {
        let answer = site.sums(customer, &unnamed).await;
        prop_assert_eq!(answer, site.raw_sums(&condition), "{} {}", customer, when);
    }
    Ok(())
}

async fn play(batches: Vec<Batch>) -> Result<(), TestCaseError> {
    let site = Site::new(shared(), LIMIT, MARGIN).await;
    let worker = site.worker();
    for (number, batch) in batches.into_iter().enumerate() {
        let events: Vec<_> = batch.steps.iter().map(Step::event).collect();
        write(&site.store, &events).await;
        check(&site, &format!("after batch {number}")).await?;
        tokio::time::sleep(Duration::from_millis(batch.pause_ms)).await;
        check(&site, &format!("a while after batch {number}")).await?;
    }
    site.rolled_up().await;
    check(&site, "rolled up").await?;
    site.query("OPTIMIZE TABLE {db}.usage_daily FINAL");
    check(&site, "merged").await?;
    worker.end().await;
    Ok(())
}

#[test]
fn sums_are_those_of_the_events_at_every_step() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Config { cases: 5, max_shrink_iters: 10, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&batches(), |batches| runtime.block_on(play(batches))).unwrap();
}
