//! Names, owners and numbers of every kind.

use std::borrow::Cow;

use meterhouse_model::{BillingZone, Day, Units};

use super::*;
use crate::awkward::{self, MOST_UNITS, TEXTS, scattered};
use crate::sample::in_zone;

fn owned(subscription: &str, from_day: Day, to_day: Day) -> Ownership {
    Ownership { subscription: subscription.to_owned(), from_day, to_day }
}

#[tokio::test]
async fn names_of_any_kind() {
    let named = |name: &'static str, customer: &'static str| {
        let event = of_customer(event(name, name, at("2026-10-03T18:00:00Z"), "1"), customer);
        Event { option_code: Cow::Borrowed(name), ..event }
    };
    let events: Vec<_> = TEXTS.iter().flat_map(|name| [named(name, name), named(name, "")]).collect();
    let (database, store) = rolled_up(&events).await;
    for _ in 0..2 {
        for name in TEXTS {
            let sums = read_as(&store, name, &[owned(name, Day::FIRST, Day::END)], MARGIN).await;
            assert_eq!(shown(&sums), [format!("10.2026 {name} 2.0 2")]);
        }
        database.run("TRUNCATE TABLE usage_events").await;
    }
}

#[tokio::test]
async fn owners_of_billing_days_inside_of_a_utc_date() {
    let zone = BillingZone::new("Pacific/Auckland").unwrap();
    // Around the end of summer time there, every half hour.
    let first = at("2026-04-01T00:00:00Z");
    let events: Vec<_> = (0..384)
        .map(|half_hour| {
            let end = first + half_hour * 1_800_000_000;
            let units = Units(i128::from(half_hour) * 10_i128.pow(17) + 1);
            in_zone(Event { units, ..event("s", &half_hour.to_string(), end, "0") }, &zone)
        })
        .collect();
    let (database, store) = rolled_up(&events).await;
    let (first_day, last_day) = (events[0].billing_day.0, events.last().unwrap().billing_day.0);
    let expected = |owned: &[Ownership]| {
        let is_owned = |event: &&Event<'_>| {
            owned.iter().any(|owned| (owned.from_day..owned.to_day).contains(&event.billing_day))
        };
        let mine: Vec<_> = events.iter().filter(is_owned).collect();
        (mine.iter().map(|event| event.units.0).sum::<i128>(), mine.len() as u64)
    };
    let mut questions = Vec::new();
    for day in first_day - 1..=last_day + 1 {
        questions.push(vec![owned("s", Day(day), Day(day + 1))]);
        questions.push(vec![owned("s", Day::FIRST, Day(day)), owned("s", Day(day + 2), Day::END)]);
    }
    for round in ["clean", "some live", "clean without events"] {
        if round == "some live" {
            let changed = Event { units: events[100].units, ..events[100].clone() };
            write(&database, &[changed]).await;
        }
        if round == "clean without events" {
            roll_up(&store).await;
            database.run("TRUNCATE TABLE usage_events").await;
        }
        for question in &questions {
            let sums = read_as(&store, "whoever", question, MARGIN).await;
            let total = sums
                .values()
                .fold((0, 0), |sum, (total, records)| (sum.0 + total.0.as_i128(), sum.1 + records));
            assert_eq!(total, expected(question), "{round} {question:?}");
        }
    }
}

#[tokio::test]
async fn sums_beyond_128_bits() {
    let end = at("2026-10-03T18:00:00Z");
    let option = |code: &'static str, units: i128, id: usize| {
        let event = of_customer(event("s", &format!("{code}{id}"), end, "0"), "c");
        Event { option_code: Cow::Borrowed(code), units: Units(units), ..event }
    };
    let events: Vec<_> = (0..20_000)
        .flat_map(|id| [option("most", MOST_UNITS, id), option("least", -MOST_UNITS, id)])
        .collect();
    let (_database, store) = rolled_up(&events).await;
    let expected = [
        "10.2026 least -1999999999999999999999999.99999999999998 20000",
        "10.2026 most 1999999999999999999999999.99999999999998 20000",
    ];
    assert_eq!(shown(&exact(&store, "c", &[]).await), expected);
}

#[tokio::test]
async fn a_customer_with_three_thousand_subscriptions() {
    let mut events = Vec::new();
    for number in 0..6_000 {
        let end = at("2026-01-15T00:00:00Z") + i64::try_from(scattered(number) % 10_000_000_000_000).unwrap();
        let name = awkward::name(number % 3_000);
        let event = Event {
            units: Units(i128::from(scattered(number)) << 20),
            ..event(&name, &number.to_string(), end, "0")
        };
        events.push(if number % 2 == 0 { of_customer(event, "c") } else { event });
    }
    let ownerships: Vec<_> =
        (0..3_000).map(|number| owned(&awkward::name(number), Day::FIRST, Day::END)).collect();
    let (database, store) = rolled_up(&events).await;
    let right = exact(&store, "c", &ownerships).await;
    assert_eq!(right.values().map(|(_, records)| records).sum::<u64>(), 6_000);
    // One more in each subscription: all of those dates are live.
    let more: Vec<_> = (0..3_000)
        .map(|number| event(&awkward::name(number), "more", at("2026-03-01T12:00:00Z"), "1"))
        .collect();
    write(&database, &more).await;
    let sums = exact(&store, "c", &ownerships).await;
    assert_eq!(sums.values().map(|(_, records)| records).sum::<u64>(), 9_000);
    database.run("TRUNCATE TABLE usage_events").await;
    let clean = read_as(&store, "c", &ownerships, MARGIN).await;
    assert!(clean.values().map(|(_, records)| records).sum::<u64>() > 5_900, "most dates are clean");
}
