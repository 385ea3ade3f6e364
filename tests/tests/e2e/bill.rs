//! The bill: priced months of usage, and every documented refusal.

use anyhow::Result;
use meterhouse_tests::bill::{Info, PATH, all_items, page};
use meterhouse_tests::check::all_is_as_expected;
use meterhouse_tests::oracle::Expected;
use meterhouse_tests::{Reply, Service, Site, Token, Usage, wait};
use serde_json::{Value, json};

const CATALOG: &str = "code,service,unit_price,currency\nscale,compute,0.0125,EUR\ncompute-vcpu-hours,compute,0.04375,EUR\n\
                       egress-gib,network,0.085,USD\nstorage-gib-hours,storage,,\ncpu,compute,0.05,EUR\n\
                       refund,goodwill,-1.5,EUR\nsms,messages,0.5,JPY\n";

/// A token for each customer's bill, and one for the histories of all.
fn tokens(customers: &[String]) -> Vec<Token> {
    let bills = customers.iter().map(|name| Token::for_bill(&format!("bill-{name}"), name));
    bills.chain([Token::new("mh_test")]).collect()
}

fn bills_are_as_expected(site: &Site, service: &Service, expected: &Expected) -> Result<()> {
    for customer in expected.history.keys() {
        let items = all_items(&service.client(), &format!("bill-{customer}"))?;
        let wanted = expected.bills.get(customer).cloned().unwrap_or_default();
        assert_eq!(items, wanted, "bill of {customer} in {}", site.name);
    }
    Ok(())
}

#[test]
fn every_customers_bill_is_exact_from_events_and_from_sums_by_day() -> Result<()> {
    let mut site = Site::new("bill_load")?;
    site.set("billing.time_zone", "Europe/Berlin")?;
    site.set("ingest.batch_rows", 5000)?;
    site.write_catalog(CATALOG)?;
    site.generate(&[
        "--events",
        "20000",
        "--customers",
        "5",
        "--months",
        "14",
        "--duplicates",
        "5%",
        "--seed",
        "3",
    ])?;
    let customers: Vec<String> = (1..=5).map(|number| format!("customer-{number}")).collect();
    site.write_credentials(&tokens(&customers))?;
    let service = site.serve()?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert!(expected.bills.values().all(|items| items.len() > 50), "few items: {:?}", expected.bills.keys());
    assert_eq!(expected.bills.len(), 5);
    bills_are_as_expected(&site, &service, &expected)?;
    site.wait_rolled_up()?;
    bills_are_as_expected(&site, &service, &expected)
}

/// A site with one customer's usage: two subscriptions, a credit, a currency without decimals, and what has no price.
fn small(name: &str) -> Result<(Site, Service)> {
    let site = Site::new(name)?;
    site.write_catalog(CATALOG)?;
    site.write_credentials(&tokens(&["c".to_owned()]))?;
    let service = site.serve()?;
    let usage = [
        Usage::default().with("Units", "2"),
        Usage::default().with("Units", "0.1").with("OptionCode", "scale").on("2026-10-31"),
        Usage::default().with("SubscriptionReference", "T").on("2026-09-30"),
        Usage::default().with("OptionCode", "refund").on("2026-10-05"),
        Usage::default().with("OptionCode", "sms").with("Units", "3").on("2026-10-06"),
        Usage::default().with("OptionCode", "storage-gib-hours"),
        Usage::default().with("Customer", "d"),
    ];
    site.publisher()?.publish(&usage.map(|usage| usage.message()))?;
    site.wait_consumed()?;
    Ok((site, service))
}

