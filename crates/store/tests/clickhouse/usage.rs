//! Sums of usage by month are exact, and those of whoever owns the rows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use meterhouse_model::{BillingZone, Change, Day, Event, Month, Ownership, Quantity, Units};
use meterhouse_store::{SealedEvents, Store};

use crate::awkward::{self, MOST_UNITS, TEXTS, scattered};
use crate::database::{Database, NEVER, shared};
use crate::sample::{at, event, in_zone, of_customer, written};

/// Sum and number of records by month and option code.
type Sums = BTreeMap<(Month, String), (Quantity, u64)>;

fn add(sums: &mut Sums, month: Month, option_code: &str, total: Quantity, records: u64) {
    let sum = sums.entry((month, option_code.to_owned())).or_default();
    *sum = (sum.0.checked_add(total).unwrap(), sum.1 + records);
}

async fn read(store: &Store, customer: &str, unnamed: &[Ownership]) -> Sums {
    let mut sums = Sums::new();
    for usage in store.usage_by_month(customer, unnamed, NEVER).await.unwrap() {
        add(&mut sums, usage.month, &usage.option_code, usage.total, usage.records);
    }
    sums
}

/// The same, added up one by one.
fn naive<'e>(events: impl IntoIterator<Item = &'e Event<'static>>) -> Sums {
    let mut sums = Sums::new();
    for event in events {
        add(&mut sums, Month::of(event.billing_day), &event.option_code, event.units.into(), 1);
    }
    sums
}

fn owned(subscription: &str, from_day: Day, to_day: Day) -> Ownership {
    Ownership { subscription: subscription.to_owned(), from_day, to_day }
}

fn shown(sums: &Sums) -> Vec<String> {
    sums.iter()
        .map(|((month, option), (total, records))| format!("{month} {option} {total} {records}"))
        .collect()
}

async fn stored(batches: &[SealedEvents]) -> Database<'static> {
    let database = Database::migrated(shared()).await;
    for batch in batches {
        database.store().write(batch).await.unwrap();
    }
    database
}

#[tokio::test]
async fn rows_that_name_the_customer() {
    let zone = BillingZone::new("America/New_York").unwrap();
    let new =
        |id: &str, end: &str, units: &str| of_customer(in_zone(event("s", id, at(end), units), &zone), "c");
    let created = [
        new("1", "2026-10-03T18:00:00Z", "1.5"),
        new("2", "2026-11-01T02:00:00Z", "0.000000000000000001"), // October in New York
        new("3", "2026-11-01T04:00:00Z", "2"),                    // ends with October there
        new("4", "2026-11-01T04:00:00.000001Z", "-7"),            // November
        new("5", "2026-10-05T00:00:00Z", "100"),
        new("6", "2026-10-06T00:00:00Z", "100"),
        of_customer(new("7", "2026-10-06T00:00:00Z", "1000"), "C"),
        of_customer(new("8", "2026-10-06T00:00:00Z", "1000"), ""),
        Event { option_code: Cow::Borrowed("disk"), ..new("9", "2026-12-24T00:00:00Z", "0") },
    ];
    let changes = [
        Event { change: Change::Delete(1), ..new("5", "2026-10-05T00:00:00Z", "100") },
        Event { change: Change::Amend(1), ..new("6", "2026-10-06T00:00:00Z", "30") },
    ];
    let database = stored(&[written(&created), written(&changes)]).await;
    let expected = ["10.2026 scale 33.500000000000000001 4", "11.2026 scale -7.0 1", "12.2026 disk 0.0 1"];
    for merged in [false, true] {
        let sums = read(&database.store(), "c", &[]).await;
        assert_eq!(shown(&sums), expected, "merged: {merged}");
        database.run("OPTIMIZE TABLE usage_events FINAL").await;
    }
    assert_eq!(shown(&read(&database.store(), "nobody", &[]).await), Vec::<String>::new());
}

#[tokio::test]
async fn rows_that_name_nobody_are_the_owners_of_the_day() {
    let day = |text: &str| crate::database::utc().day_of(at(text));
    let noon = |subscription: &str, day: &str| event(subscription, day, at(&format!("{day}T12:00:00Z")), "1");
    let events = [
        noon("s", "2026-09-30"),
        noon("s", "2026-10-01"),
        noon("s", "2026-10-02"),
        noon("s", "2026-10-03"),
        noon("s", "2026-10-04"),
        noon("t", "2026-10-01"),
        noon("u", "2026-10-01"),
        of_customer(noon("s", "2026-10-02"), "named"),
    ];
    let database = stored(&[written(&events)]).await;
    let (second, third) = (day("2026-10-02T00:00:00Z"), day("2026-10-03T00:00:00Z"));
    let store = database.store();
    let before = [owned("s", Day::FIRST, second), owned("t", Day::FIRST, Day::END)];
    assert_eq!(shown(&read(&store, "a", &before).await), ["09.2026 scale 1.0 1", "10.2026 scale 2.0 2"]);
    let between = [owned("s", second, third)];
    assert_eq!(shown(&read(&store, "b", &between).await), ["10.2026 scale 1.0 1"]);
    let around = [owned("s", Day::FIRST, second), owned("s", third, Day::END)];
    assert_eq!(shown(&read(&store, "c", &around).await), ["09.2026 scale 1.0 1", "10.2026 scale 3.0 3"]);
    assert_eq!(shown(&read(&store, "d", &[owned("s", third, third)]).await), Vec::<String>::new());
    let named_too = read(&store, "named", &between).await;
    assert_eq!(shown(&named_too), ["10.2026 scale 2.0 2"], "its own row and that of its subscription");
    assert_eq!(
        shown(&read(&store, "", &between).await),
        ["10.2026 scale 1.0 1"],
        "nobody has no rows of its own"
    );
}

