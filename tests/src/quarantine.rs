//! What a site's quarantine holds.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Site;

/// Topic, partition, offset, and index of the event in the record; -1 for the whole record.
pub type Place = (String, i32, i64, i32);

/// A reject that is still one.
const OPEN: &str = "replay_outcome NOT IN ('stored', 'duplicate')";

/// What quarantine says of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReject {
    /// Why it is there.
    pub reason: String,
    /// What is kept of the record's value.
    pub raw: Vec<u8>,
    /// Only the one event of the record is not stored.
    pub is_of_event: bool,
}

impl Site {
    /// Rejects by reason, as stored: without those that a replay has stored or found to be copies.
    ///
    /// # Errors
    /// There is no answer.
    pub fn stored_rejects(&self) -> Result<BTreeMap<String, u64>> {
        let sql =
            format!("SELECT reason, count() FROM rejects FINAL WHERE {OPEN} GROUP BY reason FORMAT TSV");
        let parse = |line: &str| {
            let (reason, count) = line.split_once('\t').context("no tab")?;
            Ok((reason.to_owned(), count.parse()?))
        };
        self.query(&sql)?.lines().map(parse).collect()
    }

    /// The same rejects by their places.
    ///
    /// # Errors
    /// There is no answer.
    pub fn quarantine(&self) -> Result<BTreeMap<Place, StoredReject>> {
        let sql = format!(
            "SELECT topic, partition, offset, index, reason, base64Encode(raw), toBool(scope = 'event') \
             FROM rejects FINAL WHERE {OPEN} \
             FORMAT JSONCompactEachRow SETTINGS output_format_json_quote_64bit_integers = 0"
        );
        let parse = |line: &str| {
            let (topic, partition, offset, index, reason, raw, is_of_event): (_, _, _, _, _, String, _) =
                serde_json::from_str(line).context("a row")?;
            let raw = STANDARD.decode(raw)?;
            Ok(((topic, partition, offset, index), StoredReject { reason, raw, is_of_event }))
        };
        self.query(&sql)?.lines().map(parse).collect()
    }

    /// Places of events in quarantine whose identity is taken by other content.
    ///
    /// # Errors
    /// There is no answer.
    pub fn stored_conflicts(&self) -> Result<Vec<Place>> {
        let rejects = self.quarantine()?.into_iter();
        // The parser gives the same reason to a record that has one identity twice.
        let is_conflict =
            |reject: &StoredReject| reject.reason == "conflicting_duplicate" && reject.is_of_event;
        Ok(rejects.filter(|(_, reject)| is_conflict(reject)).map(|(place, _)| place).collect())
    }
}
