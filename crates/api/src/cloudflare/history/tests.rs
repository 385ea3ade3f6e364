use http_body_util::BodyExt;
use meterhouse_model::{Currency, Month};
use meterhouse_query::Charge;
use serde_json::Value;

use super::*;

/// Items `0000`, `0001`, ... from the oldest to the newest; every third is a credit.
fn items(count: u32) -> Vec<Item> {
    let charge = |number: u32| Charge {
        id: format!("{number:04}"),
        subscription: "s".into(),
        service: "compute".into(),
        month: Month { year: 2026, month: 10 },
        units: 1.into(),
        amount: if number.is_multiple_of(3) { (-1).into() } else { 1.into() },
        currency: Currency::from_code("EUR").unwrap(),
        // Two of them end together.
        occurred_at: i64::from(number / 2) * 1_000_000,
    };
    (0..count).map(|number| Item::of(&charge(number)).unwrap()).collect()
}

async fn page(count: u32, query: &str) -> (Vec<String>, Value) {
    let response = render(items(count), &parameters::parse(query).unwrap());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((&body["success"], &body["errors"]), (&true.into(), &Value::Array(vec![])));
    let ids = body["result"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
    (ids.collect(), body["result_info"].clone())
}

fn info(page: u64, per_page: u64, count: u64, total_count: u64, total_pages: u64) -> Value {
    serde_json::to_value(ResultInfo { page, per_page, count, total_count, total_pages }).unwrap()
}

#[tokio::test]
async fn newest_first_and_then_by_id() {
    let expected =
        (["0004", "0002", "0003", "0000", "0001"].map(String::from).to_vec(), info(1, 20, 5, 5, 1));
    for query in ["", "order=occurred_at", "order=occured_at"] {
        assert_eq!(page(5, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn types_and_actions_ascend() {
    assert_eq!(page(5, "order=type").await.0, ["0001", "0002", "0004", "0000", "0003"]);
    assert_eq!(page(5, "order=action").await.0, ["0000", "0001", "0002", "0003", "0004"]);
}

#[tokio::test]
async fn pages_cover_everything_once_and_end_empty() {
    let mut seen = Vec::new();
    for number in 1..=3 {
        let (ids, found) = page(12, &format!("per_page=5&page={number}")).await;
        assert_eq!(found, info(number, 5, if number == 3 { 2 } else { 5 }, 12, 3));
        seen.extend(ids);
    }
    seen.sort();
    assert_eq!(seen, (0..12).map(|number| format!("{number:04}")).collect::<Vec<_>>());
    for number in [4, 5, u64::MAX] {
        let query = format!("per_page=5&page={number}");
        assert_eq!(page(12, &query).await, (vec![], info(number, 5, 0, 12, 3)), "{query}");
    }
    assert_eq!(page(0, "").await, (vec![], info(1, 20, 0, 0, 0)));
}

#[tokio::test]
async fn filters_are_exact_and_do_not_change_the_total() {
    assert_eq!(page(6, "type=credit").await, (vec!["0003".into(), "0000".into()], info(1, 20, 2, 6, 1)));
    assert_eq!(page(6, "type=cred").await, (vec![], info(1, 20, 0, 6, 0)));
    assert_eq!(page(6, "action=usage&occured_at=1970-01-01T00:00:02Z").await.0, ["0004", "0005"]);
    assert_eq!(page(6, "occurred_at=1970-01-01T00:00:02.000001Z").await.0, [""; 0]);
    assert_eq!(page(6, "type=charge&occurred_at=1970-01-01T00:00:00Z").await.0, ["0001"]);
}
