//! Requests for a bill.

use proptest::prelude::*;

use super::{Asked, header, odd_body, other_header, query};
use crate::placewise::token;

const PATH: &str = "/client/v4/user/billing/history";

const NAMES: [&str; 6] =
    ["authorization", "x-auth-email", "x-auth-key", "x-client-authorization", "content-type", "expect"];

const VALUES: [&str; 14] = [
    "",
    "Bearer bill",
    "bearer  bill",
    "Bearer",
    "Basic YTpi",
    "Bearer several",
    "Bearer other permit",
    "a@example.com",
    "nobody",
    "@",
    "key",
    "a key",
    "bill",
    "k\u{e9}y@example.com",
];

const QUERY: [&str; 10] =
    ["page", "per_page", "order", "type", "action", "occurred_at", "occured_at", "per%5Fpage", "page[]", "x"];

const QUERY_VALUES: [&str; 12] = [
    "5",
    "50",
    "51",
    "type",
    "occured_at",
    "occurred_at",
    "action",
    "charge",
    "2014-03-01T12:21:59.3456Z",
    "2014-03-01T12:21:59%2B24:00",
    "2014-03-01",
    "1e1",
];

/// A token for the bill of a customer, one for those of several, one without the permit, and an address with "key".
pub(super) fn credentials() -> String {
    let bill = "permits = ['#billing:read']\ncustomers = ['c']";
    let key = "[[email_key]]\nemail = 'a@example.com'\ncustomers = ['c']\n\
               sha256 = '2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683'\n";
    [
        token("bill", bill),
        token("several", &bill.replace("'c'", "'c', 'd'")),
        token("other permit", &bill.replace("#billing", "usages")),
        key.to_owned(),
    ]
    .concat()
}

/// With a token, or an address and its key: mostly good ones.
pub(super) fn any() -> impl Strategy<Value = Asked> {
    let by_token = (header("authorization", "Bearer bill", &VALUES), Just(None));
    let by_key = (header("x-auth-email", "a@example.com", &VALUES), header("x-auth-key", "key", &VALUES));
    let headers = (prop_oneof![by_token, by_key], other_header(&NAMES, &VALUES));
    let asked = (query(&QUERY, &QUERY_VALUES), headers, odd_body());
    asked.prop_map(|(query, ((first, second), other), body)| Asked {
        method: "GET",
        operation: PATH,
        path: PATH.to_owned(),
        query,
        headers: [first, second, other].into_iter().flatten().collect(),
        body,
    })
}
