//! Billing months.

use std::fmt;

use crate::Day;

/// A month of the local calendar. Shown as `MM.YYYY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    /// Year of the Gregorian calendar.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
}

impl Month {
    /// The month that a day is in.
    pub fn of(day: Day) -> Self {
        let (year, month, _) = day.date();
        Self { year, month }
    }

    /// Months since the beginning of year 0: differences of indices are numbers of months.
    pub fn index(self) -> i64 {
        i64::from(self.year) * 12 + i64::from(self.month) - 1
    }

    /// The month of an index; the nearest one where the year would not fit.
    pub fn from_index(index: i64) -> Self {
        let least = i64::from(i32::MIN) * 12;
        let index = index.clamp(least, i64::from(i32::MAX) * 12 + 11);
        let year = i32::try_from(index.div_euclid(12)).unwrap_or_default();
        let month = u8::try_from(index.rem_euclid(12) + 1).unwrap_or_default();
        Self { year, month }
    }

    /// The month of ClickHouse's `toYYYYMM`: year * 100 + month.
    pub fn from_yyyymm(number: u32) -> Option<Self> {
        let month = u8::try_from(number % 100).ok()?;
        let year = i32::try_from(number / 100).ok()?;
        (1..=12).contains(&month).then_some(Self { year, month })
    }

    /// The month so many months later, or earlier.
    #[must_use]
    pub fn plus(self, months: i64) -> Self {
        Self::from_index(self.index().saturating_add(months))
    }

    /// Its first day.
    pub fn first_day(self) -> Day {
        Day::from_date(self.year, self.month, 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}.{:04}", self.month, self.year)
    }
}
