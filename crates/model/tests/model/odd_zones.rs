//! Zones whose clocks do something unusual, each by what is known of it.

use chrono::DateTime;
use meterhouse_model::{BillingZone, Day, Gap, Month, TimeError, parse_instant};

const HOUR: i64 = 3_600_000_000;

fn zone(name: &str) -> BillingZone {
    BillingZone::new(name).unwrap()
}

fn utc(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

fn day(text: &str) -> Day {
    let date: chrono::NaiveDate = text.parse().unwrap();
    let epoch = chrono::NaiveDate::default();
    Day(i32::try_from(date.signed_duration_since(epoch).num_days()).unwrap())
}

#[test]
fn days_start_when_the_clock_first_shows_midnight_or_jumps_over_it() {
    // Zone, day, its first instant, minutes that it lasts.
    let table = [
        ("UTC", "2026-10-03", "2026-10-03T00:00:00Z", 1440),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 1380),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 1500),
        // 00:00 is left out on the first of a month.
        ("America/Asuncion", "2017-10-01", "2017-10-01T04:00:00Z", 1380),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 1380),
        // The clock goes from 24:00 back to 23:00: the old day is longer.
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", 1500),
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z", 1440),
        // A whole day is left out.
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", 1440),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", 1440),
        ("Pacific/Kwajalein", "1993-08-21", "1993-08-21T12:00:00Z", 0),
        // One month of the year is an hour behind the others.
        ("Africa/Casablanca", "2026-02-15", "2026-02-14T23:00:00Z", 1500),
        ("Africa/Casablanca", "2026-03-22", "2026-03-22T00:00:00Z", 1380),
        // A quarter of an hour at the turn of a year.
        ("Asia/Kathmandu", "1986-01-01", "1985-12-31T18:30:00Z", 1425),
        // Midnight comes twice: the day starts at the first one.
        ("America/Havana", "2025-11-02", "2025-11-02T04:00:00Z", 1500),
        ("America/Havana", "2026-03-08", "2026-03-08T05:00:00Z", 1380),
        // Two hours.
        ("Antarctica/Troll", "2026-03-29", "2026-03-29T00:00:00Z", 1320),
        ("Antarctica/Troll", "2026-10-25", "2026-10-24T22:00:00Z", 1560),
        // Half an hour.
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 1470),
        // One minute after midnight the clock goes back into the day before: what follows stays in the new day.
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z", 1500),
        ("Africa/Cairo", "2023-04-28", "2023-04-27T22:00:00Z", 1380),
    ];
    for (name, date, start, minutes) in table {
        let (zone, day) = (zone(name), day(date));
        assert_eq!(zone.day_start(day), utc(start), "{name} {date}");
        let end = zone.day_start(Day(day.0 + 1));
        assert_eq!(end - zone.day_start(day), minutes * HOUR / 60, "{name} {date}");
        if minutes > 0 {
            assert_eq!(zone.day_of(utc(start)), day, "{name} {date}");
            assert_eq!(zone.day_of(end - 1), day, "{name} {date}");
        }
        assert!(zone.day_of(utc(start) - 1) < day, "{name} {date}");
    }
}

#[test]
fn local_times_in_a_gap_are_none_and_in_a_fold_the_earlier() {
    // Zone, local time, its instant.
    let table = [
        ("Europe/Berlin", "2026-03-29 01:59:59", Some("2026-03-29T00:59:59Z")),
        ("Europe/Berlin", "2026-03-29 02:00:00", None),
        ("Europe/Berlin", "2026-03-29 02:59:59", None),
        ("Europe/Berlin", "2026-03-29 03:00:00", Some("2026-03-29T01:00:00Z")),
        ("Europe/Berlin", "2026-10-25 02:00:00", Some("2026-10-25T00:00:00Z")),
        ("Europe/Berlin", "2026-10-25 02:59:59", Some("2026-10-25T00:59:59Z")),
        ("Europe/Berlin", "2026-10-25 03:00:00", Some("2026-10-25T02:00:00Z")),
        ("America/Asuncion", "2017-10-01 00:00:00", None),
        ("America/Asuncion", "2017-10-01 01:00:00", Some("2017-10-01T04:00:00Z")),
        ("Pacific/Apia", "2011-12-29 23:59:59", Some("2011-12-30T09:59:59Z")),
        ("Pacific/Apia", "2011-12-30 12:00:00", None),
        ("Pacific/Apia", "2011-12-31 00:00:00", Some("2011-12-30T10:00:00Z")),
        ("America/Sao_Paulo", "2018-02-17 23:30:00", Some("2018-02-18T01:30:00Z")),
        ("America/Havana", "2025-11-02 00:30:00", Some("2025-11-02T04:30:00Z")),
        ("Asia/Kathmandu", "1986-01-01 00:14:59", None),
        ("Asia/Kathmandu", "1986-01-01 00:15:00", Some("1985-12-31T18:30:00Z")),
        ("Antarctica/Troll", "2026-03-29 02:59:59", None),
        ("Antarctica/Troll", "2026-10-25 01:00:00", Some("2026-10-24T23:00:00Z")),
        ("Australia/Lord_Howe", "2026-04-05 01:45:00", Some("2026-04-04T14:45:00Z")),
        ("America/St_Johns", "2010-11-06 23:30:00", Some("2010-11-07T02:00:00Z")),
        // An offset of seconds: 44 minutes 30 behind.
        ("Africa/Monrovia", "1970-06-01 00:00:00", Some("1970-06-01T00:44:30Z")),
        // The first instant that a usage can have, from both sides.
        ("America/New_York", "1969-12-31 19:00:00", Some("1970-01-01T00:00:00Z")),
        ("Asia/Tokyo", "1970-01-01 09:00:00", Some("1970-01-01T00:00:00Z")),
    ];
    for (name, local, expected) in table {
        let expected = expected.map_or(Err(TimeError::Gap), |text| Ok(utc(text)));
        assert_eq!(parse_instant(local, &zone(name)), expected, "{name} {local}");
    }
}

