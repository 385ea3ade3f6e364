use super::*;

fn zone() -> BillingZone {
    BillingZone::new("Europe/Berlin").unwrap()
}

fn message(query: &str) -> String {
    match parse(query, &zone()) {
        Err(Refusal::Invalid(message)) => message.into_owned(),
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn nothing_is_required_and_others_are_ignored() {
    let expected = Parameters { page: 1, limit: 10, filter: UsageFilter::default() };
    for query in ["", "page=x&limit=0", "&&=&X"] {
        assert_eq!(parse(query, &zone()), Ok(expected.clone()), "{query}");
    }
}

#[test]
fn all_parameters() {
    let query = "IntervalStart=2018-09-01%2000:00:00&IntervalEnd=2018-09-30+23:59:59&Page=3&Limit=100&OptionCode=a%26b\
                 &RenewalOrderReference=42";
    let parsed = parse(query, &zone()).unwrap();
    let filter = UsageFilter {
        // Two hours before UTC.
        ends: Some((1_535_752_800_000_000, 1_538_344_799_000_000)),
        option_code: Some("a&b".into()),
        renewal_order_reference: Some(42),
        references: None,
    };
    assert_eq!(parsed, Parameters { page: 3, limit: 100, filter });
    assert_eq!(parse("Page=99999999999999999999", &zone()).unwrap().page, u64::MAX);
}

#[test]
fn intervals_of_any_years_are_as_far_as_there_can_be_usage() {
    let ends = |start: &str, end: &str| {
        parse(&format!("IntervalStart={start}&IntervalEnd={end}"), &zone()).unwrap().filter.ends.unwrap()
    };
    assert_eq!(ends("0001-01-01 00:00:00", "9999-12-31 23:59:59"), (i64::MIN, i64::MAX));
    assert_eq!(ends("1970-01-01 00:59:59", "2200-01-01 01:00:00"), (i64::MIN, i64::MAX));
    assert_eq!(ends("1970-01-01 01:00:00", "2200-01-01 00:59:59"), (0, 7_258_118_399_000_000));
}

#[test]
fn the_first_wrong_parameter_is_told_in_the_vendors_words() {
    const PAGE: &str = "The Page parameter must be a positive integer higher than or equal to 1.";
    const LIMIT: &str = "The Limit parameter must be a positive integer lower than 100";
    const BOTH: &str = "Both 'IntervalStart' and 'IntervalEnd' parameters must be provided";
    const START: &str = "'IntervalStart' must be provided in the following format:YYYY-MM-DD HH:MM:SS";
    const END: &str = "'IntervalEnd' must be provided in the following format:YYYY-MM-DD HH:MM:SS";
    const RENEWAL: &str = "If provided, 'RenewalOrderReference' must be a positive integer.";
    for (query, expected) in [
        ("Page=0", PAGE),
        ("Page=-1", PAGE),
        ("Page=1.0", PAGE),
        ("Page=", PAGE),
        ("Page=x&Limit=x", PAGE),
        ("Page=1&Page=1", PAGE),
        ("Limit=0", LIMIT),
        ("Limit=101", LIMIT),
        ("Limit=%2B5", LIMIT),
        ("Limit=5&Limit=5", LIMIT),
        ("IntervalStart=2018-09-01 00:00:00", BOTH),
        ("IntervalEnd=2018-09-01 00:00:00", BOTH),
        ("IntervalStart=2018-09-01&IntervalEnd=2018-09-02 00:00:00", START),
        ("IntervalStart=&IntervalEnd=", START),
        ("IntervalStart=2018-09-01T00:00:00Z&IntervalEnd=2018-09-02 00:00:00", START),
        ("IntervalStart=2018-02-29 00:00:00&IntervalEnd=2018-09-02 00:00:00", START),
        ("IntervalStart=2018-09-01 00:00:00&IntervalEnd=2018-09-02 24:00:00", END),
        ("IntervalStart=2018-09-01 00:00:00&IntervalEnd=2018-03-25 02:30:00", END),
        ("RenewalOrderReference=0", RENEWAL),
        ("RenewalOrderReference=a", RENEWAL),
        ("RenewalOrderReference=", RENEWAL),
        ("OptionCode=", WRONG_OPTION),
        ("OptionCode=a&OptionCode=b", WRONG_OPTION),
        ("OptionCode=a%00", WRONG_OPTION),
        ("OptionCode=%C2%9B", WRONG_OPTION),
        (&format!("OptionCode={}", "x".repeat(129)), WRONG_OPTION),
    ] {
        assert_eq!(message(query), expected, "{query}");
    }
}
