use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const CURRENT: i64 = 2026 * 12 + 9; // October 2026

fn usage(option_code: &str, month: i64, total: &str) -> Usage {
    let total = Quantity::parse(total).unwrap();
    let (subscription, month) = (String::from("s"), Month::from_index(month));
    Usage { subscription, option_code: option_code.into(), month, total, records: 1, latest_end: 0 }
}

fn catalog() -> Catalog {
    let toml = "[[option]]\ncode='scale'\nservice='compute'\n[[option]]\ncode='burst'\nservice='compute'\n\
                [[option]]\ncode='disk'\nservice='storage'\n";
    Catalog::from_toml(toml).unwrap()
}

/// `MM.YYYY: service=usage ...`, a line a month.
fn report(usage: &[Usage], from: Option<u32>, to: Option<u32>) -> Vec<String> {
    let range = Range::new(from, to).unwrap();
    let months = months(usage, &catalog(), range, Month::from_index(CURRENT)).unwrap();
    let line = |month: &MonthUsage| {
        let services = month.services.iter().map(|used| format!(" {}={}", used.service, used.usage));
        format!("{}:{}", month.month, services.collect::<String>())
    };
    months.iter().map(line).collect()
}

#[test]
fn all_months_from_the_first_to_the_last_usage_with_all_services() {
    let used = [
        usage("scale", CURRENT - 1, "12"),
        usage("burst", CURRENT - 1, "0.5"),
        usage("unknown", CURRENT - 4, "1"),
        usage("disk", CURRENT - 3, "0"),
    ];
    let expected = [
        "06.2026: compute=0.0 storage=0.0 unknown=1.0",
        "07.2026: compute=0.0 storage=0.0 unknown=0.0",
        "08.2026: compute=0.0 storage=0.0 unknown=0.0",
        "09.2026: compute=12.5 storage=0.0 unknown=0.0",
    ];
    assert_eq!(report(&used, None, None), expected);
}

#[test]
fn the_range_may_begin_before_and_end_after_all_usage() {
    let used = [usage("disk", CURRENT - 10, "3"), usage("scale", CURRENT - 3, "2")];
    let expected = ["06.2026: compute=0.0 storage=0.0", "07.2026: compute=2.0 storage=0.0"];
    assert_eq!(report(&used, Some(4), None), expected, "services of the whole life, months of the range");
    assert_eq!(report(&used, Some(0), Some(0)), ["10.2026: compute=0.0 storage=0.0"]);
    assert_eq!(report(&used, Some(24), Some(0)).len(), 25);
    assert_eq!(report(&used, Some(24), Some(24)), ["10.2024: compute=0.0 storage=0.0"]);
    assert_eq!(report(&used, None, Some(10)), ["12.2025: compute=0.0 storage=3.0"]);
}

#[test]
fn nothing_where_nothing_is_used_or_the_range_ends_before_it_starts() {
    assert!(report(&[], Some(24), Some(0)).is_empty());
    let used = [usage("disk", CURRENT - 3, "1")];
    assert!(report(&used, Some(1), None).is_empty());
    assert!(report(&used, None, Some(4)).is_empty());
    assert!(report(&used, None, Some(u32::MAX)).is_empty());
    let none = Usage { records: 0, ..usage("disk", CURRENT, "0") };
    assert!(report(&[none], None, None).is_empty(), "a sum of no records is no usage");
}

#[test]
fn future_months_are_listed_if_they_hold_usage() {
    let used = [usage("disk", CURRENT + 1, "1")];
    assert_eq!(report(&used, Some(0), None), ["10.2026: storage=0.0", "11.2026: storage=1.0"]);
    assert_eq!(report(&used, None, None), ["11.2026: storage=1.0"]);
    assert!(report(&used, None, Some(0)).is_empty());
}

#[test]
fn usage_older_than_the_largest_offset_is_listed_without_one() {
    let used = [usage("disk", CURRENT - 30, "1"), usage("disk", CURRENT, "1")];
    assert_eq!(report(&used, None, None).len(), 31);
}

#[test]
fn an_unknown_option_may_bear_the_name_of_a_service() {
    let used =
        [usage("compute", CURRENT, "1"), usage("scale", CURRENT, "-1.5"), usage("Zebra", CURRENT, "-0.0")];
    assert_eq!(report(&used, None, None), ["10.2026: Zebra=0.0 compute=-0.5"]);
}

#[test]
fn a_sum_that_does_not_fit_is_an_error() {
    let huge = Quantity::from_le_bytes([[0xff; 31].as_slice(), &[0x7f]].concat().try_into().unwrap());
    let used = [Usage { total: huge, ..usage("scale", CURRENT, "0") }, usage("burst", CURRENT, "1")];
    let range = Range::new(None, None).unwrap();
    assert_eq!(months(&used, &catalog(), range, Month::from_index(CURRENT)), Err(SumTooLarge));
}

/// The rules once more, as naively as they can be put, with amounts in thousandths.
fn naive(used: &[(usize, i64, i64)], from: Option<u32>, to: Option<u32>) -> Vec<String> {
    const SERVICES: [&str; 5] = ["compute", "compute", "storage", "other", "Other"];
    let mut sums: BTreeMap<(i64, &str), i64> = BTreeMap::new();
    for (code, month, thousandths) in used {
        *sums.entry((*month, SERVICES[*code])).or_insert(0) += thousandths;
    }
    let mut lines = Vec::new();
    let Some(first) = used.iter().map(|used| used.1).min() else { return lines };
    let last = used.iter().map(|used| used.1).max().unwrap();
    let start = from.map_or(first, |months| CURRENT - i64::from(months));
    let end = to.map_or(last, |months| CURRENT - i64::from(months));
    for month in start..=end {
        let mut line = format!("{:02}.{}:", month % 12 + 1, month / 12);
        for service in ["Other", "compute", "other", "storage"] {
            if sums.keys().any(|(_, used)| *used == service) {
                let sum = sums.get(&(month, service)).copied().unwrap_or(0);
                let digits = format!("{:04}", sum.abs());
                let (whole, fraction) = digits.split_at(digits.len() - 3);
                let fraction = fraction.trim_end_matches('0');
                let fraction = if fraction.is_empty() { "0" } else { fraction };
                line += &format!(" {service}={}{whole}.{fraction}", if sum < 0 { "-" } else { "" });
            }
        }
        lines.push(line);
    }
    lines
}

proptest! {
    #[test]
    fn agrees_with_the_naive_report(
        used in prop::collection::vec((0_usize..5, CURRENT - 40..CURRENT + 5, -3_000_i64..5_000), 0..40),
        from in prop::option::of(0_u32..=24),
        to in prop::option::of(0_u32..60),
    ) {
        const CODES: [&str; 5] = ["scale", "burst", "disk", "other", "Other"];
        let rows = used.iter().map(|(code, month, thousandths)| {
            let total = format!("{}{}.{:03}", if *thousandths < 0 { "-" } else { "" }, thousandths.abs() / 1000, thousandths.abs() % 1000);
            usage(CODES[*code], *month, &total)
        });
        prop_assert_eq!(report(&rows.collect::<Vec<_>>(), from, to), naive(&used, from, to));
    }
}