#[tokio::test]
async fn an_amended_billing_day_is_judged_by_the_version_that_counts() {
    // The same UTC date is two billing days in this zone: a filter before FINAL would bring the old version back.
    let zone = BillingZone::new("America/New_York").unwrap();
    let evening = in_zone(event("s", "e", at("2026-10-03T03:00:00Z"), "1"), &zone);
    let noon = in_zone(event("s", "e", at("2026-10-03T17:00:00Z"), "2"), &zone);
    let amended = Event { change: Change::Amend(1), ..noon };
    let (first, second) = (evening.billing_day, amended.billing_day);
    assert!(first < second);
    let database = stored(&[written(&[evening]), written(&[amended])]).await;
    let store = database.store();
    assert_eq!(shown(&read(&store, "a", &[owned("s", first, second)]).await), Vec::<String>::new());
    assert_eq!(shown(&read(&store, "b", &[owned("s", second, Day::END)]).await), ["10.2026 scale 2.0 1"]);
}

#[tokio::test]
async fn thousands_of_subscriptions_with_awkward_names() {
    let mut events = Vec::new();
    let mut ownerships = Vec::new();
    for number in 0..12_000 {
        let name = awkward::name(number);
        let end = at("2026-01-15T00:00:00Z") + i64::try_from(scattered(number) % 25_000_000_000_000).unwrap();
        let units = Units(i128::from(scattered(number)) << 20);
        events.push(Event { units, ..event(&name, "e", end, "0") });
        if number % 3 != 0 {
            ownerships.push(owned(&name, Day::FIRST, Day::END));
        }
    }
    let quoted: usize = ownerships.iter().map(|owned| owned.subscription.len() + 3).sum();
    assert!(quoted > 131_072, "more than one parameter can hold: {quoted}");
    let database = stored(&[written(&events)]).await;
    let expected =
        naive(events.iter().zip(0..).filter(|(_, number)| number % 3 != 0).map(|(event, _)| event));
    assert_eq!(read(&database.store(), "c", &ownerships).await, expected);
}

#[tokio::test]
async fn customers_and_options_with_awkward_names() {
    let end = at("2026-10-03T18:00:00Z");
    let named = |name: &'static str| {
        let event = of_customer(event("s", name, end, "1"), name);
        Event { option_code: Cow::Borrowed(name), ..event }
    };
    let events: Vec<_> = TEXTS.map(named).into();
    let database = stored(&[written(&events)]).await;
    for name in TEXTS {
        assert_eq!(shown(&read(&database.store(), name, &[]).await), [format!("10.2026 {name} 1.0 1")]);
    }
}

#[tokio::test]
async fn sums_are_exact_far_beyond_the_range_of_one_row() {
    let end = at("2026-10-03T18:00:00Z");
    let option = |code: &'static str, units: i128, id: usize| {
        let event = of_customer(event("s", &format!("{code}{id}"), end, "0"), "c");
        Event { option_code: Cow::Borrowed(code), units: Units(units), ..event }
    };
    let events: Vec<_> = (0..50_000)
        .flat_map(|id| [option("most", MOST_UNITS, id), option("least", -MOST_UNITS, id)])
        .chain((0..=1000).map(|id| option("even", if id % 2 == 0 { MOST_UNITS } else { -MOST_UNITS }, id)))
        .collect();
    let database = stored(&[written(&events)]).await;
    let sums = read(&database.store(), "c", &[]).await;
    assert_eq!(sums, naive(&events));
    let expected = [
        "10.2026 even 99999999999999999999.999999999999999999 1001",
        "10.2026 least -4999999999999999999999999.99999999999995 50000",
        "10.2026 most 4999999999999999999999999.99999999999995 50000",
    ];
    assert_eq!(shown(&sums), expected);
}

#[tokio::test]
async fn a_year_of_scattered_events_adds_up_as_one_by_one() {
    let mut events = Vec::new();
    for number in 0..20_000 {
        let (event, _) = awkward::event(number, 3, 12);
        let subscription = Cow::Owned(format!("s{}", number % 40));
        events.push(Event { subscription, change: Change::Create, ..event });
    }
    let mid = crate::database::utc().day_of(at("2011-09-01T00:00:00Z"));
    let ownerships =
        [owned("s5", Day::FIRST, mid), owned("s10", mid, Day::END), owned("s0", Day(15_200), Day(15_300))];
    let customer = awkward::name(1);
    let is_owned = |event: &&Event<'static>| {
        let mine = |owned: &Ownership| {
            owned.subscription == event.subscription
                && (owned.from_day..owned.to_day).contains(&event.billing_day)
        };
        event.customer == customer || event.customer.is_empty() && ownerships.iter().any(mine)
    };
    let database = stored(&[written(&events)]).await;
    let expected = naive(events.iter().filter(is_owned));
    assert!(expected.len() > 1_000, "{}", expected.len());
    assert_eq!(read(&database.store(), &customer, &ownerships).await, expected);
}
