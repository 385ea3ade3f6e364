//! The page by the rules of accessibility, in both modes and narrow, and pictures of it for a person to look at.

use std::fs;

use anyhow::{Context, Result};
use meterhouse_localstack::workspace_dir;
use meterhouse_tests::clients::node_packages;
use meterhouse_tests::wait;
use serde_json::json;

use crate::page::{Page, site};

const EVENTS: &str = "3000";
/// Rules of WCAG 2.2, level A and AA, and axe's own of good practice.
const RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// What axe finds against the page as it is now.
fn findings(page: &Page) -> Result<Vec<String>> {
    let outcome = page.browser.run(
        "const { violations, passes } = await axe.run({ runOnly: args[0] });
         return { violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
                  passes: passes.map(({ id }) => id) };",
        &[json!(RULES)],
    )?;
    let passes = outcome["passes"].as_array().context("no passes")?;
    assert!(passes.contains(&json!("color-contrast")) && passes.len() > 20, "it has not looked: {passes:?}");
    Ok(serde_json::from_value(outcome["violations"].clone())?)
}

#[test]
fn it_is_accessible_in_every_mode() -> Result<()> {
    let packages = node_packages("ui-node", &workspace_dir().join("tests/ui"))?;
    let axe = fs::read_to_string(packages.join("node_modules/axe-core/axe.min.js"))?;
    let (site, service) = site("ui_accessible")?;
    site.generate(&["--customers", "1", "--customer", "demo", "--months", "24", "--events", EVENTS])?;
    site.wait_consumed()?;
    let page = Page::open(&service)?;
    page.browser.run(&axe, &[])?;
    assert_eq!(findings(&page)?, [""; 0], "the empty form");
    page.ask(site.token(), "demo")?;
    for (name, scheme, width) in [("light", "light", 1280), ("dark", "dark", 1280), ("narrow", "light", 320)]
    {
        page.resize(width, 1000)?;
        page.prefer("prefers-color-scheme", scheme)?;
        wait::until_is(
            "the picture to be drawn",
            || page.painted(),
            |painted| painted.iter().all(|pixels| *pixels > 50),
        )?;
        page.point(6)?;
        page.keep_picture(name)?;
        assert_eq!(findings(&page)?, [""; 0], "{name}");
    }
    page.browser.click("#legend li:first-child button")?;
    assert_eq!(findings(&page)?, [""; 0], "a service is hidden");
    let moving = "return [document.getAnimations().length, Chart.getChart('chart').options.animation]";
    assert_eq!(page.browser.run(moving, &[])?, json!([0, false]), "nothing moves, for anybody");
    for scheme in ["light", "dark"] {
        page.prefer("prefers-color-scheme", scheme)?;
        page.ask("mh_unknown", "demo")?;
        assert_eq!(findings(&page)?, [""; 0], "a problem in {scheme}");
    }
    page.is_quiet(&[401])
}
