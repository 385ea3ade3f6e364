use meterhouse_model::{BillingZone, Change, Units};

use super::*;

const NOW_MS: i64 = 1_796_000_000_000;
const GOOD: &str =
    r#""OptionCode":"scale","UsageStart":"2026-09-03 17:28:32","UsageEnd":"2026-09-03 18:28:32""#;

fn rules() -> Arc<Rules> {
    Arc::new(Rules::new(Arc::new(BillingZone::new("Europe/Berlin").unwrap())))
}

fn events(body: &str) -> Vec<Event<'static>> {
    read(body.as_bytes(), "S", &rules(), NOW_MS).unwrap()
}

fn message(body: &str) -> String {
    match read(body.as_bytes(), "S", &rules(), NOW_MS) {
        Err(Refusal::Invalid(message)) => message.into_owned(),
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn usages_are_events_of_the_subscription() {
    let body = format!(
        r#"[{{{GOOD},"Units":15,"Description":"é\"","SubscriptionReference":"other","EventId":7,"Customer":"c",
             "Action":"delete","X":[1]}}, {{{GOOD},"Units":"0.50","Description":null}}]"#
    );
    let events = events(&body);
    let [first, second] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&*first.subscription, &*first.option_code, &*first.description), ("S", "scale", "é\""));
    assert_eq!((first.change, first.index, second.index), (Change::Create, 0, 1));
    assert_eq!((first.units, second.units), (Units::parse("15").unwrap(), Units::parse("0.5").unwrap()));
    assert_eq!(first.end - first.start, 3_600_000_000);
    assert_eq!(first.start, 1_788_449_312_000_000, "in the billing time zone");
    assert!(first.customer.is_empty() && first.origin.is_none() && second.description.is_empty());
}

#[test]
fn units_are_never_floats() {
    for (units, exact) in [
        ("0.1", "0.1"),
        ("9007199254740993", "9007199254740993.0"),
        ("12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"),
        ("1e-18", "0.000000000000000001"),
    ] {
        assert_eq!(events(&format!(r#"[{{{GOOD},"Units":{units}}}]"#))[0].units.to_string(), exact);
        assert_eq!(events(&format!(r#"[{{{GOOD},"Units":"{units}"}}]"#))[0].units.to_string(), exact);
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (body, part) in [
        ("", "must be a JSON array"),
        ("{}", "must be a JSON array"),
        ("[", "must be a JSON array"),
        ("[] []", "must be a JSON array"),
        ("[]", "must have 1 to 1000 usages, it has 0"),
        ("[1]", "Usage 0: it is not an object"),
        (r#"[["o","2026-09-03 17:28:32","2026-09-03 17:28:32",1,null]]"#, "Usage 0: it is not an object"),
        (&format!(r#"[{{{GOOD}}}]"#), "Usage 0: Units is missing"),
        (&format!(r#"[{{{GOOD},"Units":1}},{{{GOOD},"Units":null}}]"#), "Usage 1: Units is missing"),
        (&format!(r#"[{{{GOOD},"Units":1}},{{{GOOD},"Units":"x"}}]"#), "Usage 1: Units: "),
        (&format!(r#"[{{{GOOD},"Units":-1}}]"#), "Usage 0: Units is -1.0"),
        (&format!(r#"[{{{GOOD},"Units":1,"Units":1}}]"#), "Usage 0: duplicate field `Units`"),
        (&format!(r#"[{{{GOOD},"Units":1,"Description":5}}]"#), "Usage 0: Description"),
        (&format!(r#"[{{{GOOD},"Units":1,"Description":"{}"}}]"#, "x".repeat(1025)), "Usage 0: Description"),
    ] {
        let message = message(body);
        assert!(message.contains(part), "{body}: {message}");
    }
    let many = vec!["{}"; 1001].join(",");
    assert!(message(&format!("[{many}]")).contains("it has 1001"));
}

#[test]
fn times_have_one_form() {
    let with = |start: &str, end: &str| {
        format!(r#"[{{"OptionCode":"o","UsageStart":{start},"UsageEnd":{end},"Units":1}}]"#)
    };
    for wrong in [
        r#""2026-09-03T17:28:32Z""#,
        r#""2026-09-03""#,
        r#""2026-09-03 17:28:32.5Z""#,
        r#""2026-09-31 17:28:32""#,
        r#""2026-03-29 02:30:00""#,
        r#""""#,
    ] {
        let start = message(&with(wrong, r#""2026-09-03 18:28:32""#));
        assert_eq!(start, "Usage 0: UsageStart must be a time in the format YYYY-MM-DD HH:MM:SS", "{wrong}");
        assert!(message(&with(r#""2026-01-03 18:28:32""#, wrong)).contains("UsageEnd must be a time"));
    }
    assert!(message(&with("5", r#""2026-09-03 18:28:32""#)).contains("UsageStart"));
    let later = message(&with(r#""2026-09-03 18:28:33""#, r#""2026-09-03 18:28:32""#));
    assert_eq!(later, "Usage 0: UsageStart is later than UsageEnd");
    assert_eq!(events(&with(r#""2026-09-03 18:28:32""#, r#""2026-09-03 18:28:32""#)).len(), 1);
}

#[test]
fn bounds_are_told_in_the_vendors_words() {
    assert_eq!(out_of_bounds(0, 1), Refusal::Invalid("Usage interval out of bounds".into()));
    assert_eq!(out_of_bounds(3, 5), Refusal::Invalid("Usage interval out of bounds: usage 3".into()));
}
