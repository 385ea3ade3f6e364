//! Sums by day count exactly where they are those of the events.
//!
//! Whether a date was answered from its sums shows when the events are taken away: then it is all that there is.

mod damage;
mod decision;
mod names;
mod scans;

use std::collections::BTreeMap;
use std::time::Duration;

use meterhouse_model::{Event, Month, Ownership, Quantity};
use meterhouse_store::{DateFilter, DateState, MarkedDate, ServerTime, Store};

use crate::database::{Database, NEVER, shared};
use crate::sample::{at, event, of_customer, written};

/// Short, so that a date is due at once.
pub(crate) const MARGIN: Duration = Duration::from_millis(5);

/// Sum and number of records by month and option code, as text.
type Sums = BTreeMap<(Month, String), (Quantity, u64)>;

async fn read_as(store: &Store, customer: &str, unnamed: &[Ownership], margin: Duration) -> Sums {
    let mut sums = Sums::new();
    for usage in store.usage_by_month(customer, unnamed, margin).await.unwrap() {
        let (total, records) = sums.entry((usage.month, usage.option_code)).or_default();
        (*total, *records) = (total.checked_add(usage.total).unwrap(), *records + usage.records);
    }
    sums.retain(|_, (_, records)| *records > 0);
    sums
}

/// The answer, which must be the same where every date is read from the events.
async fn exact(store: &Store, customer: &str, unnamed: &[Ownership]) -> Sums {
    let sums = read_as(store, customer, unnamed, MARGIN).await;
    assert_eq!(sums, read_as(store, customer, unnamed, NEVER).await, "clean and live dates differ");
    sums
}

fn shown(sums: &Sums) -> Vec<String> {
    sums.iter()
        .map(|((month, option), (total, records))| format!("{month} {option} {total} {records}"))
        .collect()
}

/// All dates that have a mark and are not clean.
async fn unclean(store: &Store) -> Vec<DateState> {
    let (mut all, mut page) = (Vec::new(), store.date_page(None).await.unwrap());
    loop {
        all.extend(store.unclean_dates(&page, &DateFilter::default(), MARGIN).await.unwrap());
        if page.is_last() {
            return all;
        }
        page = store.date_page(Some(&page)).await.unwrap();
    }
}

/// Scans dates as a worker does.
async fn scan(store: &Store, states: Vec<DateState>) -> ServerTime {
    let mut dates: Vec<_> =
        states.into_iter().map(|state| MarkedDate { date: state.date, mark: state.mark.unwrap() }).collect();
    dates.sort_by(|a, b| a.date.scan_order().cmp(&b.date.scan_order()));
    let mut last = ServerTime(0);
    for part in MarkedDate::scans(&dates, 1000) {
        last = store.server_time().await.unwrap();
        store.recompute(part, last).await.unwrap();
    }
    last
}

/// Writes events by a connection that has not written any marks: they are fresh for longer than the margin of these tests.
pub(crate) async fn write(database: &Database<'_>, events: &[Event<'static>]) {
    database.store().write(&written(events)).await.unwrap();
}

/// Makes all dates clean.
pub(crate) async fn roll_up(store: &Store) {
    tokio::time::sleep(MARGIN * 2).await;
    scan(store, unclean(store).await).await;
    assert_eq!(unclean(store).await, []);
}

/// A database with these events, and all of its dates clean.
async fn rolled_up(events: &[Event<'static>]) -> (Database<'static>, Store) {
    let database = Database::migrated(shared()).await;
    let store = database.store();
    write(&database, events).await;
    roll_up(&store).await;
    (database, store)
}

/// An hour of usage of customer `c`, at noon of a day.
fn noon(subscription: &str, day: &str, units: &str) -> Event<'static> {
    of_customer(event(subscription, day, at(&format!("{day}T12:00:00Z")), units), "c")
}
