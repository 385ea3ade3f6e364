//! The document of the routes: whatever is asked, the answer is one that it tells of.

use std::collections::BTreeMap;

use anyhow::Result;
use meterhouse_tests::clients::documented_answers;
use meterhouse_tests::{Service, Site, Token, Usage};
use serde::Deserialize;
use serde_json::json;

/// The statuses that each operation answered with.
type Statuses = BTreeMap<String, Vec<u16>>;

/// What the program prints.
#[derive(Debug, Deserialize)]
struct Answer {
    with_token: Statuses,
    without: Statuses,
}

/// A site for which the document's examples can succeed: its customer has the subscription, with usage that has a price.
fn site() -> Result<(Site, Service)> {
    let mut site = Site::new("conformance_openapi")?;
    site.set("ingest.max_age_days", 20_000)?;
    site.write_catalog("code,service,unit_price,currency\nscale,compute,0.0125,EUR\n")?;
    site.write_subscriptions("subscription,customer,start,expires\n83FE4FEF2,1000941,,\n")?;
    let permits = ["Billing:Api:ServiceUsageHistory:Show", "#billing:read", "usages:read", "usages:write"];
    let permits = permits.map(str::to_owned).to_vec();
    site.write_credentials(&[Token { permits, ..Token::for_bill("all", "1000941") }])?;
    let service = site.serve()?;
    let usage = Usage::default().with("SubscriptionReference", "83FE4FEF2").with("OptionCode", "scale");
    let usage = usage.without("Customer");
    let messages = ["2026-09-03", "2026-10-03"].map(|day| usage.clone().on(day).message());
    site.publisher()?.publish(&messages)?;
    site.wait_consumed()?;
    Ok((site, service))
}

#[test]
fn every_answer_is_as_documented() -> Result<()> {
    let (_site, service) = site()?;
    let answer: Answer = documented_answers(&service.client().url(""), &json!({"token": "all"}))?;
    let is_open = |path: &str| ["/healthz", "/readyz", "/openapi.json", "/docs"].contains(&path);
    assert!(answer.with_token.len() >= 6 && answer.without.len() == answer.with_token.len(), "{answer:?}");
    for (operation, statuses) in &answer.with_token {
        // A usage to be changed is the one that a link of a POST leads to.
        assert!(statuses.contains(&200), "{operation}: {statuses:?}");
    }
    for (operation, statuses) in &answer.without {
        let (_, path) = operation.split_once(' ').unwrap_or_default();
        assert_eq!(statuses.contains(&200), is_open(path), "{operation}: {statuses:?}");
        assert!(!statuses.is_empty(), "{operation} was not asked");
    }
    let history = &answer.with_token["GET /v1/billing/service_usage/history"];
    assert!([200, 401, 422, 470, 471].iter().all(|status| history.contains(status)), "{history:?}");
    let list = &answer.with_token["GET /rest/6.0/subscriptions/{SubscriptionReference}/usages"];
    assert!([200, 400, 404].iter().all(|status| list.contains(status)), "{list:?}");
    let bill = &answer.with_token["GET /client/v4/user/billing/history"];
    assert!([200, 400].iter().all(|status| bill.contains(status)), "{bill:?}");
    Ok(())
}
