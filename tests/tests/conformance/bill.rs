//! Cloudflare's clients for Python and Node.js.

use anyhow::Result;
use meterhouse_tests::clients::{node, python};
use meterhouse_tests::{Service, Site, Token, Usage};
use serde::Deserialize;
use serde_json::{Value, json};

const CATALOG: &str = "code,service,unit_price,currency\ncpu,compute,0.0125,EUR\nrefund,goodwill,-1.5,EUR\n";
/// Of "key".
const KEY: &str = "[[email_key]]\nemail = \"a@example.com\"\ncustomers = [\"c\"]\n\
                   sha256 = \"2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683\"\n";
const SUBSCRIPTIONS: usize = 23;

/// What both programs print.
#[derive(Debug, Deserialize)]
struct Answer {
    all: Vec<Value>,
    by_email: Vec<Value>,
    credits: Vec<Value>,
    latest: Vec<Value>,
    refusals: Value,
}

fn site(name: &str) -> Result<(Site, Service)> {
    let site = Site::new(name)?;
    site.write_catalog(CATALOG)?;
    let token = Token::for_bill("bill", "c");
    site.write_credentials(&[Token { more: KEY.to_owned(), ..token }])?;
    let service = site.serve()?;
    let mut messages = Vec::new();
    for number in 0..SUBSCRIPTIONS {
        let usage =
            Usage::default().with("SubscriptionReference", &format!("S{number}")).with("Units", "100");
        let end = format!("2026-10-04T11:{number:02}:00.123456Z");
        messages.push(usage.between("2026-10-04T10:00:00Z", &end).message());
    }
    messages.push(Usage::default().with("OptionCode", "refund").on("2026-10-03").message());
    site.publisher()?.publish(&messages)?;
    site.wait_consumed()?;
    Ok((site, service))
}

fn check(answer: &Answer) {
    let zones = |items: &[Value]| items.iter().map(|item| item["zone"]["name"].clone()).collect::<Vec<_>>();
    let mut expected: Vec<Value> =
        (0..SUBSCRIPTIONS).rev().map(|number| format!("S{number}").into()).collect();
    expected.push("S".into());
    assert_eq!(zones(&answer.all), expected, "five pages, newest first");
    assert_eq!(zones(&answer.by_email), expected, "two pages");
    let first = &answer.all[0];
    assert_eq!(first["amount"], json!(1.25));
    assert_eq!(first["description"], "compute: 100 units in 10.2026");
    assert_eq!(first["occurred_at"], "2026-10-04T11:22:00.123456Z");
    assert_eq!(answer.latest, std::slice::from_ref(first));
    let credits = &answer.credits;
    assert_eq!((zones(credits), &credits[0]["amount"]), (vec!["S".into()], &json!(-1.5)));
    let refusals = json!({
        "per_page": ["BadRequestError", 400, [6008]],
        "unknown token": ["PermissionDeniedError", 403, [10000]],
        "unknown key": ["PermissionDeniedError", 403, [9103]],
        "no address": ["BadRequestError", 400, [6003]],
    });
    assert_eq!(answer.refusals, refusals);
}

#[test]
fn python_client() -> Result<()> {
    let (_site, service) = site("conformance_python")?;
    check(&python("bill", &service.client().url("/client/v4"), &settings())?);
    Ok(())
}

#[test]
fn node_client() -> Result<()> {
    let (_site, service) = site("conformance_node")?;
    check(&node("bill", &service.client().url("/client/v4"), &settings())?);
    Ok(())
}

fn settings() -> Value {
    json!({"token": "bill", "email": "a@example.com", "key": "key"})
}
