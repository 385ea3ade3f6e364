use meterhouse_model::{Currency, Month};

use super::*;

fn charge(amount: &str, occurred_at: i64) -> Charge {
    Charge {
        id: "b69a9f3492637782896352daae219e7d".into(),
        subscription: "83FE4FEF2".into(),
        service: "compute".into(),
        month: Month { year: 2014, month: 3 },
        units: "1679.200".parse().unwrap(),
        amount: amount.parse().unwrap(),
        currency: Currency::from_code("USD").unwrap(),
        occurred_at,
    }
}

fn shown(charge: &Charge) -> String {
    serde_json::to_string(&Item::of(charge).unwrap()).unwrap()
}

#[test]
fn an_item_has_the_documented_members() {
    let expected = r#"{"id":"b69a9f3492637782896352daae219e7d","type":"charge","action":"usage","description":"compute: 1679.2 units in 03.2014","occurred_at":"2014-03-01T12:21:59.3456Z","amount":20.99,"currency":"USD","zone":{"name":"83FE4FEF2"}}"#;
    assert_eq!(shown(&charge("20.99", 1_393_676_519_345_600)), expected);
}

#[test]
fn amounts_and_times_keep_their_digits() {
    let long = "-57896044618658097711785492504343953926634992332820.10";
    let item = shown(&charge(long, 1_393_676_519_000_000));
    assert!(item.contains(&format!(r#""amount":{long},"#)) && item.contains(r#""type":"credit""#), "{item}");
    assert!(item.contains(r#""occurred_at":"2014-03-01T12:21:59Z""#), "{item}");
    let item = shown(&charge("0.00", 1));
    assert!(item.contains(r#""amount":0.00,"#) && item.contains(r#""type":"charge""#), "{item}");
    assert!(item.contains(r#""occurred_at":"1970-01-01T00:00:00.000001Z""#), "{item}");
}

#[test]
fn a_long_description_ends_at_a_character() {
    let item = Item::of(&Charge { service: "é".repeat(300), ..charge("1", 0) }).unwrap();
    assert_eq!(item.description, "é".repeat(255));
}
