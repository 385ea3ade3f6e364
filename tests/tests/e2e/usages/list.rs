//! Lists: which usages, in which order, on which page, and whose.

use anyhow::Result;
use meterhouse_tests::usages::Usages;
use meterhouse_tests::{Site, Token, Usage};
use serde_json::{Value, json};

/// Ends of usages, to tell them by.
fn ends(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(|item| item["UsageEnd"].as_str()).collect()
}

fn listed(usages: &Usages, subscription: &str, query: &str) -> Result<Vec<Value>> {
    let reply = usages.list(subscription, query)?;
    assert_eq!(reply.status, 200, "{query}: {}", reply.body);
    Ok(reply.json()?["Items"].as_array().cloned().unwrap_or_default())
}

fn at(end: &str) -> Usage {
    Usage::default().without("Customer").between(end, end)
}

#[test]
fn pages_are_cut_from_one_order_and_filters_include_their_ends() -> Result<()> {
    let mut site = Site::new("usages_pages")?;
    site.set("billing.time_zone", "America/New_York")?;
    site.write_credentials(&[Token::for_usages("t", &["*"])])?;
    let service = site.serve()?;
    let usages = Usages::new(service.client(), "t");
    // In an order that is none, over two months, and the same instant twice; one with a fraction of a second.
    let messages = [
        at("2026-10-31 23:59:59").with_json("RenewalOrderReference", "7"),
        at("2026-10-03 10:00:00"),
        at("2026-11-01T04:00:00.5Z").with("OptionCode", "ram"),
        at("2026-10-03 10:00:00").with("EventId", "twin"),
        at("2026-10-03 09:59:59").with("Units", "0.25"),
    ];
    site.publisher()?.publish(&messages.map(|usage| usage.message()))?;
    site.wait_consumed()?;
    let all = listed(&usages, "S", "")?;
    let ordered = [
        "2026-10-03 09:59:59",
        "2026-10-03 10:00:00",
        "2026-10-03 10:00:00",
        "2026-10-31 23:59:59",
        // In the billing zone, and without its fraction.
        "2026-11-01 00:00:00",
    ];
    assert_eq!(ends(&all), ordered);
    let reference = |item: &Value| item["UsageReference"].as_u64();
    assert!(reference(&all[1]) < reference(&all[2]), "twins are in the order of their references");
    assert_eq!((&all[0]["Units"], &all[0]["Description"]), (&json!(0.25), &json!("")));
    assert_eq!(
        (&all[3]["RenewalOrderReference"], &all[4]["RenewalOrderReference"]),
        (&json!(7), &Value::Null)
    );
    for (page, wanted) in [(1_u64, &all[..2]), (2, &all[2..4]), (3, &all[4..]), (4, &[]), (1 << 62, &[])] {
        let reply = usages.list("S", &format!("?Page={page}&Limit=2"))?;
        let body = reply.json()?;
        assert_eq!(body["Items"], json!(wanted), "page {page}");
        assert_eq!(body["Pagination"], json!({"Page": page, "Limit": 2, "Count": 5}));
    }
    let interval = |start: &str, end: &str| {
        let query = format!("?IntervalStart={start}&IntervalEnd={end}").replace(' ', "%20");
        listed(&usages, "S", &query).map(|items| items.len())
    };
    assert_eq!(interval("2026-10-03 10:00:00", "2026-10-31 23:59:59")?, 3, "both ends are in it");
    assert_eq!(interval("2026-10-03 10:00:01", "2026-10-31 23:59:58")?, 0);
    assert_eq!(interval("2026-10-31 23:59:59", "2026-11-01 00:00:00")?, 1, "the fraction counts");
    assert_eq!(interval("2026-10-31 23:59:59", "2026-11-01 00:00:01")?, 2);
    assert_eq!(interval("2026-11-01 00:00:01", "2026-10-01 00:00:00")?, 0);
    assert_eq!(interval("0001-01-01 00:00:00", "9999-12-31 23:59:59")?, 5);
    assert_eq!(ends(&listed(&usages, "S", "?OptionCode=ram")?), ["2026-11-01 00:00:00"]);
    assert_eq!(ends(&listed(&usages, "S", "?RenewalOrderReference=7")?), ["2026-10-31 23:59:59"]);
    let filtered = usages.list("S", "?OptionCode=cpu&Limit=1&Page=9")?.json()?;
    assert_eq!(filtered, json!({"Items": [], "Pagination": {"Page": 9, "Limit": 1, "Count": 4}}));
    Ok(())
}

#[test]
fn usage_belongs_to_whom_its_record_names_else_to_whom_the_registry_names_on_that_day() -> Result<()> {
    let site = Site::new("usages_owners")?;
    let others: Vec<String> = (0..200).map(|number| format!("customer {number}")).collect();
    let many: Vec<&str> = others.iter().map(String::as_str).chain(["b", "x"]).collect();
    let tokens = [
        Token::for_usages("all", &["*"]),
        Token::for_usages("a", &["a"]),
        Token::for_usages("b", &["b", "x"]),
        Token::for_usages("many", &many),
        Token::for_usages("none", &[]),
    ];
    site.write_credentials(&tokens)?;
    site.write_subscriptions(
        "subscription,customer,start,expires\nS,a,2026-01-01T00:00:00Z,2026-10-10T12:00:00Z\nS,b,2026-10-10T12:00:00Z,\n",
    )?;
    let service = site.serve()?;
    let messages = [
        at("2026-10-09T10:00:00Z"),
        // The day is that of who had its first instant.
        at("2026-10-10T18:00:00Z"),
        at("2026-10-11T10:00:00Z"),
        at("2026-10-12T10:00:00Z").with("Customer", "x"),
        at("2026-10-13T10:00:00Z").with("Customer", "a"),
        at("2026-10-14T10:00:00Z").with("SubscriptionReference", "nobody's"),
        at("2026-10-15T10:00:00Z").with("SubscriptionReference", "x's").with("Customer", "x"),
    ];
    site.publisher()?.publish(&messages.map(|usage| usage.message()))?;
    site.wait_consumed()?;
    let days = |token: &str| -> Result<Vec<String>> {
        let items = Usages::new(service.client(), token).all("S")?;
        Ok(ends(&items).iter().map(|end| end[8..10].to_owned()).collect())
    };
    assert_eq!(days("all")?, ["09", "10", "11", "12", "13"]);
    assert_eq!(days("a")?, ["09", "10", "13"]);
    assert_eq!(days("b")?, ["11", "12"]);
    assert_eq!(days("many")?, ["11", "12"]);
    let statuses = |subscription: &str| -> Result<Vec<u16>> {
        ["all", "a", "b", "many", "none"]
            .iter()
            .map(|token| Ok(Usages::new(service.client(), token).list(subscription, "")?.status))
            .collect()
    };
    assert_eq!(statuses("S")?, [200, 200, 200, 200, 404]);
    assert_eq!(statuses("nobody's")?, [200, 404, 404, 404, 404]);
    assert_eq!(statuses("x's")?, [200, 404, 200, 200, 404]);
    assert_eq!(statuses("unknown")?, [404; 5]);
    let foreign = Usages::new(service.client(), "a").list("x's", "")?;
    let unknown = Usages::new(service.client(), "a").list("unknown", "")?;
    assert_eq!(foreign.body, unknown.body);
    Ok(())
}
