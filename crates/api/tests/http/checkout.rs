//! The usages of a subscription, before any server is asked: what is refused, in which order, and in which shape.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use meterhouse_api::{Authority, RateLimit};
use serde_json::{Value, json};

use crate::common::{Answer, Service, authority, service};

/// Of "writer", "reader" and "other".
const CREDENTIALS: &str = "\
[[token]]\nname='writer'\npermits=['usages:read', 'usages:write']\ncustomers=['*']\n\
sha256='b93006774cbdd4b299389a03ac3d88c3a76b460d538795bc12718011a909fba5'\n\
[[token]]\nname='reader'\npermits=['usages:read']\ncustomers=['*']\n\
sha256='3d0941964aa3ebdcb00ccef58b1bb399f9f898465e9886d5aec7f31090a0fb30'\n\
[[token]]\nname='other'\npermits=['#billing:read']\ncustomers=['*']\n\
sha256='d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa'\n";
const PATH: &str = "/rest/6.0/subscriptions/S/usages";

fn known() -> Service {
    service(authority(CREDENTIALS), RateLimit::new(0, 0))
}

/// Asks with a token, or without one.
async fn ask(service: &Service, method: &str, path: &str, token: &str, body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    service.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

/// Code and message, which are the whole body.
fn error(answer: &Answer) -> (u16, String, String) {
    assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body.as_object().unwrap().len(), 2, "{answer:?}");
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (answer.status, text("error_code"), text("message"))
}

fn code(answer: &Answer) -> (u16, String) {
    let (status, code, _) = error(answer);
    (status, code)
}

