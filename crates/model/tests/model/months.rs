//! Dates and months.

use chrono::{Datelike, Days, NaiveDate};
use meterhouse_model::{Day, Month};

#[test]
fn days_are_the_dates_of_another_library() {
    let epoch = NaiveDate::default();
    let first = epoch - Days::new(800_000);
    for (date, number) in first.iter_days().zip(-800_000..800_000) {
        let (month, day) = (u8::try_from(date.month()).unwrap(), u8::try_from(date.day()).unwrap());
        assert_eq!(Day(number).date(), (date.year(), month, day));
        assert_eq!(Day::from_date(date.year(), month, day), Day(number));
    }
}

#[test]
fn days_and_months_are_shown() {
    assert_eq!(Day(0).to_string(), "1970-01-01");
    assert_eq!(Day(-1).to_string(), "1969-12-31");
    assert_eq!(Day(Day::END.0 - 1).to_string(), "2200-01-01");
    assert_eq!(Month { year: 2025, month: 4 }.to_string(), "04.2025");
    assert_eq!(Month::of(Day(-1)).to_string(), "12.1969");
}

#[test]
fn months_are_counted() {
    let december = Month { year: 2025, month: 12 };
    assert_eq!(december.index(), 2025 * 12 + 11);
    assert_eq!(december.plus(1), Month { year: 2026, month: 1 });
    assert_eq!(december.plus(-12), Month { year: 2024, month: 12 });
    assert_eq!(december.plus(0), december);
    assert_eq!(december.first_day(), Day::from_date(2025, 12, 1));
    for index in -30..30_000 {
        let month = Month::from_index(index);
        assert_eq!(month.index(), index);
        assert_eq!(Month::of(month.first_day()), month);
        assert_eq!(Month::of(Day(month.first_day().0 - 1)), month.plus(-1));
        assert!(month < month.plus(1));
    }
}

#[test]
fn months_far_away_are_kept_within_bounds() {
    for index in [i64::MIN, i64::MAX] {
        let month = Month::from_index(index);
        assert_eq!(Month::from_index(month.index()), month);
        let _far_away = month.first_day();
    }
    assert_eq!(Month { year: 2025, month: 1 }.plus(i64::MAX), Month::from_index(i64::MAX));
}

#[test]
fn months_are_read_from_numbers() {
    assert_eq!(Month::from_yyyymm(202_504), Some(Month { year: 2025, month: 4 }));
    for number in [0, 202_500, 202_513, 99] {
        assert_eq!(Month::from_yyyymm(number), None, "{number}");
    }
}
