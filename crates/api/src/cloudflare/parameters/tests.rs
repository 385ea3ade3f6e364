use super::*;

fn faults(query: &str) -> Vec<Fault> {
    parse(query).err().unwrap_or_default()
}

#[test]
fn nothing_is_required_and_others_are_ignored() {
    let expected = Parameters { page: 1, per_page: 20, order: Order::OccurredAt, filter: Filter::default() };
    for query in ["", "direction=asc&x", "&&"] {
        assert_eq!(parse(query).as_ref(), Ok(&expected), "{query}");
    }
}

#[test]
fn both_spellings_of_the_time_are_one_parameter() {
    let time = Some(DateTime::from_timestamp_micros(1_393_676_519_345_600).unwrap());
    for query in [
        "order=occured_at&occured_at=2014-03-01T12:21:59.3456Z",
        "order=occurred_at&occurred_at=2014-03-01T13:21:59.345600%2B01:00",
    ] {
        let parameters = parse(query).unwrap();
        assert_eq!((parameters.order, parameters.filter.occurred_at), (Order::OccurredAt, time), "{query}");
    }
    let both = "occurred_at=2014-03-01T12:21:59Z&occured_at=2014-03-01T12:21:59Z";
    assert_eq!(faults(both), [Fault::OccurredAt]);
}

#[test]
fn the_bounds_are_included() {
    let parameters = parse("page=1&per_page=5&order=type&type=charge&action=usage").unwrap();
    let filter = Filter { occurred_at: None, kind: Some("charge".into()), action: Some("usage".into()) };
    assert_eq!(parameters, Parameters { page: 1, per_page: 5, order: Order::Kind, filter });
    assert_eq!(parse("per_page=50").unwrap().per_page, 50);
    assert_eq!(parse("page=2.0").unwrap().page, 2);
    assert_eq!(parse("page=99999999999999999999").unwrap().page, u64::MAX);
    let longest = "é".repeat(30);
    assert_eq!(parse(&format!("type={longest}")).unwrap().filter.kind, Some(longest));
}

#[test]
fn wrong_parameters_are_named() {
    for (query, fault) in [
        ("page=0", Fault::Page),
        ("page=-1", Fault::Page),
        ("page=1.5", Fault::Page),
        ("page=1.", Fault::Page),
        ("page=.0", Fault::Page),
        ("page=1e0", Fault::Page),
        ("page=", Fault::Page),
        ("page=1&page=1", Fault::Page),
        ("page=%2B1", Fault::Page),
        ("per_page=4", Fault::PerPage),
        ("per_page=51", Fault::PerPage),
        ("per_page=x", Fault::PerPage),
        ("order=amount", Fault::Order),
        ("order=Type", Fault::Order),
        ("occurred_at=2014-03-01", Fault::OccurredAt),
        ("occured_at=now", Fault::OccurredAt),
        ("type=", Fault::Kind),
        ("type=1234567890123456789012345678901", Fault::Kind),
        ("action=1234567890123456789012345678901", Fault::Action),
    ] {
        assert_eq!(faults(query), [fault], "{query}");
    }
    assert_eq!(
        faults("page=0&per_page=0&order=x"),
        [Fault::Page, Fault::PerPage, Fault::Order],
        "all at once"
    );
}
