//! Every rule of the history's route, up to the question to ClickHouse.

use axum::body::Body;
use axum::http::Request;
use meterhouse_api::{Authority, RateLimit};
use sha2::{Digest, Sha256};

use crate::common::{PASSED, PATH, Service, authority, request, service};

pub(crate) fn token(text: &str, rights: &str) -> String {
    format!("[[token]]\nname = '{text}'\nsha256 = '{}'\n{rights}\n", hex::encode(Sha256::digest(text)))
}

/// Tokens with various rights, each called as its text.
pub(crate) fn credentials() -> String {
    const PERMIT: &str = "permits = ['Billing:Api:ServiceUsageHistory:Show']";
    [
        token(
            "good token",
            &format!("{PERMIT}\ncustomers = ['1000941', '1000942']\nclubs = {{mall = '1000941', far = '7'}}"),
        ),
        token("star", &format!("{PERMIT}\ncustomers = ['*']")),
        token("other permit", "permits = ['usages:read']\ncustomers = ['1000941']"),
        token("no feature", &format!("{PERMIT}\ncustomers = ['1000941']\nfeatures = ['news']")),
        token("feature", &format!("{PERMIT}\ncustomers = ['1000941']\nfeatures = ['billing']")),
        token("one product", &format!("{PERMIT}\ncustomers = ['1000941']\nproducts = ['shop']")),
        token("expired", &format!("{PERMIT}\ncustomers = ['*']\nexpires = '2020-01-01T00:00:00Z'")),
    ]
    .concat()
}

fn plain() -> Service {
    service(authority(&credentials()), RateLimit::new(0, 0))
}

async fn status(service: &Service, query: &str, changes: &[(&str, &str)]) -> u16 {
    service.send(request(query, changes)).await.status
}

#[tokio::test]
async fn a_request_that_passes_every_check_needs_clickhouse() {
    let answer = plain().send(request("", &[])).await;
    assert_eq!(answer.status, PASSED);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
    assert!(!answer.error().is_empty());
}

#[tokio::test]
async fn missing_headers_are_470_and_named() {
    let service = plain();
    let cases = [
        ("x-user-agent", "X-User-Agent"),
        ("x-product-name", "X-Product-Name"),
        ("x-customer", "X-Loyalty-Club-Slug or X-Customer"),
    ];
    for (removed, named) in cases {
        let answer = service.send(request("", &[(removed, "")])).await;
        assert_eq!((answer.status, answer.error()), (470, format!("Header is missing: {named}")));
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn the_curl_sample_with_empty_headers_gets_470() {
    let mut sample = Request::get(format!("{PATH}?from_offset=1&to_offset=1"));
    for name in
        ["x-user-agent", "x-product-name", "x-loyalty-club-slug", "x-customer", "x-client-authorization"]
    {
        sample = sample.header(name, "");
    }
    let answer = plain().send(sample.body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.error().as_str()), (470, "Header is missing: X-User-Agent"));
}

#[tokio::test]
async fn incorrect_headers_are_471_and_named() {
    let service = plain();
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[("content-type", "text/plain")], "Content-Type"),
        (&[("content-type", "application/json"), ("content-type", "application/json")], "Content-Type"),
        (&[("x-user-agent", "a"), ("x-user-agent", "b")], "X-User-Agent"),
        (&[("x-product-name", "a"), ("x-product-name", "a")], "X-Product-Name"),
        (&[("x-customer", "1000941"), ("X-Customer", "1000942")], "X-Customer"),
        (&[("x-customer", "all=all")], "X-Customer"),
        (&[("x-customer", "1000942"), ("x-loyalty-club-slug", "mall")], "X-Loyalty-Club-Slug"),
    ];
    for (changes, named) in cases {
        let answer = service.send(request("", changes)).await;
        assert_eq!(answer.status, 471, "{changes:?}");
        assert!(answer.error().starts_with(&format!("Header is incorrect: {named} ")), "{answer:?}");
    }
}

