//! Requests for a history.

use proptest::prelude::*;

use super::{Asked, header, odd_body, other_header, query};
use crate::common::PATH;
pub(super) use crate::placewise::credentials;

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

/// Mostly the headers of a good request: some of them spoilt, left out or doubled.
pub(super) fn any() -> impl Strategy<Value = Asked> {
    let headers = (
        header("x-user-agent", "tests", &VALUES),
        header("x-product-name", "mall", &VALUES),
        header("x-customer", "1000941", &VALUES),
        header("x-client-authorization", "good token", &VALUES),
        other_header(&NAMES, &VALUES),
    );
    let query =
        query(&["from_offset", "to_offset", "from%5foffset", "from_offset[]", "x"], &["0", "24", "25"]);
    (query, headers, odd_body()).prop_map(|(query, (agent, product, customer, token, other), body)| Asked {
        method: "GET",
        operation: PATH,
        path: PATH.to_owned(),
        query,
        headers: [agent, product, customer, token, other].into_iter().flatten().collect(),
        body,
    })
}
