//! The billing time zone: local times, days and months as instants.
//!
//! The rules of a zone are read from chrono-tz once, as a list of spans of constant offset. All that is local (gaps,
//! folds, starts of days) follows from that list and is decided here alone. chrono-tz knows changes of offset until
//! the year 2100; the last offset holds from there on.

use std::str::FromStr;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use xxhash_rust::xxh3::xxh3_128;

use crate::day::days_from_date;
use crate::{Day, Month};

/// Microseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000;
/// Seconds of a day of 24 hours.
pub(crate) const DAY_SECONDS: i64 = 86_400;

/// Where the list of spans begins and ends, in seconds: some days around the instants that a usage may have.
const SCAN_START: i64 = days_from_date(1969, 12, 28) * DAY_SECONDS;
const SCAN_END: i64 = days_from_date(2200, 1, 5) * DAY_SECONDS;
/// No zone has changed its offset and gone back to it within so short a time.
const SCAN_STEP: i64 = 12 * 3600;
/// Larger than every offset, in seconds.
const OFFSET_LIMIT: i64 = 24 * 3600;

/// The days whose starts are kept.
const TABLE_FIRST: i32 = Day::FIRST.0 - 1;
const TABLE_END: i32 = Day::END.0 + 1;

/// A time zone with the start of each of its days.
#[derive(Debug, Clone)]
pub struct BillingZone {
    name: &'static str,
    /// Ascending; the first begins before everything.
    spans: Vec<Span>,
    /// First instant, in seconds, of the days from `TABLE_FIRST` to `TABLE_END`. Days that do not exist are empty.
    day_starts: Vec<i64>,
}

/// A time of constant offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    /// First second, UTC.
    start: i64,
    /// Seconds that local time is ahead of UTC.
    offset: i64,
}

/// A name that is not an IANA time zone's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no time zone is named {0:?} in the IANA database")]
pub struct UnknownZone(pub String);

/// The local clock never shows such a time: it was put forward over it, or it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the local clock never shows this time")]
pub struct Gap;

impl BillingZone {
    /// Reads the rules of a zone, by its IANA name: `UTC`, `Europe/Berlin`.
    ///
    /// # Errors
    /// No zone has this name.
    pub fn new(name: &str) -> Result<Self, UnknownZone> {
        let zone = Tz::from_str(name).map_err(|_| UnknownZone(name.to_owned()))?;
        let mut zone = Self { name: zone.name(), spans: spans(zone), day_starts: Vec::new() };
        zone.day_starts = (TABLE_FIRST..=TABLE_END).map(|day| zone.first_second(day)).collect();
        Ok(zone)
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.name
    }

    /// The day that holds an instant, given in microseconds since the epoch: the last whose start is not later.
    pub fn day_of(&self, micros: i64) -> Day {
        let second = micros.div_euclid(SECOND);
        let table = &self.day_starts;
        if second < table[0] || second >= table[table.len() - 1] {
            return Day(whole_days(second + self.offset_at(second)));
        }
        // No offset is a whole day, so the guess is at most a few entries off.
        let guess = second.div_euclid(DAY_SECONDS) - i64::from(TABLE_FIRST);
        let mut place = usize::try_from(guess).unwrap_or_default().min(table.len() - 2);
        while table[place] > second {
            place -= 1;
        }
        while table[place + 1] <= second {
            place += 1;
        }
        Day(TABLE_FIRST + i32::try_from(place).unwrap_or_default())
    }

    /// The first instant of a day, in microseconds since the epoch: the earliest at which the clock shows its 00:00,
    /// or the first after the gap where 00:00 was left out. A day that was left out as a whole starts where the next
    /// one does.
    pub fn day_start(&self, day: Day) -> i64 {
        let place = i64::from(day.0) - i64::from(TABLE_FIRST);
        let second = match usize::try_from(place).ok().and_then(|place| self.day_starts.get(place)) {
            Some(second) => *second,
            None => self.first_second(day.0),
        };
        second.saturating_mul(SECOND)
    }

    /// The month that holds an instant, given in microseconds since the epoch.
    pub fn month_of(&self, micros: i64) -> Month {
        Month::of(self.day_of(micros))
    }

    /// The first instant of a month, in microseconds since the epoch.
    pub fn month_start(&self, month: Month) -> i64 {
        self.day_start(month.first_day())
    }