#[tokio::test]
async fn club_and_customer_name_a_customer_of_the_token() {
    let service = plain();
    let cases: [(&[(&str, &str)], u16); 10] = [
        (&[("x-customer", "id=1000942")], PASSED),
        (&[("x-customer", ""), ("x-loyalty-club-slug", "mall")], PASSED),
        (&[("x-loyalty-club-slug", "mall")], PASSED),
        (&[("x-customer", "1000943")], 401),
        (&[("x-customer", ""), ("x-loyalty-club-slug", "unknown")], 401),
        (&[("x-loyalty-club-slug", "unknown")], 401),
        (&[("x-customer", ""), ("x-loyalty-club-slug", "far")], 401),
        (&[("x-customer", "7"), ("x-loyalty-club-slug", "far")], 401),
        (&[("x-customer", "anyone"), ("x-client-authorization", "star")], PASSED),
        (&[("x-customer", "Müller"), ("x-client-authorization", "star")], PASSED),
    ];
    for (changes, expected) in cases {
        assert_eq!(status(&service, "", changes).await, expected, "{changes:?}");
    }
}

#[tokio::test]
async fn every_401_but_that_without_a_token_is_the_same() {
    let service = plain();
    let cases: [&[(&str, &str)]; 6] = [
        &[("x-client-authorization", "unknown")],
        &[("x-client-authorization", "expired")],
        &[("x-client-authorization", "one product")],
        &[("x-customer", "1000943")],
        &[("x-customer", "' OR 1 --")],
        &[("x-loyalty-club-slug", "unknown")],
    ];
    let mut seen = Vec::new();
    for changes in cases {
        let mut answer = service.send(request("", changes)).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{changes:?}");
        assert!(answer.headers.remove("x-request-id").is_some(), "each request has an id of its own");
        seen.push((format!("{:?}", answer.headers), answer.body));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let without = service.send(request("", &[("x-client-authorization", "")])).await;
    assert_eq!((without.status, without.error().as_str()), (401, "Token is missing"));
}

#[tokio::test]
async fn tokens_come_in_either_header() {
    let service = plain();
    let bearer = [("x-client-authorization", ""), ("authorization", "Bearer good token")];
    assert_eq!(status(&service, "", &bearer).await, PASSED);
    let two = [("x-client-authorization", "good token"), ("authorization", "Bearer star")];
    assert_eq!(status(&service, "", &two).await, 401);
}

#[tokio::test]
async fn permit_feature_and_product() {
    let service = plain();
    let with = |token| [("x-client-authorization", token)];
    let answer = service.send(request("", &with("other permit"))).await;
    assert_eq!(answer.status, 403);
    assert!(answer.error().contains("Billing:Api:ServiceUsageHistory:Show"));
    let answer = service.send(request("", &with("no feature"))).await;
    assert_eq!((answer.status, answer.error().is_empty()), (402, false));
    assert_eq!(status(&service, "", &with("feature")).await, PASSED);
    let shop = [("x-client-authorization", "one product"), ("x-product-name", "shop")];
    assert_eq!(status(&service, "", &shop).await, PASSED);
}

#[tokio::test]
async fn wrong_parameters_are_422() {
    let service = plain();
    let answer = service.send(request("?from_offset=25", &[])).await;
    let expected = concat!(
        r#"{"error":"Invalid parameters","details":"#,
        r#"{"from_offset":[{"error":"less_or_equal_to","options":{"number":24}}]}}"#
    );
    assert_eq!((answer.status, answer.body.as_str()), (422, expected));
    let answer = service.send(request("?from_offset=abc&to_offset=-1", &[])).await;
    let expected = concat!(
        r#"{"error":"Invalid parameters","details":{"from_offset":[{"error":"not_an_integer"}],"#,
        r#""to_offset":[{"error":"greater_or_equal_to","options":{"number":0}}]}}"#
    );
    assert_eq!((answer.status, answer.body.as_str()), (422, expected));
    assert_eq!(status(&service, "?from_offset=1&from_offset=1", &[]).await, 422);
    assert_eq!(status(&service, "?from_offset=24&to_offset=24&x=y", &[]).await, PASSED);
}

#[tokio::test]
async fn a_body_is_json_or_absent() {
    let service = plain();
    let with_body = |body: &str| request("", &[]).map(|_| Body::from(body.to_owned()));
    assert_eq!(service.send(with_body("{\"a\": 1}")).await.status, PASSED);
    let refused = service.send(with_body("{")).await;
    assert_eq!((refused.status, refused.body.as_str()), (400, ""));
    assert!(!refused.headers.contains_key("content-type"));
    let large = service.send(with_body(&"1".repeat(1_048_577))).await;
    assert_eq!((large.status, large.error().is_empty()), (413, false));
}

#[tokio::test]
async fn the_order_of_the_checks() {
    let service = plain();
    let all = [("x-user-agent", ""), ("x-client-authorization", "")];
    let broken = |changes: &[(&str, &str)]| request("?from_offset=x", changes).map(|_| Body::from("{"));
    assert_eq!(service.send(broken(&all)).await.status, 470);
    assert_eq!(service.send(broken(&all[1..])).await.status, 400);
    let ordered = [
        (&[("x-client-authorization", "")][..], 401),
        (&[("x-client-authorization", "other permit"), ("x-customer", "2")], 401),
        (&[("x-client-authorization", "other permit")], 403),
        (&[("x-client-authorization", "no feature")], 402),
        (&[], 422),
    ];
    for (changes, expected) in ordered {
        assert_eq!(status(&service, "?from_offset=x", changes).await, expected, "{changes:?}");
    }
}

#[tokio::test]
async fn a_principal_that_asks_too_often_gets_429() {
    let service = service(authority(&credentials()), RateLimit::new(1, 2));
    for refused in [401, 403, 402] {
        let token = match refused {
            401 => "unknown",
            403 => "other permit",
            _ => "no feature",
        };
        for _ in 0..5 {
            assert_eq!(status(&service, "", &[("x-client-authorization", token)]).await, refused);
        }
    }
    assert_eq!(status(&service, "", &[]).await, PASSED);
    assert_eq!(status(&service, "?from_offset=x", &[]).await, 422, "a wrong parameter counts, too");
    let answer = service.send(request("", &[])).await;
    assert_eq!((answer.status, answer.error().as_str()), (429, "Too many requests"));
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.header("ratelimit-bucket"), "service_usage_history");
    assert_eq!(answer.header("ratelimit-remaining"), "0");
    assert_eq!(answer.header("ratelimit-cost"), "1");
    let another_customer = [("x-customer", "1000942")];
    assert_eq!(status(&service, "", &another_customer).await, 429, "the limit is the principal's");
    assert_eq!(
        status(&service, "", &[("x-client-authorization", "star")]).await,
        PASSED,
        "and nobody else's"
    );
}

