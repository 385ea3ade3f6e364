//! The page without a pointer.

use anyhow::Result;
use serde_json::Value;

use crate::page::{Page, publish, site, usage};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const DOWN: &str = "\u{e015}";

/// What has the focus: its id, or its text, and whether its outline can be seen.
fn focus(page: &Page) -> Result<String> {
    let focus = page.browser.run(
        "const { id, textContent, tagName } = document.activeElement;
         const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
         const seen = outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2;
         return `${id || textContent.trim() || tagName}${seen ? '' : ' without an outline'}`;",
        &[],
    )?;
    Ok(focus.as_str().unwrap_or_default().to_owned())
}

/// Goes on with Tab, and returns everything that had the focus on the way to `last`.
fn tab_to(page: &Page, last: &str) -> Result<Vec<String>> {
    let mut passed = Vec::new();
    while passed.last().is_none_or(|name| name != last) && passed.len() < 30 {
        page.browser.press(TAB)?;
        passed.push(focus(page)?);
    }
    Ok(passed)
}

#[test]
fn everything_can_be_done_by_keys() -> Result<()> {
    let (site, service) = site("ui_keyboard")?;
    publish(&site, &[usage(&site, 0, "cpu", "1.5")?, usage(&site, 0, "disk", "1")?])?;
    let page = Page::open(&service)?;
    assert_eq!(tab_to(&page, "token")?, ["token"]);
    page.browser.press(site.token())?;
    // An empty customer is not sent, and gets the focus.
    page.browser.press(ENTER)?;
    assert_eq!(focus(&page)?, "customer");
    page.browser.press("c")?;
    assert_eq!(tab_to(&page, "range")?, ["range"]);
    page.browser.press(&format!("{DOWN}{DOWN}"))?;
    assert_eq!(tab_to(&page, "Show usage")?, ["Product and club", "Show usage"]);
    page.browser.press(ENTER)?;
    page.wait_answered()?;
    assert_eq!(page.table()?.len(), 3);
    assert_eq!(tab_to(&page, "numbers")?, ["cpu", "disk", "numbers"]);
    assert_eq!(tab_to(&page, "with-token")?.last().map(String::as_str), Some("with-token"));
    page.browser.press(" ")?;
    assert!(page.browser.text("#curl")?.contains("secret"));

    page.browser.run("document.querySelector('#legend button').focus({ focusVisible: true })", &[])?;
    let pressed = || page.browser.run("return document.activeElement.ariaPressed", &[]);
    let before = page.painted()?;
    page.browser.press(" ")?;
    assert_eq!((pressed()?, page.painted()?[0] < before[0]), (Value::from("false"), true));
    page.browser.press(ENTER)?;
    assert_eq!((pressed()?, page.painted()?), (Value::from("true"), before));
    page.is_quiet(&[])
}
