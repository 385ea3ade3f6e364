//! Comparisons of what is stored and answered with what must be. They panic where something differs.

use crate::oracle::Expected;
use crate::{Client, Site};
use anyhow::Result;

/// Waits until everything is stored, and compares all of it with what the oracle says of the topic.
///
/// # Errors
/// A server does not answer.
pub fn all_is_as_expected(site: &Site, client: &Client) -> Result<Expected> {
    site.wait_consumed()?;
    let expected = site.expected()?;
    assert_eq!(site.stored_rejects()?, expected.rejects, "rejected records by reason");
    let live = site.count("SELECT count() FROM usage_events FINAL")?;
    assert_eq!(live, expected.events, "events that count");
    histories_are_as_expected(site, client, &expected)?;
    Ok(expected)
}

/// The same, and once more when all dates are rolled up, so that every answer comes from other rows.
///
/// # Errors
/// A server does not answer, or nobody rolls up.
pub fn all_is_as_expected_rolled_up(site: &Site, client: &Client) -> Result<Expected> {
    let expected = all_is_as_expected(site, client)?;
    let dates = site.wait_rolled_up()?;
    assert!(dates > 0 || expected.events == 0, "no date has a mark");
    histories_are_as_expected(site, client, &expected)?;
    Ok(expected)
}

/// Compares every customer's history, decimal for decimal.
///
/// # Errors
/// A server does not answer.
pub fn histories_are_as_expected(site: &Site, client: &Client, expected: &Expected) -> Result<()> {
    for (customer, history) in &expected.history {
        assert_eq!(client.history(site.token(), customer)?, *history, "history of {customer}");
    }
    Ok(())
}

/// The lines of a customer's history as `10.2026 service usage`, for expectations by hand.
///
/// # Errors
/// A server does not answer.
pub fn history_lines(site: &Site, client: &Client, customer: &str) -> Result<Vec<String>> {
    let history = client.history(site.token(), customer)?;
    let mut lines = Vec::new();
    for month in history["service_usage_history"].as_array().into_iter().flatten() {
        for used in month["data"].as_array().into_iter().flatten() {
            let [period, service, usage] =
                [&month["period"], &used["service"], &used["usage"]].map(|text| text.as_str().unwrap_or("?"));
            lines.push(format!("{period} {service} {usage}"));
        }
    }
    Ok(lines)
}
