//! Values that are hard to carry: every one is allowed in an event.

use std::borrow::Cow;
use std::sync::OnceLock;

use meterhouse_model::{BillingZone, Change, Event, Identity, Record, Units};

use crate::database::utc;
use crate::sample::record;

/// Last microsecond before the year 2200.
const LATEST: i64 = 7_258_118_399_999_999;
/// Largest value of 20 digits before and 18 after the point.
pub(crate) const MOST_UNITS: i128 = 10_i128.pow(38) - 1;
const MONTH_MICROS: i64 = 30 * 86_400_000_000;

/// Texts whose order or escapes differ from one tool to the next.
pub(crate) const TEXTS: [&str; 32] = [
    "a",
    "A",
    "b",
    "ab",
    "a b",
    " a",
    "a ",
    "0",
    "9",
    "10",
    "'",
    "\"",
    "\\",
    "`",
    "\\'",
    "''",
    "\\N",
    "{x:String}",
    "?",
    "??",
    "%s",
    "--",
    ";",
    ",",
    "ä",
    "ß",
    "ÿ",
    "\u{7ff}",
    "\u{800}",
    "\u{ffff}",
    "\u{10000}",
    "\u{10ffff}",
];

/// A number that looks like none in particular, the same at every run (splitmix64).
pub(crate) fn scattered(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A distinct name for each number, of 128 bytes for some.
pub(crate) fn name(number: u64) -> String {
    let text = TEXTS[(number % 32) as usize];
    let name = format!("{text}{}", number / 32);
    if number.is_multiple_of(13) {
        format!("{name:~<0$}", 128 - name.len() + name.chars().count())
    } else {
        name
    }
}

/// An event and its record. Customers repeat after `customers` numbers, billed months after `months`; all numbers have
/// their own offset.
pub(crate) fn event(number: u64, customers: u64, months: u64) -> (Event<'static>, Record<'static>) {
    static LOS_ANGELES: OnceLock<BillingZone> = OnceLock::new();
    let west = LOS_ANGELES.get_or_init(|| BillingZone::new("America/Los_Angeles").unwrap());
    let zone = if number.is_multiple_of(2) { utc() } else { west };
    let random = scattered(number);
    let offset = i64::try_from(number).unwrap();
    let (start, end) = times(number, months);
    let billed_at = if start < end { end - 1 } else { end };
    let description = match number % 10 {
        0 => TEXTS[(random % 32) as usize].repeat(256),
        1..4 => TEXTS[(random % 32) as usize].to_owned(),
        _ => String::new(),
    };
    let event = Event {
        subscription: Cow::Owned(name(random % 5_000)),
        option_code: Cow::Owned(name(random % 300)),
        customer: Cow::Owned(if number.is_multiple_of(5) { String::new() } else { name(number % customers) }),
        description: Cow::Owned(description),
        identity: identity(number),
        index: if number.is_multiple_of(3) { 0 } else { u16::try_from(random % 1000).unwrap() },
        start,
        end,
        billed_at,
        billing_day: zone.day_of(billed_at),
        units: units(number),
        renewal_order_reference: [None, Some(1), Some(u64::MAX)][(random % 3) as usize],
        change: [Change::Create, Change::Amend(1), Change::Delete((1 << 31) - 1)][(random % 3) as usize],
        origin: number.is_multiple_of(4).then(|| Cow::Owned(format!(r#"{{"by":"{}"}}"#, number % 50))),
    };
    let timestamp_ms = [None, Some(0), Some(1_790_000_000_000 + offset)][(random % 3) as usize];
    let partition = [0, 7, i32::MAX][(random % 3) as usize];
    (event, Record { timestamp_ms, ..record(partition, offset) })
}

fn times(number: u64, months: u64) -> (i64, i64) {
    match number % 1000 {
        0 => (0, 0),
        1 => (0, 1),
        2 => (LATEST, LATEST),
        3 => (LATEST - 1, LATEST),
        _ => {
            let month = i64::try_from(number % months).unwrap() * MONTH_MICROS;
            let end =
                1_300_000_000_000_001 + month + i64::try_from(scattered(number) % 1_000_000_000_000).unwrap();
            (end - i64::try_from(number % 4).unwrap() * 60_000_000, end)
        }
    }
}

fn units(number: u64) -> Units {
    Units(match number % 8 {
        0 => MOST_UNITS,
        1 => -MOST_UNITS,
        2 => 0,
        3 => 1,
        4 => -1,
        _ => i128::from(scattered(number)) * 1_000_003 - i128::from(u64::MAX),
    })
}

fn identity(number: u64) -> Identity<'static> {
    match number % 3 {
        0 => Identity::EventId(Cow::Owned(name(number))),
        1 => Identity::CloudEvent {
            source: Cow::Owned(name(number % 10)),
            id: Cow::Owned(name(number)),
            index: u16::try_from(number % 7).unwrap(),
        },
        _ => Identity::Coordinates {
            topic: Cow::Borrowed("usage-events"),
            partition: 3,
            offset: i64::try_from(number).unwrap(),
            timestamp_ms: -1,
            index: 0,
        },
    }
}
