//! Every IANA zone: days and months partition the time line, and local times resolve as another library says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use chrono::{DateTime, Datelike, NaiveDateTime, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use meterhouse_model::{BillingZone, Day, Month};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Times of events are from here ...
const BEGIN: i64 = 0;
/// ... to before here: 2200-01-01T00:00:00Z.
const END: i64 = 84_006 * DAY;

#[test]
fn every_zone_is_a_partition() {
    in_every_zone(|zone, tz| {
        let days = check_days(zone, tz);
        check_months(zone);
        for &day in &days {
            check_local_times(zone, tz, day);
        }
    });
}

fn in_every_zone(check: impl Fn(&BillingZone, Tz) + Sync) {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(tz) = TZ_VARIANTS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    check(&BillingZone::new(tz.name()).unwrap(), *tz);
                }
            });
        }
    });
}

/// Starts of days ascend, and hold what is between them. Returns the days that do not have 24 hours.
fn check_days(zone: &BillingZone, tz: Tz) -> Vec<Day> {
    let name = zone.name();
    assert!(zone.day_start(Day::FIRST) <= BEGIN && zone.day_of(BEGIN) >= Day::FIRST, "{name}");
    assert!(zone.day_start(Day::END) >= END && zone.day_of(END - 1) < Day::END, "{name}");
    let mut odd = Vec::new();
    let mut start = zone.day_start(Day::FIRST);
    for number in Day::FIRST.0..Day::END.0 {
        let (day, next) = (Day(number), zone.day_start(Day(number + 1)));
        assert!(start <= next, "{name} {day}: the next day starts before it");
        if start == next {
            assert!(zone.day_of(start) > day, "{name} {day} is empty and holds something");
        } else {
            assert_eq!((zone.day_of(start), zone.day_of(next - 1)), (day, day), "{name}");
        }
        if next - start != DAY {
            odd.push(day);
        }
        if next - start != DAY || number % 97 == 0 {
            check_start(tz, day, start);
        }
        start = next;
    }
    odd
}

/// A day starts when the local clock first shows its 00:00, or jumps over it.
fn check_start(tz: Tz, day: Day, start: i64) {
    let midnight = DateTime::from_timestamp(i64::from(day.0) * 86_400, 0).unwrap().naive_utc();
    let (at, before) = (local(tz, start), local(tz, start - 1));
    assert!(
        at == midnight || (at > midnight && before < midnight),
        "{tz} {day} starts at {at} after {before}"
    );
    let earlier = (1..120).map(|quarter| local(tz, start - quarter * 900 * SECOND));
    assert!(earlier.into_iter().all(|earlier| earlier != midnight), "{tz} {day} starts earlier");
}

fn check_months(zone: &BillingZone) {
    let mut month = Month { year: 1970, month: 1 };
    let mut start = zone.month_start(month);
    while month.year < 2200 {
        assert_eq!(
            (zone.month_of(start), zone.month_of(start - 1)),
            (month, month.plus(-1)),
            "{}",
            zone.name()
        );
        let next = zone.month_start(month.plus(1));
        assert!(start < next, "{} {month}", zone.name());
        assert_eq!(zone.month_of(next - 1), month, "{}", zone.name());
        (month, start) = (month.plus(1), next);
    }
}

/// All quarters of an hour of a day that does not have 24 hours, against chrono's reading of the same rules.
fn check_local_times(zone: &BillingZone, tz: Tz, day: Day) {
    let (year, month, date) = day.date();
    for quarter in 0..96_u8 {
        let (hour, minute) = (quarter / 4, quarter % 4 * 15);
        let local = chrono::NaiveDate::from_ymd_opt(year, month.into(), date.into())
            .and_then(|date| date.and_hms_opt(hour.into(), minute.into(), 0))
            .unwrap();
        let expected = tz.from_local_datetime(&local).earliest().map(|time| time.timestamp_micros());
        let actual = zone.resolve_local(year, month, date, hour, minute, 0).ok();
        assert_eq!(actual, expected, "{tz} {local}");
    }
}

fn local(tz: Tz, micros: i64) -> NaiveDateTime {
    let time = DateTime::from_timestamp_micros(micros).unwrap().with_timezone(&tz).naive_local();
    assert!(time.year() > 1960, "{tz}");
    time
}

proptest! {
    #![proptest_config(crate::cases(100))]

    /// Beside the test of every zone's bounds above: any two instants, near to each other and to a bound or not.
    #[test]
    fn an_instant_is_in_one_month(
        tz in prop::sample::select(TZ_VARIANTS.as_slice()),
        places in prop::collection::vec(
            (
                1970 * 12..2200 * 12_i64,
                prop_oneof![-2..2_i64, -3 * DAY..3 * DAY, -40 * DAY..40 * DAY],
                prop_oneof![0..2_i64, 0..2 * DAY],
            ),
            100,
        ),
    ) {
        let zone = BillingZone::new(tz.name()).unwrap();
        for (month, distance, step) in places {
            let instant = zone.month_start(Month::from_index(month)) + distance;
            let (month, day) = (zone.month_of(instant), zone.day_of(instant));
            prop_assert_eq!(Month::of(day), month);
            prop_assert!(zone.month_start(month) <= instant && instant < zone.month_start(month.plus(1)));
            prop_assert!(zone.day_start(day) <= instant && instant < zone.day_start(Day(day.0 + 1)));
            prop_assert!(zone.month_of(instant + step) >= month && zone.day_of(instant + step) >= day);
            // The clock shows that month, or ran back over its bound.
            let shown = local(tz, instant);
            let shown = Month { year: shown.year(), month: u8::try_from(shown.month()).unwrap() };
            prop_assert!(shown == month || shown == month.plus(-1) && instant - zone.month_start(month) < DAY);
        }
    }
}
