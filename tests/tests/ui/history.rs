//! What the page shows of a history, and what it lets out.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use meterhouse_tests::{Usage, wait};
use serde_json::{Value, json};

use crate::page::{Page, publish, site, usage};

/// Two numbers whose sum no float can hold, and a credit.
const LARGE: &str = "12345678901234567890.123456789012345678";
const SMALL: &str = "0.000000000000000001";
const LARGE_AND_SMALL: &str = "12345678901234567890.123456789012345679";

#[test]
fn figures_are_those_of_the_answer() -> Result<()> {
    let (site, service) = site("ui_figures")?;
    let all = [
        usage(&site, 2, "storage", LARGE)?,
        usage(&site, 0, "storage", SMALL)?,
        usage(&site, 2, "compute", "3.5")?,
        usage(&site, 0, "compute", "-1.25")?,
        usage(&site, 2, "<b>odd</b> & 'name'", "0")?,
        usage(&site, 13, "compute", "7")?,
    ];
    publish(&site, &all)?;
    let page = Page::open(&service)?;
    page.ask(site.token(), "c")?;
    let answer = service.client().ask_history(site.token(), "c", "?from_offset=11&to_offset=0")?.json()?;
    let mut rows = page.table()?;
    let sums = rows.pop().context("no foot")?;
    assert_eq!(rows.remove(0), ["Month", "storage", "compute", "<b>odd</b> & 'name'"], "by share");
    assert_eq!(sums, ["Sum", LARGE_AND_SMALL, "2.25", "0.0"]);
    let expected = answer["service_usage_history"].as_array().context("no months")?;
    assert_eq!((rows.len(), expected.len()), (12, 12));
    for (row, month) in rows.iter().zip(expected) {
        let of = |service: &str| {
            let all = month["data"].as_array().into_iter().flatten();
            all.filter(|used| used["service"] == service)
                .map(|used| used["usage"].clone())
                .collect::<Vec<_>>()
        };
        let shown: Vec<Value> = row[1..].iter().map(|text| json!(text)).collect();
        assert_eq!(shown, [of("storage"), of("compute"), of("<b>odd</b> & 'name'")].concat(), "{row:?}");
    }
    let painted = page.painted()?;
    assert!(painted[0] > 200, "{painted:?}");
    let pointed = page.point(9)?;
    assert_eq!(pointed, [["<b>odd</b> & 'name'", "0.0"], ["compute", "3.5"], ["storage", LARGE]]);
    // Beside the large service the small one cannot be seen until that is hidden.
    page.browser.click("#legend li:first-child button")?;
    let painted = page.painted()?;
    assert!(painted[0] < 200 && painted[1] > 200, "{painted:?}");

    page.choose("All")?;
    page.send()?;
    assert_eq!(page.table()?.len(), 14 + 2, "from the first usage on");
    page.choose("Last 24")?;
    page.send()?;
    assert_eq!(page.table()?.len(), 24 + 2);
    page.is_quiet(&[])
}

#[test]
fn many_services_are_drawn_by_share_and_all_listed() -> Result<()> {
    let (site, service) = site("ui_many")?;
    let name = |number: u32| format!("service-{number:02} with a name that takes some room");
    let mut all = Vec::new();
    for number in 1..=40 {
        all.push(usage(&site, 1, &name(number), &format!("{number}.000000000000000001"))?);
        all.push(usage(&site, 0, &name(number), &format!("{}", 10 * number))?);
    }
    // What is taken back has a share, too.
    all.push(usage(&site, 0, "credit", "-5000.5")?);
    publish(&site, &all)?;
    let page = Page::open(&service)?;
    page.ask(site.token(), "c")?;
    let rows = page.table()?;
    let by_share: Vec<String> =
        ["Month".to_owned(), "credit".to_owned()].into_iter().chain((1..=40).rev().map(name)).collect();
    assert_eq!(rows[0], by_share);
    let mut pointed = page.point(10)?;
    pointed.reverse();
    let shown: Vec<&str> = pointed.iter().map(|[name, _]| name.as_str()).collect();
    assert_eq!(shown[..2], ["credit", &name(40)]);
    // Services 1 to 34: 595 units, and the smallest fraction 34 times.
    assert_eq!(pointed[7], ["other (34 services)", "595.000000000000000034"]);
    let painted = page.painted()?;
    assert!(painted.len() == 8 && painted.iter().all(|pixels| *pixels > 100), "{painted:?}");
    for width in [320, 1280] {
        page.resize(width, 900)?;
        let overflow = || page.browser.run("return document.documentElement.scrollWidth - innerWidth", &[]);
        let fits = |pixels: &Value| pixels.as_i64().is_some_and(|pixels| pixels <= 0);
        // The drawing follows when the browser tells it of its new width.
        wait::until_is(&format!("all to fit into {width} pixels"), overflow, fits)?;
    }
    page.is_quiet(&[])
}

#[test]
fn the_token_stays_in_memory() -> Result<()> {
    let (site, service) = site("ui_token")?;
    publish(&site, &[Usage::default()])?;
    let page = Page::open(&service)?;
    page.ask(site.token(), "c")?;
    let kept = "return JSON.stringify([location.href, history.state, document.cookie, {...localStorage}, {...sessionStorage},
                  (await indexedDB.databases()), (await caches.keys()), document.body.innerText,
                  performance.getEntries().map(({ name }) => name)]);";
    let kept = page.browser.run(kept, &[])?;
    let kept = kept.as_str().context("no text")?;
    assert!(kept.contains("/service_usage/history?") && !kept.contains("secret"), "{kept}");
    page.browser.reload()?;
    assert_eq!(page.browser.run("return document.getElementById('token').value", &[])?, "");
    page.is_quiet(&[])
}

#[test]
fn a_shell_makes_the_same_request() -> Result<()> {
    let (site, service) = site("ui_curl")?;
    let customer = "Müller's \"$(id)\" `id`";
    let usage = Usage::default().with_json("Customer", &serde_json::to_string(customer)?);
    publish(&site, &[usage])?;
    let page = Page::open(&service)?;
    page.choose("All")?;
    page.ask(site.token(), customer)?;
    let shown = page.browser.text("#result-heading")?;
    assert!(shown.starts_with(customer), "{shown}");
    let expected = service.client().history(site.token(), customer)?;

    let line = page.browser.text("#curl")?;
    assert!(line.contains("$METERHOUSE_TOKEN") && !line.contains("secret"), "{line}");
    assert_eq!(shell(&line, Some(site.token()))?, expected);
    page.browser.click("#with-token")?;
    let line = page.browser.text("#curl")?;
    assert_eq!(shell(&line, None)?, expected);

    let origin = json!({"origin": service.client().url(""), "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
    page.browser.devtools("Browser.grantPermissions", &origin)?;
    page.browser.click("#copy")?;
    let told = wait::until_is("to be told", || page.browser.text("#copied"), |told| !told.is_empty())?;
    assert_eq!(told, "Copied.");
    assert_eq!(page.browser.run("return navigator.clipboard.readText()", &[])?, line.as_str());
    page.is_quiet(&[])
}

/// What a shell prints that runs a line.
fn shell(line: &str, token: Option<&str>) -> Result<Value> {
    let mut command = Command::new("sh");
    command.args(["-c", line]).env_remove("METERHOUSE_TOKEN");
    if let Some(token) = token {
        command.env("METERHOUSE_TOKEN", token);
    }
    let output = command.output()?;
    ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
