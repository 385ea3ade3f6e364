//! Whatever a client sends: a documented answer, never a failure of ours.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{Request, Uri};
use meterhouse_api::RateLimit;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::common::{Answer, PATH, Service, authority, service};
use crate::openapi::DocumentedAnswers;
use crate::running::{exchange, run};

mod checkout;
mod cloudflare;
mod placewise;

/// A header with any value.
type Header = (&'static str, Vec<u8>);

/// A request for a documented operation.
#[derive(Debug)]
struct Asked {
    method: &'static str,
    /// As the document has it.
    operation: &'static str,
    /// Begins with a slash. Bytes that would end the request line are in none of these parts.
    path: String,
    query: Vec<u8>,
    headers: Vec<Header>,
    body: Vec<u8>,
}

impl Asked {
    /// None where it cannot be told to a handler.
    fn request(&self) -> Option<Request<Body>> {
        let query = std::str::from_utf8(&self.query).ok()?;
        let uri = format!("{}?{query}", self.path).parse::<Uri>().ok()?;
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.parse().unwrap();
        *request.uri_mut() = uri;
        for (name, value) in &self.headers {
            let name = HeaderName::from_static(name);
            request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
        }
        Some(request)
    }

    /// As it is on the wire.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {}?", self.method, self.path).into_bytes();
        bytes.extend_from_slice(&self.query);
        bytes.extend_from_slice(b" HTTP/1.1\r\nconnection: close\r\n");
        for (name, value) in self.headers.iter().filter(|(name, _)| *name != "expect") {
            bytes.extend_from_slice(format!("{name}: ").as_bytes());
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", self.body.len()).as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// One of the known values, or any that a header can have.
fn value(known: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let any_byte = prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8];
    let known = prop::sample::select(known).prop_map(|value| value.as_bytes().to_vec());
    prop_oneof![3 => known, 1 => prop::collection::vec(any_byte, 0..40)]
}

/// Mostly the good value of a header; else another one, or none.
fn header(
    name: &'static str,
    good: &'static str,
    known: &'static [&'static str],
) -> impl Strategy<Value = Option<Header>> {
    let good = Just(Some(good.as_bytes().to_vec()));
    prop_oneof![12 => good, 2 => value(known).prop_map(Some), 1 => Just(None)]
        .prop_map(move |value| value.map(|value| (name, value)))
}

/// Seldom one more header.
fn other_header(
    names: &'static [&'static str],
    known: &'static [&'static str],
) -> impl Strategy<Value = Option<Header>> {
    prop::option::weighted(0.2, (prop::sample::select(names), value(known)))
}

/// A query of these names, good values and wrong ones; or of any bytes but those that would end the request line.
fn query(names: &'static [&'static str], values: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        3 => (-3_i64..120).prop_map(|number| number.to_string()),
        3 => prop::sample::select(values).prop_map(str::to_owned),
        1 => prop::sample::select(&["", "+1", "1.0", "-0", "%31", "%", "%zz", "%00", "%ff", "99999999999"][..])
            .prop_map(str::to_owned),
        1 => "[!-~]{1,8}",
        1 => "\\PC{1,4}",
    ];
    let pair = (prop::sample::select(names), prop::sample::select(&["=", "=", "=", "=", "", "&"][..]), text);
    let pairs = prop::collection::vec(pair.prop_map(|(name, is, text)| format!("{name}{is}{text}")), 0..4);
    let pairs = pairs.prop_map(|pairs| pairs.join("&").replace(char::is_whitespace, "").into_bytes());
    let bytes = prop::collection::vec(
        any::<u8>().prop_filter("ends the line", |byte| !b" \r\n".contains(byte)),
        0..20,
    );
    prop_oneof![6 => pairs, 1 => bytes]
}

/// No body, JSON that nobody asks for, or any bytes.
fn odd_body() -> impl Strategy<Value = Vec<u8>> {
    let known = ["{}", "{", "null", "[1,", "[]", "[[[", "[{}]", "{\"Units\":1}", "\"\u{fc}\""];
    prop_oneof![
        6 => Just(Vec::new()),
        1 => prop::sample::select(known.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

/// What the document says of all that was asked for so far, and what was answered.
#[derive(Default)]
struct Documented {
    answers: RefCell<BTreeMap<(&'static str, &'static str), DocumentedAnswers>>,
    statuses: RefCell<BTreeSet<u16>>,
}

impl Documented {
    /// Fails unless the answer to a request is as documented.
    fn assert_has(&self, asked: &Asked, answer: &Answer) {
        let of = || DocumentedAnswers::of(asked.method, asked.operation);
        let mut answers = self.answers.borrow_mut();
        answers.entry((asked.method, asked.operation)).or_insert_with(of).assert_has(answer);
        self.statuses.borrow_mut().insert(answer.status);
    }
}

fn plain(credentials: &str) -> (Runtime, Service) {
    let runtime = Runtime::new().unwrap();
    (runtime, service(authority(credentials), RateLimit::new(0, 0)))
}

/// Any request gets a documented answer. Returns their statuses.
fn handlers_answer(credentials: &str, any: impl Strategy<Value = Asked>) -> BTreeSet<u16> {
    let (runtime, service) = plain(credentials);
    let documented = Documented::default();
    proptest!(|(asked in any)| {
        let Some(request) = asked.request() else { return Ok(()) };
        documented.assert_has(&asked, &runtime.block_on(service.send(request)));
    });
    documented.statuses.into_inner()
}

/// The same bytes through the listener, where more of them are possible. It refuses some of them itself: with 400, and
/// no body.
fn the_listener_answers(credentials: &str, any: impl Strategy<Value = Asked>) {
    let (runtime, service) = plain(credentials);
    let running = runtime.block_on(run(service.router));
    let documented = Documented::default();
    proptest!(|(asked in any)| {
        let answer = Answer::from_text(&runtime.block_on(exchange(running.address, asked.bytes())));
        if (answer.status, answer.body.as_str()) != (400, "") {
            documented.assert_has(&asked, &answer);
        }
    });
}

#[test]
fn any_request_for_a_history_gets_a_documented_answer() {
    let statuses = handlers_answer(&placewise::credentials(), placewise::any());
    assert!(statuses.is_superset(&[401, 422, 470, 471, 503].into()), "{statuses:?}");
    the_listener_answers(&placewise::credentials(), placewise::any());
}

#[test]
fn any_request_for_a_bill_gets_a_documented_answer() {
    let statuses = handlers_answer(&cloudflare::credentials(), cloudflare::any());
    assert!(statuses.is_superset(&[400, 403, 503].into()), "{statuses:?}");
    the_listener_answers(&cloudflare::credentials(), cloudflare::any());
}

#[test]
fn any_request_for_usages_gets_a_documented_answer() {
    let statuses = handlers_answer(&checkout::credentials(), checkout::any());
    assert!(statuses.is_superset(&[400, 401, 404, 503].into()), "{statuses:?}");
    the_listener_answers(&checkout::credentials(), checkout::any());
}

#[test]
fn no_bytes_make_the_listener_fail() {
    let (runtime, service) = plain(&placewise::credentials());
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
