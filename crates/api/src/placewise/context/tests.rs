use axum::http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

const GOOD: [(&str, &str); 3] = [(USER_AGENT, "client/1"), (PRODUCT, "billing"), (CUSTOMER, "1000941")];

fn headers<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}

fn with(changes: &[(&'static str, &'static str)]) -> HeaderMap {
    let kept = GOOD.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    headers(kept.chain(changes.iter().copied()))
}

#[test]
fn one_of_club_and_customer_is_enough() {
    let both = with(&[(CLUB, "infinity-mall")]);
    let expected = Context { product: "billing", club: Some("infinity-mall"), customer: Some("1000941") };
    assert_eq!(Context::from_headers(&both), Ok(expected));
    let club = with(&[(CLUB, "infinity-mall"), (CUSTOMER, "")]);
    let expected = Context { product: "billing", club: Some("infinity-mall"), customer: None };
    assert_eq!(Context::from_headers(&club), Ok(expected));
    let customer = headers(GOOD);
    let expected = Context { product: "billing", club: None, customer: Some("1000941") };
    assert_eq!(Context::from_headers(&customer), Ok(expected));
}

#[test]
fn the_first_missing_header_is_named() {
    let order = [USER_AGENT, PRODUCT, CLUB_OR_CUSTOMER];
    for (count, missing) in order.into_iter().enumerate() {
        let given = headers(GOOD.into_iter().take(count));
        assert_eq!(Context::from_headers(&given), Err(Refusal::MissingHeader(missing)));
        for blank in ["", "  ", "\t"] {
            let blanks = GOOD.into_iter().skip(count).map(|(name, _)| (name, blank));
            let given = headers(GOOD.into_iter().take(count).chain(blanks));
            assert_eq!(Context::from_headers(&given), Err(Refusal::MissingHeader(missing)), "{blank:?}");
        }
    }
}

#[test]
fn content_type_is_json_or_nothing() {
    let good = [
        "",
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json ;x",
    ];
    for value in good {
        assert!(Context::from_headers(&with(&[(CONTENT_TYPE, value)])).is_ok(), "{value}");
    }
    let bad = ["text/json", "application/jsonx", "application/x-www-form-urlencoded", "json", ";", "*/*"];
    for value in bad {
        let expected = Err(Refusal::IncorrectHeader(CONTENT_TYPE, NOT_JSON));
        assert_eq!(Context::from_headers(&with(&[(CONTENT_TYPE, value)])), expected, "{value}");
    }
}

#[test]
fn an_earlier_header_decides() {
    let wrong_type_and_no_agent = with(&[(CONTENT_TYPE, "text/plain"), (USER_AGENT, "")]);
    let expected = Err(Refusal::IncorrectHeader(CONTENT_TYPE, NOT_JSON));
    assert_eq!(Context::from_headers(&wrong_type_and_no_agent), expected);
    let no_agent_and_two_customers = with(&[(USER_AGENT, ""), (CUSTOMER, "1,2")]);
    assert_eq!(Context::from_headers(&no_agent_and_two_customers), Err(Refusal::MissingHeader(USER_AGENT)));
}

#[test]
fn a_header_given_twice_is_incorrect() {
    for name in [CONTENT_TYPE, USER_AGENT, PRODUCT, CLUB, CUSTOMER] {
        for values in [["application/json", "application/json"], ["", "x"], ["1", "2"]] {
            let twice = with(&[(name, values[0]), (name, values[1])]);
            assert_eq!(Context::from_headers(&twice), Err(Refusal::IncorrectHeader(name, GIVEN_TWICE)));
        }
    }
}

