use super::*;

fn message(body: &str) -> String {
    match amendment(body.as_bytes()) {
        Err(Refusal::Invalid(message)) => message.into_owned(),
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn what_is_not_given_stays() {
    let units = |text| Some(Units::parse(text).unwrap());
    for (body, expected) in [
        ("{}", Amendment::default()),
        (r#"{"Units":null,"Description":null}"#, Amendment::default()),
        (r#"{"Units":0.10}"#, Amendment { units: units("0.1"), description: None }),
        (
            r#"{"Units":"9007199254740993","Description":""}"#,
            Amendment { units: units("9007199254740993"), description: Some(String::new()) },
        ),
    ] {
        assert_eq!(amendment(body.as_bytes()), Ok(expected), "{body}");
    }
}

#[test]
fn nothing_else_may_be_changed() {
    for (body, part) in [
        ("", "must be an object"),
        ("5", "must be an object"),
        (r#"[1,"d"]"#, "must be an object"),
        (r#"{"OptionCode":"x"}"#, "unknown field `OptionCode`"),
        (r#"{"units":1}"#, "unknown field `units`"),
        (r#"{"Units":1,"Units":2}"#, "duplicate field `Units`"),
        (r#"{"Units":"x"}"#, "Units: not a decimal number"),
        (r#"{"Units":true}"#, "Units: not a decimal number"),
        (r#"{"Units":1e30}"#, "Units: more than 20 digits before the point"),
        (r#"{"Description":1}"#, "must be an object"),
    ] {
        assert!(message(body).contains(part), "{body}: {}", message(body));
    }
}
