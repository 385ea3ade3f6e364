//! Comparisons of what is stored and answered with what must be. They panic where something differs.

use crate::oracle::Expected;
use crate::{Client, Site, wait};
use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Waits until everything is stored, and compares all of it with what the oracle says of the topic.
///
/// # Errors
/// A server does not answer.
pub fn all_is_as_expected(site: &Site, client: &Client) -> Result<Expected> {
    site.wait_consumed()?;
    let expected = site.expected()?;
    // Copies that differ are seen to a moment after they are stored.
    let wanted = (&expected.rejects, expected.conflicts.len(), expected.events);
    let what = format!("rejects by reason, conflicts and events that count: {wanted:?}");
    let look = || {
        let live = site.count("SELECT count() FROM usage_events FINAL")?;
        Ok((site.stored_rejects()?, site.stored_conflicts()?, live))
    };
    wait::until_is(&what, look, |(rejects, conflicts, live)| (rejects, conflicts.len(), *live) == wanted)?;
    conflicts_are_as_expected(site, &expected)?;
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

/// Compares the places of conflicts, and what quarantine keeps of each with what the topic holds there.
fn conflicts_are_as_expected(site: &Site, expected: &Expected) -> Result<()> {
    if expected.conflicts.is_empty() {
        return Ok(());
    }
    let stored = site.stored_conflicts()?;
    assert_eq!(stored.keys().collect::<Vec<_>>(), expected.conflicts.iter().collect::<Vec<_>>(), "conflicts");
    for record in site.log()? {
        let place = (record.topic.clone(), record.partition, record.offset);
        for (conflict, raw) in &stored {
            if (&conflict.0, conflict.1, conflict.2) == (&place.0, place.1, place.2) {
                assert_eq!(*raw, STANDARD.encode(record.value.as_deref().unwrap_or_default()), "{place:?}");
            }
        }
    }
    Ok(())
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
