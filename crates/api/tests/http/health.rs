//! Health and metrics.

use axum::body::Body;
use axum::http::Request;
use meterhouse_api::ops_router;
use tower::ServiceExt;

use crate::common::{read, refusing, request};

fn get_request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn health_is_on_both_listeners() {
    let service = refusing();
    let ops = ops_router(service.health.clone(), service.registry.clone());
    for router in [service.router.clone(), ops] {
        service.health.set("clickhouse", Err("connection refused".into()));
        let ask = async |path| read(router.clone().oneshot(get_request(path)).await.unwrap()).await;
        assert_eq!(ask("/healthz").await.status, 200);
        let answer = ask("/readyz").await;
        let expected = r#"{"ready":false,"checks":{"clickhouse":"connection refused"}}"#;
        assert_eq!((answer.status, answer.body.as_str()), (503, expected));
        service.health.set("clickhouse", Ok(()));
        let answer = ask("/readyz").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, r#"{"ready":true,"checks":{"clickhouse":"ok"}}"#)
        );
    }
}

#[tokio::test]
async fn requests_are_counted_by_pattern_and_never_by_the_clients_text() {
    let service = refusing();
    service.send(request("?from_offset=secret-1", &[("x-client-authorization", "secret-2")])).await;
    service.send(get_request("/secret-3")).await;
    let mut odd = get_request("/healthz");
    *odd.method_mut() = "SECRET4".parse().unwrap();
    assert_eq!(service.send(odd).await.status, 405);
    let ops = ops_router(service.health.clone(), service.registry.clone());
    let answer = read(ops.oneshot(get_request("/metrics")).await.unwrap()).await;
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    let history = "route=\"/v1/billing/service_usage/history\"";
    for line in [
        format!("meterhouse_http_requests_total{{method=\"GET\",{history},status=\"401\"}} 1"),
        "meterhouse_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1".into(),
        "meterhouse_http_requests_total{method=\"OTHER\",route=\"/healthz\",status=\"405\"} 1".into(),
        format!("meterhouse_http_request_seconds_count{{{history}}} 1"),
    ] {
        assert!(answer.body.lines().any(|found| found == line), "{line}\n{}", answer.body);
    }
    assert!(!answer.body.to_lowercase().contains("secret"));
}
