//! Whatever a client sends: a documented answer, never a failure of ours.

use axum::body::Body;
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{Request, Uri};
use meterhouse_api::RateLimit;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::common::{Answer, PATH, Service, authority, service};
use crate::placewise::credentials;
use crate::running::{exchange, run};

const NAMES: [&str; 10] = [
    "content-type",
    "x-user-agent",
    "x-product-name",
    "x-loyalty-club-slug",
    "x-customer",
    "x-client-authorization",
    "authorization",
    "expect",
    "cookie",
    "x-other",
];

const VALUES: [&str; 14] = [
    "",
    "application/json",
    "mall",
    "far",
    "1000941",
    "id=1000941",
    "1000942",
    "all=all",
    "good token",
    "star",
    "no feature",
    "other permit",
    "Bearer good token",
    "Bearer  ",
];

fn value() -> impl Strategy<Value = Vec<u8>> {
    let any_byte = prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8];
    let known = prop::sample::select(&VALUES[..]).prop_map(|value| value.as_bytes().to_vec());
    prop_oneof![3 => known, 1 => prop::collection::vec(any_byte, 0..40)]
}

/// Mostly the headers of a good request: some of them spoilt, left out or doubled.
fn headers() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let header = |name: &'static str, good: &'static str| {
        let good = Just(Some(good.as_bytes().to_vec()));
        prop_oneof![12 => good, 2 => value().prop_map(Some), 1 => Just(None)]
            .prop_map(move |value| value.map(|value| (name, value)))
    };
    let good = (
        header("x-user-agent", "tests"),
        header("x-product-name", "mall"),
        header("x-customer", "1000941"),
        header("x-client-authorization", "good token"),
    );
    let other = prop::option::weighted(0.2, (prop::sample::select(&NAMES[..]), value()));
    (good, other).prop_map(|((agent, product, customer, token), other)| {
        [agent, product, customer, token, other].into_iter().flatten().collect()
    })
}

fn query() -> impl Strategy<Value = String> {
    let name = prop::sample::select(&["from_offset", "to_offset", "from%5foffset", "from_offset[]", "x"][..]);
    let text = prop_oneof![
        3 => (-3_i64..30).prop_map(|number| number.to_string()),
        1 => prop::sample::select(&["", "+1", "1.0", "-0", "%31", "%", "%zz", "%00", "%ff", "99999999999"][..])
            .prop_map(str::to_owned),
        1 => "[!-~]{1,8}",
        1 => "\\PC{1,4}",
    ];
    let pair = (name, prop::sample::select(&["=", "=", "=", "", "&"][..]), text);
    let pairs = prop::collection::vec(pair.prop_map(|(name, is, text)| format!("{name}{is}{text}")), 0..4);
    pairs.prop_map(|pairs| pairs.join("&"))
}

/// A query of any bytes but those that would end the request line.
fn raw_query() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(
        any::<u8>().prop_filter("ends the line", |byte| !b" \r\n".contains(byte)),
        0..20,
    );
    prop_oneof![4 => query().prop_map(|text| text.replace(char::is_whitespace, "").into_bytes()), 1 => bytes]
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => Just(Vec::new()),
        1 => prop::sample::select(&["{}", "{", "null", "[1,", "\"\u{fc}\""][..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

/// Fails unless an answer has the shape that is documented for its status.
fn assert_documented(answer: &Answer) {
    match answer.status {
        400 => assert_eq!(answer.body, ""),
        422 => {
            let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(body.as_object().unwrap().len(), 2, "{answer:?}");
            assert_eq!(body["error"], "Invalid parameters");
            let details = body["details"].as_object().unwrap();
            assert!(
                !details.is_empty() && details.values().all(|faults| faults[0]["error"].is_string()),
                "{answer:?}"
            );
        }
        401..=403 | 470 | 471 => assert!(!answer.error().is_empty()),
        503 => assert!(!answer.error().is_empty() && !answer.header("retry-after").is_empty()),
        _ => panic!("{answer:?}"),
    }
}

fn plain() -> (Runtime, Service) {
    let runtime = Runtime::new().unwrap();
    (runtime, service(authority(&credentials()), RateLimit::new(0, 0)))
}

#[test]
fn any_request_gets_a_documented_answer() {
    let (runtime, service) = plain();
    proptest!(|(query in query(), headers in headers(), body in body())| {
        let Ok(uri) = format!("{PATH}?{query}").parse::<Uri>() else { return Ok(()) };
        let mut request = Request::get(uri).body(Body::from(body)).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_bytes(&value).unwrap());
        }
        assert_documented(&runtime.block_on(service.send(request)));
    });
}

/// The same bytes through the listener, where more of them are possible. It refuses some of them itself: with 400, and
/// no body either.
#[test]
fn any_bytes_in_a_request_get_a_documented_answer() {
    let (runtime, service) = plain();
    let running = runtime.block_on(run(service.router));
    proptest!(|(query in raw_query(), headers in headers(), body in body())| {
        let mut bytes = format!("GET {PATH}?").into_bytes();
        bytes.extend_from_slice(&query);
        bytes.extend_from_slice(b" HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in headers.iter().filter(|(name, _)| *name != "expect") {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(&body);
        let text = runtime.block_on(exchange(running.address, &bytes));
        assert_documented(&Answer::from_text(&text));
    });
}

#[test]
fn no_bytes_make_the_listener_fail() {
    let (runtime, service) = plain();
    let running = runtime.block_on(run(service.router));
    let piece = prop_oneof![
        prop::sample::select(
            &["GET ", PATH, " HTTP/1.1\r\n", "\r\n", "x-customer:", "content-length: 3", " "][..]
        )
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    proptest!(|(pieces in prop::collection::vec(piece, 0..12))| {
        // A head that no request can have ends whatever came before.
        let mut bytes = pieces.concat();
        bytes.extend_from_slice(b"\r\n\r\n\r\n\0\r\n\r\n");
        let answer = runtime.block_on(exchange(running.address, &bytes));
        let statuses: Vec<&str> = answer.split("HTTP/1.").skip(1).collect();
        assert!(!statuses.is_empty() && statuses.iter().all(|status| status.as_bytes()[2] == b'4'), "{answer}");
    });
    runtime.block_on(async {
        running.shutdown.cancel();
        running.task.await.unwrap();
    });
}
