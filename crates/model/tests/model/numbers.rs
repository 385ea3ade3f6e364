//! Units and quantities, against another decimal library.

use std::str::FromStr;

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use ethnum::I256;
use meterhouse_model::{Quantity, Units, UnitsError};
use proptest::prelude::*;
use serde::de::IgnoredAny;

const LARGEST: i128 = 99_999_999_999_999_999_999_999_999_999_999_999_999;

#[test]
fn text_is_read_exactly() {
    let table = [
        ("0", 0),
        ("-0", 0),
        ("-0.000", 0),
        ("0e999999999999999999999999", 0),
        ("0.0e-99999999999999999999", 0),
        ("1", 1_000_000_000_000_000_000),
        ("12.5", 12_500_000_000_000_000_000),
        ("-0.001", -1_000_000_000_000_000),
        ("1e-18", 1),
        ("0.000000000000000001", 1),
        ("0.0000000000000000010000000000", 1),
        ("10e-19", 1),
        ("1E+2", 100_000_000_000_000_000_000),
        ("1e19", 10_000_000_000_000_000_000_000_000_000_000_000_000),
        ("0.00001e24", 10_000_000_000_000_000_000_000_000_000_000_000_000),
        ("99999999999999999999.999999999999999999", LARGEST),
        ("-99999999999999999999.999999999999999999", -LARGEST),
        ("99999999999999999999999999999999999999e-18", LARGEST),
        ("123456789012345678.123456", 123_456_789_012_345_678_123_456_000_000_000_000),
    ];
    for (text, scaled) in table {
        assert_eq!(Units::parse(text), Ok(Units(scaled)), "{text}");
    }
}

#[test]
fn long_text_is_judged_by_its_value() {
    let zeros = "0".repeat(100_000);
    assert_eq!(Units::parse(&format!("1{zeros}e-100000")), Units::parse("1"));
    assert_eq!(Units::parse(&format!("0.{zeros}1e100001")), Units::parse("1"));
    assert_eq!(Units::parse(&format!("1.{zeros}")), Units::parse("1"));
    assert_eq!(Units::parse(&format!("0.{zeros}1")), Err(UnitsError::TooPrecise));
    assert_eq!(Units::parse(&format!("1{zeros}")), Err(UnitsError::TooLarge));
    assert_eq!(Units::parse(&"9".repeat(1_000_000)), Err(UnitsError::TooLarge));
}

#[test]
fn what_does_not_fit_is_refused() {
    for text in [
        "100000000000000000000",
        "1e20",
        "-1e20",
        "1e999999999999999999999",
        "1e20000000000",
        "100000000000000000000.5e-0",
    ] {
        assert_eq!(Units::parse(text), Err(UnitsError::TooLarge), "{text}");
    }
    for text in [
        "0.0000000000000000001",
        "1e-19",
        "1.5e-18",
        "1e-999999999999999999999",
        "99999999999999999999.9999999999999999999",
    ] {
        assert_eq!(Units::parse(text), Err(UnitsError::TooPrecise), "{text}");
    }
    assert_eq!(Units::parse("100000000000000000000.0000000000000000001"), Err(UnitsError::TooLarge), "both");
}

#[test]
fn only_json_numbers_are_numbers() {
    let invalid = [
        "",
        "-",
        "+1",
        "--1",
        "01",
        "-01",
        "00",
        ".5",
        "5.",
        "-.5",
        "1e",
        "1e+",
        "1e1.5",
        "1.5.5",
        " 1",
        "1 ",
        "1_000",
        "1,5",
        "1'000",
        "0x10",
        "NaN",
        "Infinity",
        "-inf",
        "1f",
        "１",
        "1\n",
        "1e 5",
        "e5",
        "1-1",
        "\u{2212}1",
    ];
    for text in invalid {
        assert_eq!(Units::parse(text), Err(UnitsError::Invalid), "{text:?}");
    }
}

#[test]
fn amounts_are_shown_plainly() {
    let table = [
        ("0", "0.0"),
        ("-0", "0.0"),
        ("12", "12.0"),
        ("12.50", "12.5"),
        ("1234567.25", "1234567.25"),
        ("1e-3", "0.001"),
        ("-0.5", "-0.5"),
        ("-1e-18", "-0.000000000000000001"),
        ("1e19", "10000000000000000000.0"),
        ("100", "100.0"),
    ];
    for (text, shown) in table {
        let units = Units::parse(text).unwrap();
        assert_eq!(units.to_string(), shown);
        assert_eq!(Quantity::from(units).to_string(), shown);
    }
    assert_eq!(Units(i128::MIN).to_string(), "-170141183460469231731.687303715884105728");
    assert_eq!(Quantity(I256::MIN).to_string().len(), "-".len() + 60 + ".".len() + 18 - 1);
}

