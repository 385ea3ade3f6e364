//! The HTTP interface over a real socket: windows of months, and every documented refusal.

use anyhow::Result;
use meterhouse_tests::check::history_lines;
use meterhouse_tests::{Reply, Service, Site, Token, Usage};
use serde_json::{Value, json};

const PATH: &str = "/v1/billing/service_usage/history";

/// A site with usage of this month, two months ago and thirty months ago, each one unit; `now` is told by ClickHouse.
fn site(name: &str) -> Result<(Site, Service)> {
    let site = Site::new(name)?;
    let months_ago = |months: u32| site_time(&site, months);
    let mut messages = Vec::new();
    let service = site.serve()?;
    for months in [0, 2, 30] {
        let time = months_ago(months)?;
        messages.push(Usage::default().between(&time, &time).message());
    }
    site.publisher()?.publish(&messages)?;
    site.wait_consumed()?;
    Ok((site, service))
}

/// The first instant of the month so many months ago.
fn site_time(site: &Site, months: u32) -> Result<String> {
    let sql = format!("SELECT formatDateTime(toStartOfMonth(now('UTC')) - INTERVAL {months} MONTH, '%F %T')");
    Ok(site.query(&sql)?.trim().to_owned())
}

/// The month so many months ago, as a history shows it.
fn period(site: &Site, months: u32) -> Result<String> {
    let time = site_time(site, months)?;
    let (year, month) = (&time[..4], &time[5..7]);
    Ok(format!("{month}.{year}"))
}

#[test]
fn offsets_choose_the_months() -> Result<()> {
    let (site, service) = site("windows")?;
    let whole = history_lines(&site, &service.client(), "c")?;
    assert_eq!(whole.len(), 31, "all months from the first to the last usage: {whole:?}");
    let ask = |query: &str| -> Result<Vec<String>> {
        let body = service.client().ask_history(site.token(), "c", query)?.json()?;
        let months = body["service_usage_history"].as_array().cloned().unwrap_or_default();
        Ok(months
            .iter()
            .map(|month| format!("{} {}", text(&month["period"]), text(&month["data"][0]["usage"])))
            .collect())
    };
    let month = |months, usage: &str| Ok::<_, anyhow::Error>(format!("{} {usage}", period(&site, months)?));
    assert_eq!(ask("?from_offset=2")?, [month(2, "1.0")?, month(1, "0.0")?, month(0, "1.0")?]);
    assert_eq!(ask("?from_offset=3&to_offset=2")?, [month(3, "0.0")?, month(2, "1.0")?]);
    assert_eq!(ask("?from_offset=0&to_offset=0")?, [month(0, "1.0")?]);
    assert_eq!(ask("?to_offset=29")?, [month(30, "1.0")?, month(29, "0.0")?]);
    assert_eq!(ask("?from_offset=24")?.len(), 25);
    assert_eq!(ask("?to_offset=31")?, [""; 0], "it ends before it starts");
    Ok(())
}

