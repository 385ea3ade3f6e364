//! Requests for the usages of a subscription.

use proptest::prelude::*;

use super::{Asked, Header, header, odd_body, other_header, query};
use crate::placewise::token;

const USAGES: &str = "/rest/6.0/subscriptions/{SubscriptionReference}/usages";
const USAGE: &str = "/rest/6.0/subscriptions/{SubscriptionReference}/usages/{UsageReference}";

const NAMES: [&str; 5] =
    ["authorization", "x-avangate-authentication", "idempotency-key", "content-type", "expect"];

const VALUES: [&str; 14] = [
    "",
    "Bearer writer",
    "Bearer reader",
    "Bearer nobody",
    "Bearer",
    "writer",
    "k",
    "k\u{e9}y",
    "code=\"V\" date=\"2026-10-03 17:00:00\" hash=\"00\" algo=\"sha256\"",
    "code='V' date='2026-10-03 17:00:00' hash='00000000000000000000000000000000'",
    "code=\"V\" date=\"2026-13-03 17:00:00\" \
     hash=\"29e85dbf92ce0113e7755c31c0438a7db98a4de9f910bf0a527e005f35e43739\"algo=\"sha3-256\"",
    "code=\"V\" code=\"V\"",
    "code",
    "\"",
];

const QUERY: [&str; 9] = [
    "Page",
    "Limit",
    "IntervalStart",
    "IntervalEnd",
    "OptionCode",
    "RenewalOrderReference",
    "UsageReference",
    "Pa%67e",
    "x",
];

const QUERY_VALUES: [&str; 10] = [
    "1",
    "100",
    "101",
    "scale",
    "2026-09-03%2017:28:32",
    "2026-09-03+17:28:32",
    "0000-01-01+00:00:00",
    "2026-09-03",
    "18446744073709551616",
    "it's%5C",
];

/// Values of members, as JSON or as what is none.
const JSON: [&str; 22] = [
    "1",
    "-1",
    "0.5",
    "\"1e2\"",
    "1e400",
    "1e-30",
    "123456789012345678901",
    "NaN",
    "00",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"x\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\u{202e}\"",
    "\"2026-09-03 17:28:32\"",
    "\"2026-02-30 17:28:32\"",
    "\"9999-12-31 23:59:60\"",
    "",
];

const SEGMENTS: [&str; 10] = ["S", "%00", "%FF", "%2F", "%2e%2e", "..", "it's", "%5C", "%", "%E2%80%AE"];
const REFERENCES: [&str; 7] = ["1", "0", "-1", "01", "99999999999999999999999", "x", "%31"];

/// Tokens for every customer: one that may read and write, and one that may read.
pub(super) fn credentials() -> String {
    let customers = "customers = ['*']";
    [
        token("writer", &format!("permits = ['usages:read', 'usages:write']\n{customers}")),
        token("reader", &format!("permits = ['usages:read']\n{customers}")),
    ]
    .concat()
}

/// Members of these names and good values: some of them spoilt, left out or doubled.
fn object(good: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = String> {
    let member = |(name, good): &(&'static str, &'static str)| {
        let (name, good) = (*name, *good);
        let odd = prop::sample::select(&JSON[..]);
        prop_oneof![12 => Just(Some(good)), 2 => odd.prop_map(Some), 1 => Just(None)]
            .prop_map(move |value| value.map(|value| format!("\"{name}\":{value}")))
    };
    let members: Vec<_> = good.iter().map(member).collect();
    let names: Vec<&str> = good.iter().map(|(name, _)| *name).chain(["Other"]).collect();
    let other = (prop::sample::select(names), prop::sample::select(&JSON[..]))
        .prop_map(|(name, value)| format!("\"{name}\":{value}"));
    (members, prop::option::weighted(0.1, other)).prop_map(|(members, other)| {
        let members: Vec<String> = members.into_iter().flatten().chain(other).collect();
        format!("{{{}}}", members.join(","))
    })
}

fn new_usages() -> impl Strategy<Value = String> {
    let usage = object(&[
        ("OptionCode", "\"scale\""),
        ("UsageStart", "\"2026-09-03 17:28:32\""),
        ("UsageEnd", "\"2026-09-03 17:28:32\""),
        ("Units", "15"),
        ("Description", "\"it's\""),
    ]);
    prop::collection::vec(usage, 0..4).prop_map(|usages| format!("[{}]", usages.join(",")))
}

fn changes() -> impl Strategy<Value = String> {
    object(&[("Units", "1.5"), ("Description", "\"counted again\"")])
}

fn criteria() -> impl Strategy<Value = String> {
    object(&[
        ("UsageReference", "1"),
        ("OptionCode", "\"scale\""),
        ("IntervalStart", "\"2026-09-03 17:28:32\""),
        ("IntervalEnd", "\"2026-09-03 17:28:32\""),
    ])
}

/// Mostly such a body; else one that nobody asks for.
fn mostly(body: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![6 => body.prop_map(String::into_bytes), 1 => odd_body()]
}

fn headers() -> impl Strategy<Value = Vec<Header>> {
    let headers = (header("authorization", "Bearer writer", &VALUES), other_header(&NAMES, &VALUES));
    headers.prop_map(|(token, other)| token.into_iter().chain(other).collect())
}

/// A name in a path: of any letters that the path goes on behind.
fn segment() -> impl Strategy<Value = String> {
    let known = prop::sample::select(&SEGMENTS[..]).prop_map(str::to_owned);
    prop_oneof![6 => known, 1 => "[!-.0-~]{1,12}".prop_map(|text| text.replace(['?', '#'], "%"))]
}

fn asked(
    method: &'static str,
    path: impl Strategy<Value = String>,
    query_or_none: impl Strategy<Value = Vec<u8>>,
    body: impl Strategy<Value = Vec<u8>>,
) -> impl Strategy<Value = Asked> {
    let operation = if method == "PUT" { USAGE } else { USAGES };
    (path, query_or_none, headers(), body).prop_map(move |(path, query, mut headers, body)| {
        if method == "POST" && headers.iter().all(|(name, _)| *name != "idempotency-key") {
            // With a key a good request asks ClickHouse, which refuses at once; without one it would wait for Kafka.
            headers.push(("idempotency-key", b"k".to_vec()));
        }
        Asked { method, operation, path, query, headers, body }
    })
}

/// All four operations, on paths with a slash at the end or without.
pub(super) fn any() -> impl Strategy<Value = Asked> {
    let slash = || prop::sample::select(&["", "/"][..]);
    let usages = || {
        (segment(), slash())
            .prop_map(|(subscription, slash)| format!("/rest/6.0/subscriptions/{subscription}/usages{slash}"))
    };
    let reference =
        prop_oneof![4 => prop::sample::select(&REFERENCES[..]).prop_map(str::to_owned), 1 => segment()];
    let usage = (segment(), reference, slash()).prop_map(|(subscription, usage, slash)| {
        format!("/rest/6.0/subscriptions/{subscription}/usages/{usage}{slash}")
    });
    let query = || query(&QUERY, &QUERY_VALUES);
    prop_oneof![
        asked("GET", usages(), query(), odd_body()),
        asked("POST", usages(), query(), mostly(new_usages())),
        asked("DELETE", usages(), query(), mostly(criteria())),
        asked("PUT", usage, query(), mostly(changes())),
    ]
}