#[test]
fn whole_amounts() {
    for (text, whole) in [("5", Some(5)), ("5.0", Some(5)), ("-3", Some(-3)), ("0.5", None), ("1e-18", None)]
    {
        assert_eq!(Units::parse(text).unwrap().whole(), whole, "{text}");
    }
}

#[test]
fn sums_beyond_256_bits_are_none() {
    let (most, one) = (Quantity(I256::MAX), Quantity(I256::ONE));
    assert_eq!(most.checked_add(one), None);
    assert_eq!(most.checked_add(Quantity(-I256::ONE)), Some(Quantity(I256::MAX - 1)));
}

#[test]
fn quantities_are_read_as_clickhouse_prints_them() {
    let largest = "9".repeat(58);
    for text in [
        "0",
        "12",
        "12.5",
        "-0.001",
        "0.000000000000000001",
        largest.as_str(),
        "-57896044618658097711785492504",
    ] {
        let shown = if text.contains('.') { text.to_owned() } else { format!("{text}.0") };
        assert_eq!(Quantity::parse(text).map(|quantity| quantity.to_string()), Some(shown));
    }
    for quantity in [Quantity(I256::MIN), Quantity(I256::MAX)] {
        assert_eq!(Quantity::parse(&quantity.to_string()), Some(quantity));
    }
    let too_large = "9".repeat(60);
    for text in [
        "",
        "-",
        ".",
        "1.",
        ".1",
        "+1",
        "1e5",
        "1 ",
        "0.0000000000000000001",
        "--1",
        "1.-1",
        too_large.as_str(),
    ] {
        assert_eq!(Quantity::parse(text), None, "{text:?}");
    }
}

/// Texts of JSON numbers, of any length around the limits.
fn number_text() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24}0{0,3})?([eE][+-]?[0-9]{1,2})?"
}

/// What another library says: the value, or why it is not one.
fn oracle(text: &str) -> Result<i128, UnitsError> {
    let value = BigDecimal::from_str(text).unwrap();
    if value.abs() >= BigDecimal::from_str("1e20").unwrap() {
        return Err(UnitsError::TooLarge);
    }
    let scaled = value * BigDecimal::from_str("1e18").unwrap();
    if !scaled.is_integer() {
        return Err(UnitsError::TooPrecise);
    }
    let (digits, _) = scaled.with_scale(0).into_bigint_and_exponent();
    Ok(i128::try_from(digits).unwrap())
}

proptest! {
    #![proptest_config(crate::cases(2000))]

    #[test]
    fn units_are_what_another_library_reads(text in number_text()) {
        prop_assert_eq!(Units::parse(&text).map(|units| units.0), oracle(&text));
    }

    #[test]
    fn units_round_trip(scaled in -LARGEST..=LARGEST, shift in 0..38_u32) {
        let units = Units(scaled / 10_i128.pow(shift));
        let text = units.to_string();
        prop_assert_eq!(Units::parse(&text), Ok(units));
        prop_assert_eq!(oracle(&text), Ok(units.0));
        let (whole, fraction) = text.split_once('.').unwrap();
        prop_assert!(fraction.len() == 1 || !fraction.ends_with('0'), "{}", text);
        prop_assert!(whole.trim_start_matches('-').len() == 1 || !whole.trim_start_matches('-').starts_with('0'));
        prop_assert_eq!(Quantity::from(units).to_string(), text.clone());
        prop_assert_eq!(Quantity::parse(&text), Some(Quantity::from(units)));
    }

    #[test]
    fn a_text_is_a_number_where_json_says_so(text in "[-+0-9.eE]{0,8}") {
        let is_number = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        prop_assert_eq!(Units::parse(&text) != Err(UnitsError::Invalid), is_number, "{}", text);
    }

    #[test]
    fn sums_are_exact(parts in proptest::collection::vec(-LARGEST..=LARGEST, 0..50)) {
        let sum = parts.iter().try_fold(Quantity::ZERO, |sum, part| sum.checked_add(Units(*part).into())).unwrap();
        let expected: BigInt = parts.iter().map(|part| BigInt::from(*part)).sum();
        let expected = BigDecimal::from_bigint(expected, 18);
        prop_assert_eq!(BigDecimal::from_str(&sum.to_string()).unwrap(), expected);
        prop_assert_eq!(Quantity::from_le_bytes(sum.0.to_le_bytes()), sum);
    }

    #[test]
    fn quantities_round_trip(bytes: [u8; 32]) {
        let quantity = Quantity::from_le_bytes(bytes);
        prop_assert_eq!(Quantity::parse(&quantity.to_string()), Some(quantity));
    }
}
