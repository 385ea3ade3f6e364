use std::sync::Arc;

use axum::body::to_bytes;
use meterhouse_model::{Month, Quantity};
use meterhouse_query::ServiceUsage;

use super::*;

fn month(yyyymm: u32, services: &[(&str, &str)]) -> MonthUsage {
    let usage = |(service, usage): &(&str, &str)| ServiceUsage {
        service: Arc::from(*service),
        usage: Quantity::parse(usage).unwrap(),
    };
    MonthUsage { month: Month::from_yyyymm(yyyymm).unwrap(), services: services.iter().map(usage).collect() }
}

async fn body(months: &[MonthUsage]) -> String {
    let response = render(months);
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn the_documented_example() {
    let expected =
        r#"{"service_usage_history":[{"period":"04.2025","data":[{"service":"domains","usage":"0.0"}]}]}"#;
    assert_eq!(body(&[month(202_504, &[("domains", "0")])]).await, expected);
}

#[tokio::test]
async fn no_month_is_an_empty_list() {
    assert_eq!(body(&[]).await, r#"{"service_usage_history":[]}"#);
}

#[tokio::test]
async fn months_and_services_keep_their_order_and_text_is_escaped() {
    let months = [month(202_412, &[("b", "1"), ("a \"quoted\"\n", "2")]), month(202_501, &[("ü", "3")])];
    let expected = concat!(
        r#"{"service_usage_history":[{"period":"12.2024","data":[{"service":"b","usage":"1.0"},"#,
        r#"{"service":"a \"quoted\"\n","usage":"2.0"}]},{"period":"01.2025","data":[{"service":"ü","usage":"3.0"}]}]}"#
    );
    assert_eq!(body(&months).await, expected);
}

#[tokio::test]
async fn usage_is_exact_decimal_text() {
    let digits = format!("{}.{}", "9".repeat(40), "9".repeat(18));
    let cases = [
        ("0", "0.0"),
        ("-0.000", "0.0"),
        ("12", "12.0"),
        ("12.50", "12.5"),
        ("1234567.25", "1234567.25"),
        ("0.001", "0.001"),
        ("-0.5", "-0.5"),
        ("0.000000000000000001", "0.000000000000000001"),
        ("10000000000000000000000", "10000000000000000000000.0"),
        (digits.as_str(), digits.as_str()),
    ];
    for (units, shown) in cases {
        let expected = format!(
            r#"{{"service_usage_history":[{{"period":"02.2026","data":[{{"service":"s","usage":"{shown}"}}]}}]}}"#
        );
        assert_eq!(body(&[month(202_602, &[("s", units)])]).await, expected);
    }
}
