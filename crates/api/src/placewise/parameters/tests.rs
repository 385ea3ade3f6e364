use proptest::prelude::*;

use super::*;

fn range(from: Option<u32>, to: Option<u32>) -> Result<Range, String> {
    Ok(Range::new(from, to).unwrap())
}

fn parsed(query: &str) -> Result<Range, String> {
    parse(query).map_err(|invalid| {
        let body = serde_json::to_value(&invalid).unwrap();
        assert_eq!(body["error"], "Invalid parameters");
        body["details"].to_string()
    })
}

const NOT_AN_INTEGER: &str = r#"[{"error":"not_an_integer"}]"#;

#[test]
fn offsets_are_optional() {
    assert_eq!(parsed(""), range(None, None));
    assert_eq!(parsed("from_offset=24"), range(Some(24), None));
    assert_eq!(parsed("to_offset=3"), range(None, Some(3)));
    assert_eq!(parsed("from_offset=1&to_offset=1"), range(Some(1), Some(1)));
    assert_eq!(parsed("to_offset=0&from_offset=0"), range(Some(0), Some(0)));
    assert_eq!(parsed("page=2&From_Offset=x&&=&from=5"), range(None, None));
}

#[test]
fn the_query_is_decoded() {
    assert_eq!(parsed("from%5Foffset=%31%32"), range(Some(12), None));
    assert_eq!(parsed("from_offset=1%26to_offset=1"), Err(format!(r#"{{"from_offset":{NOT_AN_INTEGER}}}"#)));
}

#[test]
fn integers_of_any_length_and_nothing_else() {
    for (text, value) in
        [("0", 0), ("5", 5), ("05", 5), ("-0", 0), ("-000", 0), ("00000000000000000000024", 24)]
    {
        assert_eq!(parsed(&format!("from_offset={text}")), range(Some(value), None), "{text}");
    }
    let refused = [
        "",
        "+5",
        "%2B5",
        "%205",
        "5%20",
        "5+",
        "5.0",
        "5e0",
        "0x5",
        "1_0",
        "-",
        "--1",
        "abc",
        "null",
        "%D9%A3",
        "%",
        "%zz",
        "%FF",
        "5%00",
        "5%0A",
        "1,2",
        "%EF%BC%95",
    ];
    for text in refused {
        let expected = Err(format!(r#"{{"from_offset":{NOT_AN_INTEGER}}}"#));
        assert_eq!(parsed(&format!("from_offset={text}")), expected, "{text}");
    }
    assert_eq!(parsed("to_offset"), Err(format!(r#"{{"to_offset":{NOT_AN_INTEGER}}}"#)));
}

#[test]
fn bounds_of_from_offset() {
    for text in ["25", "4294967295", "4294967296", "99999999999999999999"] {
        let expected = r#"{"from_offset":[{"error":"less_or_equal_to","options":{"number":24}}]}"#;
        assert_eq!(parsed(&format!("from_offset={text}")), Err(expected.into()), "{text}");
    }
    for text in ["-1", "-99999999999999999999"] {
        let expected = r#"{"from_offset":[{"error":"greater_or_equal_to","options":{"number":0}}]}"#;
        assert_eq!(parsed(&format!("from_offset={text}")), Err(expected.into()), "{text}");
    }
}

#[test]
fn bounds_of_to_offset() {
    assert_eq!(
        parsed("to_offset=99999999999999999999"),
        range(None, Some(u32::MAX)),
        "no maximum of its own"
    );
    for text in ["3", "25", "99999999999999999999"] {
        let expected = r#"{"to_offset":[{"error":"less_or_equal_to","options":{"number":2}}]}"#;
        assert_eq!(parsed(&format!("from_offset=2&to_offset={text}")), Err(expected.into()), "{text}");
    }
    let expected = r#"{"to_offset":[{"error":"greater_or_equal_to","options":{"number":0}}]}"#;
    assert_eq!(parsed("from_offset=2&to_offset=-1"), Err(expected.into()));
}

#[test]
fn all_wrong_parameters_come_at_once() {
    let both = format!(r#"{{"from_offset":{NOT_AN_INTEGER},"to_offset":{NOT_AN_INTEGER}}}"#);
    assert_eq!(parsed("from_offset=x&to_offset="), Err(both.clone()));
    assert_eq!(parsed("from_offset=1&to_offset=1&from_offset=1&to_offset=1"), Err(both));
    let expected = concat!(
        r#"{"from_offset":[{"error":"less_or_equal_to","options":{"number":24}}],"#,
        r#""to_offset":[{"error":"greater_or_equal_to","options":{"number":0}}]}"#
    );
    assert_eq!(parsed("from_offset=25&to_offset=-1"), Err(expected.into()));
    // A start that is wrong itself is nothing to hold the end against.
    let expected = r#"{"from_offset":[{"error":"less_or_equal_to","options":{"number":24}}]}"#;
    assert_eq!(parsed("from_offset=25&to_offset=30"), Err(expected.into()));
}

proptest! {
    #[test]
    fn no_query_makes_it_panic(query in "(from_offset|to_offset|=|&|%|[0-9+-]|.){0,30}") {
        let _ = parse(&query);
    }

    /// Held against arithmetic in a wider type.
    #[test]
    fn numbers_are_judged_by_value(from in -30_i128..40, to in -30_i128..40, zeros in 0_usize..30) {
        let text = |n: i128| format!("{}{}{}", if n < 0 { "-" } else { "" }, "0".repeat(zeros), n.abs());
        let valid = (0..=24).contains(&from) && (0..=from).contains(&to);
        let result = parse(&format!("from_offset={}&to_offset={}", text(from), text(to)));
        prop_assert_eq!(result.is_ok(), valid);
        if let Ok(range) = result {
            let months = |n: i128| u32::try_from(n).ok();
            prop_assert_eq!(Some(range), Range::new(months(from), months(to)));
        }
    }
}