    /// The local date and time of an instant, `YYYY-MM-DD HH:MM:SS`, without a fraction.
    pub fn local_text(&self, micros: i64) -> String {
        let second = micros.div_euclid(SECOND);
        let local = second.saturating_add(self.offset_at(second));
        let (day, time) = (Day(whole_days(local)), local.rem_euclid(DAY_SECONDS));
        format!("{day} {:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60)
    }

    /// Seconds that the local clock is ahead of UTC at an instant, given in microseconds since the epoch.
    pub fn offset_seconds(&self, micros: i64) -> i64 {
        self.offset_at(micros.div_euclid(SECOND))
    }

    /// The instant, in microseconds since the epoch, at which the local clock shows a time: the earlier one where it
    /// does so twice. `month` and `day` count from 1.
    ///
    /// # Errors
    /// The clock never shows it, or there is no such date or time.
    pub fn resolve_local(
        &self,
        year: i32,
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
        second: u8,
    ) -> Result<i64, Gap> {
        let [year, month, day] = [i64::from(year), i64::from(month), i64::from(day)];
        let is_date =
            (1..=12).contains(&month) && (1..=crate::day::days_of_month(year, month)).contains(&day);
        if !is_date || hour > 23 || minute > 59 || second > 59 {
            return Err(Gap);
        }
        let time = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        let local = days_from_date(year, month, day) * DAY_SECONDS + time;
        self.resolve(local).map(|second| second.saturating_mul(SECOND)).ok_or(Gap)
    }

    /// The earliest second at which the local clock shows a time, given in seconds since its 1970-01-01 00:00:00.
    pub(crate) fn resolve(&self, local: i64) -> Option<i64> {
        let span = self.span_at(local - OFFSET_LIMIT);
        if self.spans.get(span + 1).is_none_or(|next| next.start > local + OFFSET_LIMIT) {
            // The offset does not change anywhere near.
            return Some(local - self.spans[span].offset);
        }
        self.spans_around(local).find_map(|(span, end)| {
            let second = local - span.offset;
            (span.start <= second && second < end).then_some(second)
        })
    }

    /// A hash over all changes of offset before an instant, given in microseconds since the epoch: another one means
    /// that another edition of the rules puts other instants into a day.
    pub fn fingerprint(&self, until_micros: i64) -> String {
        let past = self.spans.iter().filter(|span| span.start.saturating_mul(SECOND) < until_micros);
        let bytes: Vec<u8> =
            past.flat_map(|span| [span.start.to_le_bytes(), span.offset.to_le_bytes()]).flatten().collect();
        format!("{:032x}", xxh3_128(&bytes))
    }

    fn first_second(&self, day: i32) -> i64 {
        let midnight = i64::from(day) * DAY_SECONDS;
        // Where the clock leaves midnight out, the day begins with the span that starts beyond it.
        let after_gap = || {
            self.spans_around(midnight).find(|(span, _)| span.start.saturating_add(span.offset) > midnight)
        };
        self.resolve(midnight)
            .or_else(|| after_gap().map(|(span, _)| span.start))
            .unwrap_or(midnight - self.offset_at(midnight))
    }

    /// The spans in which the local clock might show a time, each with its end.
    fn spans_around(&self, local: i64) -> impl Iterator<Item = (Span, i64)> {
        let first = self.span_at(local.saturating_sub(OFFSET_LIMIT));
        let ends = self.spans[first + 1..].iter().map(|next| next.start).chain([i64::MAX]);
        self.spans[first..]
            .iter()
            .copied()
            .zip(ends)
            .take_while(move |(span, _)| span.start <= local.saturating_add(OFFSET_LIMIT))
    }

    fn offset_at(&self, second: i64) -> i64 {
        self.spans[self.span_at(second)].offset
    }

    fn span_at(&self, second: i64) -> usize {
        self.spans.partition_point(|span| span.start <= second).saturating_sub(1)
    }
}

/// Reads a zone's offsets: looks at one instant in every step and finds the second of each change between two.
fn spans(zone: Tz) -> Vec<Span> {
    let offset = |second: i64| {
        let utc = DateTime::from_timestamp(second, 0).unwrap_or_default().naive_utc();
        i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
    };
    let mut current = offset(SCAN_START);
    let mut spans = vec![Span { start: i64::MIN, offset: current }];
    let mut at = SCAN_START;
    while at < SCAN_END {
        let next = at + SCAN_STEP;
        if offset(next) == current {
            at = next;
            continue;
        }
        let (mut before, mut after) = (at, next);
        while after - before > 1 {
            let middle = before + (after - before) / 2;
            if offset(middle) == current { before = middle } else { after = middle }
        }
        at = after;
        current = offset(at);
        spans.push(Span { start: at, offset: current });
    }
    spans
}

fn whole_days(seconds: i64) -> i32 {
    let days = seconds.div_euclid(DAY_SECONDS);
    i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX })
}