#[test]
fn items_are_shown_newest_first_with_all_members() -> Result<()> {
    let (_site, service) = small("bill_small")?;
    let reply = get(&service, "", &[("Authorization", "Bearer bill-c")])?;
    let mut body = reply.json()?;
    let mut ids = Vec::new();
    for item in body["result"].as_array_mut().into_iter().flatten() {
        ids.push(item["id"].take().as_str().unwrap_or_default().to_owned());
    }
    let item = |kind: &str,
                service_units: &str,
                month: &str,
                occurred_at: &str,
                amount: Value,
                currency: &str,
                zone: &str| {
        json!({"id": null, "type": kind, "action": "usage", "description": format!("{service_units} units in {month}"),
            "occurred_at": occurred_at, "amount": amount, "currency": currency, "zone": {"name": zone}})
    };
    let expected = json!({
        "success": true, "errors": [], "messages": [],
        "result": [
            item("charge", "compute: 2.1", "10.2026", "2026-10-31T11:00:00Z", json!(0.10), "EUR", "S"),
            item("charge", "messages: 3", "10.2026", "2026-10-06T11:00:00Z", json!(2), "JPY", "S"),
            item("credit", "goodwill: 1", "10.2026", "2026-10-05T11:00:00Z", json!(-1.50), "EUR", "S"),
            item("charge", "compute: 1", "09.2026", "2026-09-30T11:00:00Z", json!(0.05), "EUR", "T"),
        ],
        "result_info": {"page": 1, "per_page": 20, "count": 4, "total_count": 4, "total_pages": 1},
    });
    assert_eq!(body, expected);
    assert!(
        ids.iter().all(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())),
        "{ids:?}"
    );
    assert!(
        reply.body.contains(r#""amount":-1.50,"#) && reply.body.contains(r#""amount":2,"#),
        "{}",
        reply.body
    );
    Ok(())
}

#[test]
fn filters_and_pages() -> Result<()> {
    let (_site, service) = small("bill_pages")?;
    let zones = |query: &str| -> Result<(Vec<String>, Info)> {
        let page = page(&service.client(), "bill-c", query)?;
        Ok((page.result.into_iter().map(|item| item.description).collect(), page.result_info))
    };
    let info = |count, total_pages| Info { page: 1, per_page: 20, count, total_count: 4, total_pages };
    let credit = vec!["goodwill: 1 units in 10.2026".to_owned()];
    assert_eq!(zones("?type=credit")?, (credit.clone(), info(1, 1)));
    assert_eq!(zones("?occured_at=2026-10-05T11:00:00Z")?, (credit, info(1, 1)));
    assert_eq!(zones("?action=subscription")?, (vec![], info(0, 0)));
    let behind = Info { page: 2, per_page: 5, count: 0, total_count: 4, total_pages: 1 };
    assert_eq!(zones("?page=2&per_page=5")?, (vec![], behind));
    Ok(())
}

fn get(service: &Service, query: &str, headers: Headers<'_>) -> Result<Reply> {
    service.client().send("GET", &format!("{PATH}{query}"), headers, "")
}

type Headers<'a> = &'a [(&'a str, &'a str)];

/// Status, code, and the code behind it.
type Refused = (u16, u64, Option<u64>);

