//! Time text.

use std::sync::LazyLock;

use chrono::{DateTime, FixedOffset, SecondsFormat};
use meterhouse_model::{BillingZone, TimeError, parse_instant};
use proptest::prelude::*;

static UTC: LazyLock<BillingZone> = LazyLock::new(|| BillingZone::new("UTC").unwrap());

fn parse(text: &str) -> Result<i64, TimeError> {
    parse_instant(text, &UTC)
}

#[test]
fn both_forms_are_read() {
    let table = [
        ("1970-01-01 00:00:00", 0),
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01 00:00:00Z", 0),
        ("1970-01-01 01:00:00+01:00", 0),
        ("1969-12-31T23:30:00-00:30", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T00:00:00.0000019Z", 1),
        ("1970-01-01T00:00:00.5Z", 500_000),
        ("1970-01-01T00:00:00.123456789012345678901234567890+00:00", 123_456),
        ("2000-02-29 00:00:00", 951_782_400_000_000),
        ("2016-12-31 23:59:60", 1_483_228_799_999_999),
        ("2016-12-31T23:59:60.999Z", 1_483_228_799_999_999),
        ("2026-10-03T12:34:60Z", 1_791_030_899_999_999),
        ("2199-12-31T23:59:59.999999Z", 7_258_118_399_999_999),
        ("2200-01-01T00:59:59+01:00", 7_258_118_399_000_000),
    ];
    for (text, micros) in table {
        assert_eq!(parse(text), Ok(micros), "{text}");
    }
}

#[test]
fn other_forms_are_refused() {
    let form = [
        "",
        "2026",
        "2026-10-03",
        "2026-10-03 17:00",
        "2026-10-03T17:00:00",
        "2026-10-03 17:00:00.5",
        "2026-10-03 17:00:00 ",
        " 2026-10-03 17:00:00",
        "2026-10-03  17:00:00",
        "2026-10-03_17:00:00Z",
        "2026/10/03 17:00:00",
        "2026-10-03 17.00.00",
        "26-10-03 17:00:00",
        "2026-10-3 17:00:00",
        "+2026-10-03 17:00:00",
        "2026-10-03T17:00:00.Z",
        "2026-10-03T17:00:00,5Z",
        "2026-10-03T17:00:00+0200",
        "2026-10-03T17:00:00+02",
        "2026-10-03T17:00:00+2:00",
        "2026-10-03T17:00:00+24:00",
        "2026-10-03T17:00:00+02:60",
        "2026-10-03T17:00:00 +02:00",
        "2026-10-03T17:00:00ZZ",
        "2026-10-03T17:00:00[UTC]",
        "2026-10-03T17:00:00\u{2212}02:00",
        "２０２６-10-03 17:00:00",
        "2026-10-03T17:00:00é",
        "now",
        "20261003T170000Z",
        "2026-W40-6 17:00:00",
        "2026-10-03T17:00:00.5",
        "-026-10-03 17:00:00",
        "2026-10-03 1 :00:00",
    ];
    for text in form {
        assert_eq!(parse(text), Err(TimeError::Form), "{text}");
    }
    let calendar = [
        "2026-02-29 00:00:00",
        "2100-02-29 00:00:00",
        "2026-00-01 00:00:00",
        "2026-13-01 00:00:00",
        "2026-01-00 00:00:00",
        "2026-01-32 00:00:00",
        "2026-04-31 00:00:00",
        "2026-01-01 24:00:00",
        "2026-01-01 00:60:00",
        "2026-01-01 00:00:61",
        "0000-00-00 00:00:00",
        "2026-02-30T00:00:00Z",
    ];
    for text in calendar {
        assert_eq!(parse(text), Err(TimeError::Calendar), "{text}");
    }
    let range = [
        "1969-12-31 23:59:59",
        "1969-12-31T23:59:59.999999Z",
        "1970-01-01T00:59:59+01:00",
        "2200-01-01 00:00:00",
        "2199-12-31T23:00:00-01:00",
        "0000-01-01 00:00:00",
        "9999-12-31 23:59:60",
    ];
    for text in range {
        assert_eq!(parse(text), Err(TimeError::Range), "{text}");
    }
}

proptest! {
    #![proptest_config(crate::cases(2000))]

    #[test]
    fn rfc_3339_is_read_as_another_library_wrote_it(
        micros in 0..7_258_118_400_000_000_i64,
        minutes in -1439..=1439,
        digits in 0..4,
    ) {
        let offset = FixedOffset::east_opt(minutes * 60).unwrap();
        let time = DateTime::from_timestamp_micros(micros).unwrap().with_timezone(&offset);
        let format = [SecondsFormat::Secs, SecondsFormat::Millis, SecondsFormat::Micros, SecondsFormat::Nanos];
        let unit = [1_000_000, 1_000, 1, 1];
        let digits = usize::try_from(digits).unwrap();
        let text = time.to_rfc3339_opts(format[digits], micros % 2 == 0);
        prop_assert_eq!(parse(&text), Ok(micros - micros % unit[digits]), "{}", text);
        let text = text.replace('T', " ");
        prop_assert_eq!(parse(&text), Ok(micros - micros % unit[digits]), "{}", text);
    }

    #[test]
    fn local_time_in_utc_is_read_as_another_library_wrote_it(second in 0..7_258_118_400_i64) {
        let text = DateTime::from_timestamp(second, 0).unwrap().format("%Y-%m-%d %H:%M:%S").to_string();
        prop_assert_eq!(parse(&text), Ok(second * 1_000_000));
    }

    #[test]
    fn no_text_is_too_much(text in "[0-9TtZz:+. -]{0,40}|\\PC{0,30}") {
        let _verdict = parse(&text);
    }
}