#[tokio::test]
async fn other_methods_and_paths() {
    let service = plain();
    for method in ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "SPY"] {
        let mut request = request("", &[]);
        *request.method_mut() = method.parse().unwrap();
        let answer = service.send(request).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET"), "{method}");
        assert!(method == "HEAD" || !answer.error().is_empty());
    }
    let unknown = [
        "/",
        "/v1",
        "/v1/billing/service_usage/history/",
        "//v1/billing/service_usage/history",
        "/V1/billing/service_usage/history",
        "/v1/billing/service%5Fusage/history",
        "/metrics",
    ];
    for path in unknown {
        let answer = service.send(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.error().as_str()), (404, "No such resource"), "{path}");
    }
}

#[tokio::test]
async fn without_credentials_every_request_is_refused() {
    let service = service(authority(""), RateLimit::new(0, 0));
    assert_eq!(status(&service, "", &[]).await, 401);
}

#[tokio::test]
async fn the_insecure_authority_needs_no_token_but_the_headers() {
    let service = service(Authority::Insecure, RateLimit::new(0, 0));
    let cases: [(&[(&str, &str)], u16); 5] = [
        (&[("x-client-authorization", "")], PASSED),
        (&[("x-customer", "anyone"), ("x-loyalty-club-slug", "unknown")], PASSED),
        (&[("x-user-agent", "")], 470),
        (&[("x-customer", "")], 470),
        (&[("x-customer", ""), ("x-loyalty-club-slug", "unknown")], 471),
    ];
    for (changes, expected) in cases {
        assert_eq!(status(&service, "", changes).await, expected, "{changes:?}");
    }
}
