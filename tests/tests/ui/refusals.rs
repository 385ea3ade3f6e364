//! What the page says when there is no history, and what to do.

use anyhow::Result;
use meterhouse_tests::{Mode, Proxy, Site, Token, shared, wait};

use crate::page::{Page, publish, site, usage};

/// Says what is told, or waits for it.
fn is_told(page: &Page, parts: &[&str]) -> Result<()> {
    let told = page.browser.text("#problem")?;
    for part in parts {
        assert!(told.contains(part), "{part}: {told:?}");
    }
    assert_eq!(page.browser.run("return document.getElementById('result').hidden", &[])?, true, "{told}");
    Ok(())
}

#[test]
fn every_refusal_is_told_in_plain_words() -> Result<()> {
    let (site, mut service) = site("ui_refusals")?;
    publish(&site, &[usage(&site, 0, "cpu", "1")?])?;
    let token = |name: &str, more: &str| Token { more: more.to_owned(), ..Token::new(name) };
    let no_permit = Token { permits: vec!["usages:read".to_owned()], ..Token::new("mh_no_permit") };
    let tokens = [
        Token::new("mh_good"),
        token("mh_no_feature", "features = [\"other\"]\n"),
        no_permit,
        token("mh_shop", "products = [\"shop\"]\n"),
    ];
    site.write_credentials(&tokens)?;
    let status = || Ok(service.client().ask_history("mh_no_feature", "c", "")?.status);
    wait::until_is("the tokens to count", status, |status| *status == 402)?;
    let page = Page::open(&service)?;

    page.ask("mh_unknown", "c")?;
    is_told(&page, &["not accepted", "Check that it is complete", "401: Token is invalid"])?;
    page.ask("mh_no_feature", "c")?;
    is_told(&page, &["Billing is not enabled", "Ask whoever", "402"])?;
    page.ask("mh_no_permit", "c")?;
    is_told(&page, &["may not see", "Billing:Api:ServiceUsageHistory:Show"])?;
    page.ask("mh_good", "all=all")?;
    is_told(&page, &["not correct", "471", "X-Customer"])?;
    // The page's own choices are never wrong, a newer service's limits may be others.
    page.browser.run("document.getElementById('range').options[0].value = 'from_offset=99'", &[])?;
    page.ask("mh_good", "c")?;
    is_told(&page, &["Choose other months", "422", "from_offset", "less_or_equal_to"])?;
    page.choose("All")?;
    page.send()?;
    assert_eq!(page.browser.text("#problem")?, "", "an answer takes the problem away");
    assert_eq!(page.table()?.len(), 3);

    page.browser.click("#more summary")?;
    page.browser.fill("#product", "shop")?;
    page.ask("mh_shop", "c")?;
    assert_eq!(page.browser.text("#problem")?, "", "a token for one product");
    page.browser.run("document.getElementById('product').required = false", &[])?;
    page.browser.fill("#product", " ")?;
    page.send()?;
    is_told(&page, &["missing", "470", "X-Product-Name"])?;
    page.browser.fill("#product", "any")?;
    page.ask("mh_good", "nobody")?;
    assert!(page.browser.text("#status")?.contains("no usage of nobody"));
    is_told(&page, &[])?;
    page.is_quiet(&[401, 402, 403, 422, 470, 471])?;

    service.kill()?;
    page.ask("mh_good", "c")?;
    is_told(&page, &["cannot be reached", "Check the connection"])
}

#[test]
fn when_there_is_no_answer_now_it_says_when_to_ask_again() -> Result<()> {
    let mut site = Site::new("ui_later")?;
    let proxy = Proxy::to(shared().clickhouse().http_port())?;
    site.set("clickhouse.url", format!("http://{}", proxy.address()))?;
    site.set("clickhouse.query_timeout_ms", 1000)?;
    site.set("api.rate_per_second", 1)?;
    site.set("api.rate_burst", 1)?;
    let service = site.serve()?;
    let page = Page::open(&service)?;
    proxy.set(Mode::Cut);
    page.ask(site.token(), "c")?;
    is_told(&page, &["cannot read the whole history", "Ask again", "asks to wait", "503"])?;
    // The limit lets one request a second pass: one of many in a row is told to wait.
    let ask = || {
        page.send()?;
        page.browser.text("#problem")
    };
    let told = wait::until_is("a refusal of the limit", ask, |told| told.contains("429"))?;
    assert!(told.contains("Wait, then ask again. The service asks to wait"), "{told}");
    page.is_quiet(&[429, 503])
}

#[test]
fn what_is_not_documented_is_not_drawn() -> Result<()> {
    let (_site, service) = site("ui_undocumented")?;
    let page = Page::open(&service)?;
    let month = |period: &str, data: &str| format!("{{\"period\":\"{period}\",\"data\":[{data}]}}");
    let used = |service: &str, usage: &str| format!("{{\"service\":\"{service}\",\"usage\":{usage}}}");
    let (a, b) = (used("a", "\"1.0\""), used("b", "\"1.0\""));
    let first = month("10.2026", &a);
    for months in [
        month("10.2026", &used("a", "1.0")),
        month("10.2026", &used("a", "\"1\"")),
        month("10.2026", &used("a", "\"1e3\"")),
        month("13.2026", &a),
        format!("{first},{}", month("11.2026", &b)),
        format!("{first},{}", month("11.2026", &format!("{a},{b}"))),
        format!("{first},{}", month("11.2026", "")),
    ] {
        let body = format!("{{\"service_usage_history\":[{months}]}}");
        let read = "const { read } = await import('./answer.js');
                    try { read(JSON.parse(args[0])); return 'read' } catch (error) { return error.name }";
        assert_eq!(page.browser.run(read, &[body.as_str().into()])?, "RangeError", "{body}");
    }
    Ok(())
}
