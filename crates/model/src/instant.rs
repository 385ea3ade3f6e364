//! Time text of events and files.

use crate::BillingZone;
use crate::day::{days_from_date, days_of_month};
use crate::zone::{DAY_SECONDS, SECOND};

/// Times begin here and end before: 1970-01-01 and 2200-01-01, both 00:00 UTC, in microseconds.
const EARLIEST: i64 = 0;
const END: i64 = days_from_date(2200, 1, 1) * DAY_SECONDS * SECOND;
/// Length of `YYYY-MM-DD HH:MM:SS`.
const PLAIN_LENGTH: usize = 19;

/// Why a text is not a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Neither form of time text.
    #[error("neither YYYY-MM-DD HH:MM:SS nor RFC 3339 with an offset")]
    Form,
    /// A month, day, hour, minute or second that there is not.
    #[error("no such date or time of day")]
    Calendar,
    /// A local time that the clock was put forward over.
    #[error("the local clock was put forward over this time")]
    Gap,
    /// Before 1970 or after 2199.
    #[error("not in the years 1970 to 2199")]
    Range,
}

/// Reads a time: `YYYY-MM-DD HH:MM:SS` in the billing time zone, or RFC 3339 with an offset. Returns microseconds since
/// the epoch; digits beyond are cut. Second 60 is the last microsecond of its minute. Where the local clock shows a
/// time twice, it is the earlier instant.
///
/// # Errors
/// The text has neither form, is not on the calendar or the local clock, or not in the years 1970 to 2199 (UTC).
pub fn parse_instant(text: &str, zone: &BillingZone) -> Result<i64, TimeError> {
    let time = TimeText::split(text.as_bytes()).ok_or(TimeError::Form)?;
    let local = time.local_seconds()?;
    let second = match time.offset {
        Some(offset) => local - offset,
        None => zone.resolve(local).ok_or(TimeError::Gap)?,
    };
    let micros = second * SECOND + time.micros();
    if (EARLIEST..END).contains(&micros) { Ok(micros) } else { Err(TimeError::Range) }
}

/// Reads an RFC 3339 time, of any year of four digits.
pub(crate) fn parse_rfc3339(text: &str) -> Result<i64, TimeError> {
    let time = TimeText::split(text.as_bytes()).ok_or(TimeError::Form)?;
    let offset = time.offset.ok_or(TimeError::Form)?;
    Ok((time.local_seconds()? - offset) * SECOND + time.micros())
}

/// The numbers of a time text, not checked yet.
struct TimeText {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    fraction: i64,
    /// Seconds ahead of UTC. None: local time.
    offset: Option<i64>,
}

/// What `YYYY-MM-DD HH:MM:SS` looks like: the least byte of each place, and how many more there are. The place between
/// date and time is judged apart.
const LEAST: [u8; PLAIN_LENGTH] = *b"0000-00-00\x0000:00:00";
const MORE: [u8; PLAIN_LENGTH] = *b"\x09\x09\x09\x09\0\x09\x09\0\x09\x09\xff\x09\x09\0\x09\x09\0\x09\x09";

impl TimeText {
    fn split(text: &[u8]) -> Option<Self> {
        let (plain, rest) = text.split_first_chunk::<PLAIN_LENGTH>()?;
        let is_like = |place: usize| plain[place].wrapping_sub(LEAST[place]) <= MORE[place];
        // Without a way out in between, so that all places are looked at together.
        if !(0..PLAIN_LENGTH).fold(true, |all, place| all & is_like(place)) {
            return None;
        }
        let (fraction, offset) = match (plain[10], rest) {
            (b' ', []) => (0, None),
            (b'T' | b't' | b' ', _) => {
                let (fraction, rest) = split_fraction(rest)?;
                (fraction, Some(parse_offset(rest)?))
            }
            _ => return None,
        };
        let two = |place: usize| i64::from(plain[place] - b'0') * 10 + i64::from(plain[place + 1] - b'0');
        Some(Self {
            year: two(0) * 100 + two(2),
            month: two(5),
            day: two(8),
            hour: two(11),
            minute: two(14),
            second: two(17),
            fraction,
            offset,
        })
    }

    /// Seconds on the text's own clock since its 1970-01-01 00:00:00.
    fn local_seconds(&self) -> Result<i64, TimeError> {
        let is_date =
            (1..=12).contains(&self.month) && (1..=days_of_month(self.year, self.month)).contains(&self.day);
        if !is_date || self.hour > 23 || self.minute > 59 || self.second > 60 {
            return Err(TimeError::Calendar);
        }
        let days = days_from_date(self.year, self.month, self.day);
        Ok(days * DAY_SECONDS + self.hour * 3600 + self.minute * 60 + self.second.min(59))
    }

    fn micros(&self) -> i64 {
        if self.second == 60 { SECOND - 1 } else { self.fraction }
    }
}

/// The fraction in microseconds, and what follows it.
fn split_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.', digits @ ..] = text else { return Some((0, text)) };
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if digits.is_empty() {
        return None;
    }
    let kept = digits.iter().chain([b'0'; 6].iter()).take(6);
    Some((kept.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')), rest))
}

/// Seconds of `Z` or `+hh:mm`.
fn parse_offset(text: &[u8]) -> Option<i64> {
    match *text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
            let seconds = hours * 3600 + minutes * 60;
            (hours <= 23 && minutes <= 59).then_some(if sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then_some(i64::from(tens) * 10 + i64::from(ones))
}