#[test]
fn a_customer_without_usage_has_an_empty_history() -> Result<()> {
    let (site, service) = site("nothing")?;
    let empty = json!({"service_usage_history": []});
    assert_eq!(service.client().history(site.token(), "nobody")?, empty);
    let reply = service.client().ask_history(site.token(), "id=c", "")?;
    assert_eq!(reply.status, 200);
    assert!(reply.body.starts_with(r#"{"service_usage_history":[{"period":""#), "{}", reply.body);
    Ok(())
}

#[test]
fn wrong_parameters_are_told_all_at_once() -> Result<()> {
    let (site, service) = site("parameters")?;
    let ask = |query: &str| -> Result<(u16, Value)> {
        let reply = service.client().ask_history(site.token(), "c", query)?;
        Ok((reply.status, reply.json()?))
    };
    let refused = |details: Value| (422, json!({"error": "Invalid parameters", "details": details}));
    let at_most = |number: u32| json!([{"error": "less_or_equal_to", "options": {"number": number}}]);
    let no_integer = json!([{"error": "not_an_integer"}]);
    assert_eq!(ask("?from_offset=25")?, refused(json!({"from_offset": at_most(24)})));
    assert_eq!(ask("?from_offset=3&to_offset=4")?, refused(json!({"to_offset": at_most(3)})));
    let negative = json!([{"error": "greater_or_equal_to", "options": {"number": 0}}]);
    assert_eq!(
        ask("?from_offset=-1&to_offset=x")?,
        refused(json!({"from_offset": negative, "to_offset": no_integer}))
    );
    assert_eq!(ask("?from_offset=1&from_offset=1")?, refused(json!({"from_offset": no_integer})));
    assert_eq!(ask("?from_offset=99999999999999999999")?, refused(json!({"from_offset": at_most(24)})));
    assert_eq!(ask("?from_offset=%31&other=1")?.0, 200);
    Ok(())
}

#[test]
fn every_refusal_has_its_status_and_shape() -> Result<()> {
    let (site, service) = site("refusals")?;
    let no_permit = Token { permits: vec!["usages:read".to_owned()], ..Token::new("mh_no_permit") };
    let one_product = Token { more: "products = [\"shop\"]\n".to_owned(), ..Token::new("mh_product") };
    let no_feature = Token { more: "features = [\"other\"]\n".to_owned(), ..Token::new("mh_feature") };
    let mut all = vec![Token::new(site.token()), no_permit, one_product, no_feature];
    all[0].more = "clubs = { mall = \"c\" }\n".to_owned();
    site.write_credentials(&all)?;
    let full = |token| {
        [
            ("X-User-Agent", "t"),
            ("X-Product-Name", "p"),
            ("X-Customer", "c"),
            ("X-Client-Authorization", token),
        ]
    };
    let send = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        service.client().send(method, path, headers, body)
    };
    let with = |name: &str, value: &'static str| {
        full(site.token()).map(|(header, text)| (header, if header == name { value } else { text }))
    };
    meterhouse_tests::wait::until_is(
        "the tokens to count",
        || Ok(send("GET", PATH, &full("mh_no_permit"), "")?.status),
        |status| *status == 403,
    )?;

    assert_eq!(send("GET", PATH, &full(site.token()), "")?.status, 200);
    assert_eq!(send("GET", PATH, &full(site.token()), "{}")?.status, 200, "a body that is JSON");
    let bad_body = send("GET", PATH, &full(site.token()), "{")?;
    assert_eq!((bad_body.status, bad_body.body.as_str()), (400, ""));
    is_refused(&send("GET", PATH, &full("mh_unknown"), "")?, 401, "");
    is_refused(&send("GET", PATH, &full(site.token())[..3], "")?, 401, "");
    is_refused(&send("GET", PATH, &full("mh_product"), "")?, 401, "");
    is_refused(&send("GET", PATH, &full("mh_feature"), "")?, 402, "");
    for name in ["X-User-Agent", "X-Product-Name", "X-Customer"] {
        is_refused(&send("GET", PATH, &with(name, ""), "")?, 470, name);
    }
    is_refused(&send("GET", PATH, &with("X-Customer", "all=all"), "")?, 471, "X-Customer");
    let xml = [&full(site.token())[..], &[("Content-Type", "text/xml")]].concat();
    is_refused(&send("GET", PATH, &xml, "")?, 471, "Content-Type");
    let club = |customer| [&with("X-Customer", customer)[..], &[("X-Loyalty-Club-Slug", "mall")]].concat();
    assert_eq!(send("GET", PATH, &club(""), "")?.status, 200, "the club's slug alone");
    is_refused(&send("GET", PATH, &club("d"), "")?, 471, "X-Loyalty-Club-Slug");
    is_refused(&send("POST", PATH, &full(site.token()), "{}")?, 405, "");
    is_refused(&send("GET", "/v1/billing", &full(site.token()), "")?, 404, "");
    let bearer = [&full("")[..3], &[("Authorization", "Bearer mh_test")]].concat();
    assert_eq!(send("GET", PATH, &bearer, "")?.status, 200);
    Ok(())
}

fn is_refused(reply: &Reply, status: u16, named: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    let body = reply.json().unwrap_or_default();
    let error = body["error"].as_str().unwrap_or_default();
    assert!(!error.is_empty() && error.contains(named), "{reply:?}");
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{reply:?}");
}

#[test]
fn requests_beyond_the_limit_are_told_when_to_come_again() -> Result<()> {
    let mut site = Site::new("rate_limit")?;
    site.set("api.rate_per_second", 1)?;
    site.set("api.rate_burst", 2)?;
    let service = site.serve()?;
    let mut refused = None;
    for _ in 0..20 {
        let reply = service.client().ask_history(site.token(), "c", "")?;
        if reply.status == 429 {
            refused = Some(reply);
            break;
        }
        assert_eq!(reply.status, 200);
    }
    let Some(refused) = refused else { panic!("twenty requests within a moment are all answered") };
    is_refused(&refused, 429, "");
    for name in ["Retry-After", "ratelimit-bucket", "ratelimit-remaining", "ratelimit-cost"] {
        assert!(refused.headers.contains_key(name), "{name}: {refused:?}");
    }
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}