/// A refusal with the documented shape.
fn refusal(reply: &Reply) -> Result<Refused> {
    let body = reply.json()?;
    let members: Vec<&String> = body.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    assert_eq!(members, ["errors", "messages", "result", "success"], "{body}");
    assert_eq!(
        (&body["success"], &body["messages"], &body["result"]),
        (&json!(false), &json!([]), &Value::Null)
    );
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    assert_eq!(errors.len(), 1, "{body}");
    assert!(errors[0]["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    let behind = errors[0]["error_chain"][0]["code"].as_u64();
    Ok((reply.status, errors[0]["code"].as_u64().unwrap_or_default(), behind))
}

#[test]
fn credentials_that_are_missing_malformed_unknown_or_insufficient_are_refused() -> Result<()> {
    let site = Site::new("bill_refusals")?;
    let mut tokens = tokens(&["c".to_owned()]);
    tokens.push(Token { permits: vec!["usages:read".to_owned()], ..Token::for_bill("no-permit", "c") });
    tokens
        .push(Token { more: "expires = 2020-01-01T00:00:00Z".to_owned(), ..Token::for_bill("expired", "c") });
    tokens.push(Token { customers: vec!["c".into(), "d".into()], ..Token::for_bill("several", "c") });
    let key = "\n[[email_key]]\nemail = \"a@example.com\"\ncustomers = [\"c\"]\n\
        sha256 = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\n";
    if let Some(last) = tokens.last_mut() {
        last.more.push_str(key);
    }
    site.write_credentials(&tokens)?;
    let service = site.serve()?;
    let (email, good) = (("X-Auth-Email", "a@example.com"), ("X-Auth-Key", "test"));
    assert_eq!(get(&service, "", &[email, good])?.status, 200);
    assert_eq!(get(&service, "", &[("Authorization", "bearer bill-c"), ("X-Auth-Key", "x")])?.status, 200);
    let cases: [(Headers<'_>, Refused); 14] = [
        (&[], (400, 9106, None)),
        (&[email], (400, 9106, None)),
        (&[good], (400, 9106, None)),
        (&[email, ("X-Auth-Key", "")], (400, 9106, None)),
        (&[("X-Auth-Email", "example.com"), good], (400, 6003, Some(6102))),
        (&[email, email, good], (400, 6003, Some(6102))),
        (&[email, ("X-Auth-Key", "te st")], (400, 6003, Some(6103))),
        (&[("Authorization", "Basic eDp5")], (400, 6003, Some(6111))),
        (&[("Authorization", "Bearer")], (400, 6003, Some(6111))),
        (&[email, ("X-Auth-Key", "Test")], (403, 9103, None)),
        (&[("X-Auth-Email", "b@example.com"), good], (403, 9103, None)),
        (&[("Authorization", "Bearer unknown")], (403, 10000, None)),
        (&[("Authorization", "Bearer expired")], (403, 10000, None)),
        (&[("Authorization", "Bearer several")], (403, 10403, None)),
    ];
    for (headers, expected) in cases {
        assert_eq!(refusal(&get(&service, "", headers)?)?, expected, "{headers:?}");
    }
    let no_permit = get(&service, "?page=x", &[("Authorization", "Bearer no-permit")])?;
    let unknown = get(&service, "?page=x", &[("Authorization", "Bearer unknown")])?;
    assert_eq!(no_permit.body, unknown.body, "a token without the permit is told nothing");
    Ok(())
}

#[test]
fn routes_methods_and_parameters_that_there_are_not() -> Result<()> {
    let site = Site::new("bill_routes")?;
    site.write_credentials(&tokens(&["c".to_owned()]))?;
    let service = site.serve()?;
    let bearer = [("Authorization", "Bearer bill-c")];
    for path in [
        "/client/v4",
        "/client/v4/",
        "/client/v4/user",
        "/client/v4/user/billing/history/",
        "/client/v4/%2e%2e/v1",
    ] {
        assert_eq!(refusal(&service.client().send("GET", path, &bearer, "")?)?, (404, 7003, None), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let reply = service.client().send(method, PATH, &bearer, "")?;
        assert_eq!(refusal(&reply)?, (405, 10405, None), "{method}");
        assert_eq!(reply.headers["allow"], "GET");
    }
    let body = get(&service, "?per_page=4&order=x", &bearer)?.json()?;
    let expected = json!([{"code": 6008, "message": "Invalid request parameters", "error_chain": [
        {"code": 11000, "message": "per_page variable must be a number between 5 and 50"},
        {"code": 11002, "message": "order variable must be type, occurred_at or action"}]}]);
    assert_eq!(body["errors"], expected);
    Ok(())
}

#[test]
fn too_many_requests_and_a_store_that_cannot_answer() -> Result<()> {
    let mut site = Site::new("bill_limits")?;
    site.set("api.rate_per_second", 1)?;
    site.write_credentials(&tokens(&["c".to_owned()]))?;
    let service = site.serve()?;
    let bearer = [("Authorization", "Bearer bill-c")];
    let replies = (0..5).map(|_| get(&service, "", &bearer)).collect::<Result<Vec<_>>>()?;
    let limited = replies.iter().find(|reply| reply.status == 429).expect("five requests in a second");
    assert_eq!(refusal(limited)?, (429, 10429, None));
    assert_eq!(limited.headers["retry-after"], "1");
    site.query("RENAME TABLE usage_daily TO elsewhere")?;
    let ask = || get(&service, "", &bearer);
    let unavailable = wait::until_is("a request within the limit", ask, |reply| reply.status != 429)?;
    assert_eq!(refusal(&unavailable)?, (503, 10503, None));
    assert!(unavailable.headers.contains_key("retry-after"));
    Ok(())
}