#[test]
fn values_are_utf8() {
    for name in [CONTENT_TYPE, USER_AGENT, PRODUCT, CLUB, CUSTOMER] {
        let mut latin1 = headers(GOOD);
        latin1.insert(name, HeaderValue::from_bytes(b"M\xfcller").unwrap());
        assert_eq!(Context::from_headers(&latin1), Err(Refusal::IncorrectHeader(name, NOT_UTF8)));
    }
    let names = with(&[(USER_AGENT, "café"), (PRODUCT, "Ü"), (CLUB, "ø"), (CUSTOMER, "id=Müller")]);
    let expected = Context { product: "Ü", club: Some("ø"), customer: Some("Müller") };
    assert_eq!(Context::from_headers(&names), Ok(expected));
}

#[test]
fn x_customer_names_one_customer() {
    let names =
        ["1000941", "demo", "a b", "/providers/Microsoft.Billing/billingAccounts/8611537", "all", "*", "id"];
    for name in names {
        assert_eq!(one_customer(name), Ok(name));
        assert_eq!(one_customer(&format!("id={name}")), Ok(name));
    }
    let too_long = "x".repeat(129);
    let refused = [
        "id=",
        "id=1,2",
        "1,2",
        "id=1&id=2",
        "id=1;id=2",
        "ids=1",
        "ID=1",
        "all=all",
        "id[]=1",
        "id=id=1",
        "=1",
        "id= 1",
        "parent_id=5",
        "a\tb",
        "a\u{85}b",
        too_long.as_str(),
    ];
    for value in refused {
        assert_eq!(one_customer(value), Err(Refusal::IncorrectHeader(CUSTOMER, NOT_ONE_CUSTOMER)), "{value}");
    }
}

#[test]
fn the_token_is_in_either_header() {
    let cases: [(&[(&str, &str)], _); 13] = [
        (&[], Ok(None)),
        (&[(CLIENT_AUTHORIZATION, "t")], Ok(Some("t"))),
        (&[("authorization", "Bearer t")], Ok(Some("t"))),
        (&[("authorization", "bearer   t ")], Ok(Some("t"))),
        (&[(CLIENT_AUTHORIZATION, ""), ("authorization", "Bearer t")], Ok(Some("t"))),
        (&[(CLIENT_AUTHORIZATION, "t"), ("authorization", "Bearer t")], Ok(Some("t"))),
        (&[(CLIENT_AUTHORIZATION, "t"), ("authorization", "Basic dTpw")], Ok(Some("t"))),
        (&[("authorization", "Basic dTpw")], Ok(None)),
        (&[("authorization", "Bearer")], Ok(None)),
        (&[("authorization", "t")], Ok(None)),
        (&[(CLIENT_AUTHORIZATION, "t"), ("authorization", "Bearer u")], Err(Refusal::NotAuthorized)),
        (&[(CLIENT_AUTHORIZATION, "t"), (CLIENT_AUTHORIZATION, "t")], Err(Refusal::NotAuthorized)),
        (&[(CLIENT_AUTHORIZATION, "é")], Ok(Some("é"))),
    ];
    for (pairs, expected) in cases {
        assert_eq!(token(&headers(pairs.iter().copied())), expected, "{pairs:?}");
    }
}

proptest! {
    /// Whatever a header holds, what comes out names exactly one thing, and is a piece of what was sent.
    #[test]
    fn no_value_of_x_customer_turns_into_something_else(value in "[ -~\t\u{80}-\u{10ffff}]{0,140}") {
        let map = headers([(USER_AGENT, "a"), (PRODUCT, "b"), (CUSTOMER, value.as_str())]);
        match Context::from_headers(&map) {
            Ok(context) => {
                let customer = context.customer.unwrap();
                let sent = value.trim_ascii();
                prop_assert_eq!(sent.strip_prefix("id=").unwrap_or(sent), customer);
                prop_assert!(CustomerId::of_verified_principal(customer).is_some());
                prop_assert!(!customer.contains([',', ';', '&', '=']));
            }
            Err(refusal) => prop_assert!(
                refusal == Refusal::MissingHeader(CLUB_OR_CUSTOMER)
                    || refusal == Refusal::IncorrectHeader(CUSTOMER, NOT_ONE_CUSTOMER)
            ),
        }
    }
}