fn of(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn whoever_is_not_known_is_told_so_in_the_vendors_words() {
    let service = known();
    for (method, path) in [("GET", PATH), ("POST", PATH), ("DELETE", PATH), ("PUT", &format!("{PATH}/1"))] {
        for token in ["", "unknown"] {
            let answer = ask(&service, method, &format!("{path}?Page=0"), token, "[").await;
            let message = "Authentication needed for this resource".to_owned();
            assert_eq!(error(&answer), (401, "AUTHENTICATION_ERROR".to_owned(), message));
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}

#[tokio::test]
async fn permits_are_for_reading_and_for_writing() {
    let service = known();
    for (method, path, token) in [
        ("GET", PATH, "other"),
        ("POST", PATH, "other"),
        ("POST", PATH, "reader"),
        ("DELETE", PATH, "reader"),
        ("PUT", &format!("{PATH}/1"), "reader"),
    ] {
        let answer = ask(&service, method, &format!("{path}?Page=0"), token, "[").await;
        assert_eq!(code(&answer), of(403, "AUTHORIZATION_ERROR"), "{method} {token}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_before_a_server_is_asked() {
    let service = known();
    for (method, path, body, part) in [
        ("GET", format!("{PATH}?Page=0"), "", "The Page parameter"),
        ("GET", format!("{PATH}/?Limit=101"), "", "The Limit parameter"),
        ("POST", PATH.to_owned(), "{}", "must be a JSON array"),
        ("POST", PATH.to_owned(), "[]", "must have 1 to 1000 usages"),
        ("DELETE", PATH.to_owned(), "", "At least one of"),
        ("DELETE", format!("{PATH}?Page=1"), "", "Page is no criterion"),
        ("PUT", format!("{PATH}/x"), "{}", "UsageReference must be"),
        ("PUT", format!("{PATH}/-1/"), "{}", "UsageReference must be"),
        ("PUT", format!("{PATH}/1"), r#"{"OptionCode":"x"}"#, "unknown field"),
    ] {
        let (status, code, message) = error(&ask(&service, method, &path, "writer", body).await);
        assert_eq!((status, code.as_str()), (400, "USAGE_VALIDATION_ERROR"), "{method} {path}: {message}");
        assert!(message.contains(part), "{method} {path}: {message}");
    }
}

#[tokio::test]
async fn keys_and_bodies_have_bounds() {
    let service = known();
    let post = |keys: Vec<String>, body: String| {
        let mut request = Request::post(PATH).header("authorization", "Bearer writer");
        for key in keys {
            request = request.header("idempotency-key", key);
        }
        service.send(request.body(Body::from(body)).unwrap())
    };
    for keys in [vec![String::new()], vec!["x".repeat(256)], vec!["é".into()], vec!["a".into(), "a".into()]]
    {
        let (status, _, message) = error(&post(keys, "[]".into()).await);
        assert_eq!(status, 400);
        assert!(message.starts_with("Idempotency-Key"), "{message}");
    }
    let (status, _, message) = error(&post(vec!["x".repeat(255)], "[]".into()).await);
    assert!(status == 400 && message.contains("1 to 1000"), "{message}");
    let largest = format!("[{}]", " ".repeat((1 << 20) - 2));
    assert_eq!(code(&post(vec![], largest.clone()).await).0, 400);
    assert_eq!(code(&post(vec![], largest + " ").await), of(413, "REQUEST_TOO_LARGE"));
}

#[tokio::test]
async fn no_answer_of_a_server_is_503_and_may_be_tried_again() {
    let service = known();
    let usage = json!([{"OptionCode": "o", "UsageStart": "2026-09-03 17:28:32", "UsageEnd": "2026-09-03 17:28:32", "Units": 1}]);
    for (method, path, body) in [
        ("GET", PATH.to_owned(), String::new()),
        // Without a registry the subscription is anybody's: it is Kafka that does not answer.
        ("POST", PATH.to_owned(), usage.to_string()),
        ("DELETE", format!("{PATH}?UsageReference=1"), String::new()),
        ("PUT", format!("{PATH}/1"), r#"{"Units":1}"#.to_owned()),
    ] {
        let answer = ask(&service, method, &path, "writer", &body).await;
        assert_eq!(code(&answer), of(503, "SERVICE_UNAVAILABLE"), "{method}");
        assert_eq!(answer.header("retry-after"), "5", "{method}");
    }
}

#[tokio::test]
async fn other_paths_and_methods_have_the_familys_shape() {
    let service = service(Authority::Insecure, RateLimit::new(0, 0));
    for path in
        ["/rest/6.0", "/rest/6.0/", "/rest/6.0/subscriptions/S", "/rest/6.0/subscriptions/S/usages/1/2"]
    {
        assert_eq!(code(&ask(&service, "GET", path, "", "").await), of(404, "NOT_FOUND"), "{path}");
    }
    for (method, path, allowed) in [
        ("PUT", PATH.to_owned(), "GET, POST, DELETE"),
        ("PATCH", format!("{PATH}/"), "GET, POST, DELETE"),
        ("OPTIONS", PATH.to_owned(), "GET, POST, DELETE"),
        ("GET", format!("{PATH}/1"), "PUT"),
        ("DELETE", format!("{PATH}/1/"), "PUT"),
    ] {
        let answer = ask(&service, method, &path, "", "").await;
        assert_eq!(code(&answer), of(405, "METHOD_NOT_ALLOWED"), "{method} {path}");
        assert_eq!(answer.header("allow"), allowed);
    }
    let head = ask(&service, "HEAD", PATH, "", "").await;
    assert_eq!((head.status, head.header("allow")), (405, "GET, POST, DELETE"));
}

#[tokio::test]
async fn the_limit_is_told_with_the_time_to_wait() {
    let service = service(authority(CREDENTIALS), RateLimit::new(1, 1));
    ask(&service, "GET", &format!("{PATH}?Page=0"), "writer", "").await;
    let answer = ask(&service, "POST", PATH, "writer", "").await;
    assert_eq!(code(&answer), of(429, "TOO_MANY_REQUESTS"));
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(code(&ask(&service, "GET", &format!("{PATH}?Page=0"), "reader", "").await).0, 400);
}

/// Kafka is not there: each write tries to reach it for some seconds.
#[tokio::test]
async fn writes_whose_clients_have_left_are_not_without_limit() {
    let service = service(Authority::Insecure, RateLimit::new(0, 0));
    let usage = r#"[{"OptionCode":"cpu","UsageStart":"2026-10-03 10:00:00","UsageEnd":"2026-10-03 10:00:00","Units":1}]"#;
    let impatient =
        async |wait: Duration| tokio::time::timeout(wait, ask(&service, "POST", PATH, "", usage)).await.ok();
    for _ in 0..400 {
        assert!(impatient(Duration::from_millis(1)).await.is_none());
    }
    let refused = impatient(Duration::from_secs(2)).await.unwrap();
    assert_eq!(code(&refused), of(503, "SERVICE_UNAVAILABLE"));
    assert_eq!(refused.header("retry-after"), "5");
}
