use super::*;

fn criteria(query: &str, body: &str) -> Result<UsageFilter, Refusal> {
    read(query, body.as_bytes(), &BillingZone::new("UTC").unwrap())
}

fn message(query: &str, body: &str) -> String {
    match criteria(query, body) {
        Err(Refusal::Invalid(message)) => message.into_owned(),
        other => panic!("{query} {body}: {other:?}"),
    }
}

#[test]
fn criteria_come_by_query_or_by_body() {
    let expected = UsageFilter {
        ends: Some((1_535_760_000_000_000, 1_538_351_999_000_000)),
        option_code: Some("scale".into()),
        renewal_order_reference: None,
        references: Some(vec![123_459_876]),
    };
    let query = "UsageReference=123459876&OptionCode=scale&IntervalStart=2018-09-01+00:00:00\
                 &IntervalEnd=2018-09-30%2023:59:59";
    let body = r#"{"UsageReference":123459876,"OptionCode":"scale","IntervalStart":"2018-09-01 00:00:00",
                   "IntervalEnd":"2018-09-30 23:59:59"}"#;
    assert_eq!(criteria(query, ""), Ok(expected.clone()));
    assert_eq!(criteria("", body), Ok(expected.clone()));
    let (start, end) = query.split_once("&IntervalStart").unwrap();
    let rest = r#"{"IntervalStart":"2018-09-01 00:00:00","IntervalEnd":"2018-09-30 23:59:59"}"#;
    assert_eq!(criteria(start, rest), Ok(expected), "{end}");
}

#[test]
fn nothing_is_deleted_by_mistake() {
    const NOTHING: &str =
        "At least one of UsageReference, OptionCode, IntervalStart and IntervalEnd must be given";
    for (query, body) in [("", ""), ("", "{}"), ("&", " \n"), ("", r#"{"OptionCode":null}"#)] {
        assert_eq!(message(query, body), NOTHING, "{query} {body}");
    }
    for (query, body, part) in [
        ("Usagereference=1", "", "Usagereference is no criterion"),
        ("OptionCode=a&Limit=5", "", "Limit is no criterion"),
        ("", r#"{"OptionCode":"a","option_code":"b"}"#, "unknown field `option_code`"),
        ("", r#"{"OptionCode":"a","OptionCode":"b"}"#, "duplicate field"),
        ("OptionCode=a&OptionCode=a", "", "OptionCode is given twice"),
        ("OptionCode=a", r#"{"OptionCode":"a"}"#, "OptionCode is given twice"),
        ("OptionCode=", "", "'OptionCode' must be an option code"),
        ("", r#"{"OptionCode":"a\u0000"}"#, "'OptionCode' must be an option code"),
        (
            "",
            &format!(r#"{{"OptionCode":"{}"}}"#, "x".repeat(500_000)),
            "'OptionCode' must be an option code",
        ),
        ("UsageReference=", "", "UsageReference must be a positive integer"),
        ("UsageReference=1.5", "", "UsageReference must be a positive integer"),
        ("", r#"{"UsageReference":-1}"#, "UsageReference must be a positive integer"),
        ("", r#"{"UsageReference":[1]}"#, "UsageReference must be a string or an integer"),
        ("IntervalStart=2018-09-01+00:00:00", "", "Both 'IntervalStart' and 'IntervalEnd'"),
        ("", "[]", "must be an object"),
        ("", r#"[1,"a",null,null]"#, "must be an object"),
        ("", "{", "must be an object"),
    ] {
        let message = message(query, body);
        assert!(message.contains(part), "{query} {body}: {message}");
    }
}