#[test]
fn a_month_that_begins_in_a_gap_begins_after_it() {
    let zone = zone("America/Asuncion");
    let october = Month { year: 2017, month: 10 };
    assert_eq!(zone.month_start(october), utc("2017-10-01T04:00:00Z"));
    assert_eq!(zone.month_of(utc("2017-10-01T03:59:59.999999Z")), october.plus(-1));
    assert_eq!(zone.month_of(utc("2017-10-01T04:00:00Z")), october);
}

#[test]
fn what_is_no_local_time_is_refused() {
    let zone = zone("UTC");
    for (month, day, hour, minute, second) in [
        (0, 1, 0, 0, 0),
        (13, 1, 0, 0, 0),
        (2, 29, 0, 0, 0),
        (4, 31, 0, 0, 0),
        (1, 0, 0, 0, 0),
        (1, 1, 24, 0, 0),
    ] {
        assert_eq!(zone.resolve_local(2026, month, day, hour, minute, second), Err(Gap));
    }
    assert_eq!(zone.resolve_local(2026, 1, 1, 0, 60, 0), Err(Gap));
    assert_eq!(zone.resolve_local(2026, 1, 1, 0, 0, 60), Err(Gap));
    assert_eq!(zone.resolve_local(2024, 2, 29, 0, 0, 0), Ok(utc("2024-02-29T00:00:00Z")));
    assert!(BillingZone::new("Europe/Nowhere").is_err());
    assert!(BillingZone::new("europe/berlin").is_err());
    assert!(BillingZone::new("").is_err());
}

#[test]
fn far_away_instants_have_days_too() {
    for name in ["UTC", "Europe/Berlin", "Pacific/Kwajalein"] {
        let zone = zone(name);
        assert!(zone.day_of(i64::MIN) < Day::FIRST && zone.day_of(i64::MAX) > Day::END);
        assert_eq!(zone.day_start(Day(i32::MAX)), i64::MAX);
        assert_eq!(zone.day_start(Day(i32::MIN)), i64::MIN);
        for text in ["1850-06-01T12:00:00Z", "1969-12-20T12:00:00Z", "2250-06-01T12:00:00Z"] {
            let day = zone.day_of(utc(text));
            assert!(
                zone.day_start(day) <= utc(text) && utc(text) < zone.day_start(Day(day.0 + 1)),
                "{name} {text}"
            );
        }
    }
}

#[test]
fn the_fingerprint_tells_rules_of_the_past_apart() {
    let (berlin, calcutta) = (zone("Europe/Berlin"), zone("Asia/Calcutta"));
    let summer = berlin.fingerprint(utc("2026-06-01T00:00:00Z"));
    assert_eq!(summer.len(), 32);
    assert_eq!(summer, berlin.fingerprint(utc("2026-07-01T00:00:00Z")), "no change of the clock in between");
    assert_ne!(summer, berlin.fingerprint(utc("2026-12-01T00:00:00Z")));
    assert_ne!(summer, zone("Europe/Paris").fingerprint(utc("2026-06-01T00:00:00Z")), "1976 to 1980 differ");
    assert_eq!(
        calcutta.fingerprint(i64::MAX),
        zone("Asia/Kolkata").fingerprint(i64::MAX),
        "two names of one zone"
    );
    assert_eq!(zone("UTC").fingerprint(0), zone("UTC").fingerprint(i64::MAX));
}
