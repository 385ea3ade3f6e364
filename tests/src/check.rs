//! Comparisons of what is stored and answered with what must be. They panic where something differs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;

use crate::kafka::Logged;
use crate::oracle::Expected;
use crate::{Client, Place, Site, StoredReject, wait};

/// How much quarantine keeps of a record that is too large.
const TOO_LARGE_KEPT: usize = 64 * 1024;

/// Waits until everything is stored, and compares all of it with what the oracle says of the topic.
///
/// # Errors
/// A server does not answer.
pub fn all_is_as_expected(site: &Site, client: &Client) -> Result<Expected> {
    site.wait_consumed()?;
    let expected = site.expected()?;
    // Copies that differ are seen to a moment after they are stored.
    let wanted = (&expected.rejects, expected.events);
    let what = format!("rejects by reason, and events that count: {wanted:?}");
    let look = || Ok((site.stored_rejects()?, site.count("SELECT count() FROM usage_events FINAL")?));
    wait::until_is(&what, look, |(rejects, live)| (rejects, *live) == wanted)?;
    quarantine_is_as_expected(&site.quarantine()?, &site.log()?, &expected);
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

/// Compares the place and the reason of each reject, and what quarantine keeps of it with what the topic holds there.
///
/// # Panics
/// Something differs.
pub fn quarantine_is_as_expected(
    stored: &BTreeMap<Place, StoredReject>,
    log: &[Logged],
    expected: &Expected,
) {
    let found: BTreeSet<_> = stored.iter().map(|(place, reject)| (place, reject.reason.as_str())).collect();
    let wanted: BTreeSet<_> =
        expected.rejected.iter().map(|(place, reason)| (place, reason.as_str())).collect();
    let missing: Vec<_> = wanted.difference(&found).collect();
    let surplus: Vec<_> = found.difference(&wanted).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "not in quarantine: {missing:?}, but there: {surplus:?}"
    );

    let conflicts: Vec<_> =
        stored.iter().filter(|(_, reject)| reject.is_of_event).map(|(place, _)| place).collect();
    assert_eq!(conflicts, expected.conflicts.iter().collect::<Vec<_>>(), "events whose record is stored");

    let values: HashMap<_, _> = log
        .iter()
        .map(|record| ((record.topic.as_str(), record.partition, record.offset), &record.value))
        .collect();
    for ((topic, partition, offset, index), reject) in stored {
        let value = values[&(topic.as_str(), *partition, *offset)].as_deref().unwrap_or_default();
        let kept = if reject.reason == "too_large" { TOO_LARGE_KEPT } else { usize::MAX };
        let is_kept = reject.raw == value[..value.len().min(kept)];
        assert!(is_kept, "quarantine has other bytes of {topic}/{partition}/{offset}/{index} than the topic");
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a quarantine with this reject passes for that of a topic with one record, `[` at 0/7.
    fn passes(offset: i64, reason: &str, raw: &[u8], is_of_event: bool) -> bool {
        let expected: Expected = serde_json::from_value(serde_json::json!({
            "records": 1, "copies": 0, "events": 0, "rejects": {"invalid_json": 1},
            "rejected": [[["t", 0, 7, -1], "invalid_json"]], "conflicts": [], "history": {}, "bills": {},
        }))
        .unwrap();
        let record = |offset| Logged {
            topic: "t".to_owned(),
            partition: 0,
            offset,
            timestamp_ms: 0,
            key: None,
            value: Some(b"[".to_vec()),
            headers: Vec::new(),
        };
        let reject = StoredReject { reason: reason.to_owned(), raw: raw.to_vec(), is_of_event };
        let stored = BTreeMap::from([(("t".to_owned(), 0, offset, -1), reject)]);
        let compare = || quarantine_is_as_expected(&stored, &[record(6), record(7)], &expected);
        std::panic::catch_unwind(compare).is_ok()
    }

    #[test]
    fn a_reject_passes_at_its_place_with_its_reason_and_its_bytes_alone() {
        assert!(passes(7, "invalid_json", b"[", false));
        assert!(!passes(6, "invalid_json", b"[", false), "as many, but another record");
        assert!(!passes(7, "invalid_utf8", b"[", false));
        assert!(!passes(7, "invalid_json", b"]", false));
        assert!(!passes(7, "invalid_json", b"[", true));
    }
}
