//! `meterhouse rejects show`.

use std::fmt::Write;

use anyhow::anyhow;
use meterhouse_store::{RejectScope, StoredReject};
use serde_json::json;

use super::filter::parse_time;
use super::text;
use crate::failure::{ExitKind, Failure};
use crate::time::rfc3339;

/// Which record is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// Its timestamp, in milliseconds since the epoch.
    time: Option<i64>,
}

impl Place {
    /// Reads `PARTITION/OFFSET[@TIME]`. An index behind the offset, as the list shows it, is of no account.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (place, time) = match text.split_once('@') {
            Some((place, time)) => (place, Some(parse_time(time)?.timestamp_millis())),
            None => (text, None),
        };
        let wrong = || "must be partition/offset, as 3/12345".to_owned();
        let place = place.split('[').next().unwrap_or_default();
        let (partition, offset) = place.split_once('/').ok_or_else(wrong)?;
        let partition = partition.parse().map_err(|_| wrong())?;
        let offset = offset.parse().map_err(|_| wrong())?;
        Ok(Self { partition, offset, time })
    }

    pub(super) fn is_at(&self, reject: &StoredReject) -> bool {
        self.time.is_none_or(|time| reject.listed.timestamp_ms() == Some(time))
    }
}

/// Prints all that is kept.
///
/// # Errors
/// There is nothing.
pub(super) fn print(place: &Place, rejects: &[StoredReject], json: bool) -> Result<(), Failure> {
    if rejects.is_empty() {
        let text = format!("no reject at {}/{}", place.partition, place.offset);
        return Err(Failure::new(ExitKind::Finding, anyhow!(text)));
    }
    let shown: Vec<String> = if json {
        rejects.iter().map(|reject| format!("{}\n", as_json(reject))).collect()
    } else {
        rejects.iter().map(for_a_person).collect()
    };
    text::print(&shown.join(if json { "" } else { "\n" }))
}

fn for_a_person(reject: &StoredReject) -> String {
    let listed = &reject.listed;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // To write into a String cannot fail.
        let _ = writeln!(text, "{:16}{value}", format!("{name}:"));
    };
    line("topic", listed.key.topic.clone());
    line("place", text::place(&listed.key));
    line("record time", text::record_time(listed));
    line(
        "not stored",
        match listed.key.scope {
            RejectScope::Record => "the record".to_owned(),
            RejectScope::Event => format!("event {} of the record", listed.key.index),
        },
    );
    line("reason", listed.reason.clone());
    if listed.first_reason != listed.reason {
        line("first reason", listed.first_reason.clone());
    }
    line("detail", text::on_one_line(&listed.detail, usize::MAX));
    line("rejected at", rfc3339(listed.rejected_at));
    if listed.replayed_at != 0 {
        line("replayed at", format!("{}: {}", rfc3339(listed.replayed_at), listed.outcome));
    }
    line("sha256", hex::encode(reject.raw_sha256));
    line("key", text::readable(reject.record.key.as_deref().unwrap_or_default()));
    for (name, value) in &reject.record.headers {
        line("header", format!("{}: {}", text::readable(name), text::readable(value)));
    }
    let part = if reject.is_whole() { "" } else { ", of which this is the beginning" };
    line("value", format!("{} bytes{part}", listed.raw_length));
    let _ = writeln!(text, "{}", text::readable(&reject.raw));
    text
}

fn as_json(reject: &StoredReject) -> serde_json::Value {
    let mut all = text::listed_json(&reject.listed);
    let headers = reject.record.headers.iter().map(
        |(name, value)| json!({ "name": String::from_utf8_lossy(name), "value_base64": text::base64(value) }),
    );
    all["raw_sha256"] = hex::encode(reject.raw_sha256).into();
    all["key_base64"] = text::base64(reject.record.key.as_deref().unwrap_or_default()).into();
    all["headers"] = headers.collect();
    all["raw_is_whole"] = reject.is_whole().into();
    all["raw_base64"] = text::base64(&reject.raw).into();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_the_list_shows_them() {
        let place = Place { partition: 3, offset: 12, time: None };
        assert_eq!(Place::parse("3/12"), Ok(place));
        assert_eq!(Place::parse("3/12[4]"), Ok(place));
        assert_eq!(Place::parse("3/12@1970-01-01T00:00:01.5Z"), Ok(Place { time: Some(1500), ..place }));
        for wrong in ["", "3", "3/", "/3", "a/b", "3/12@noon"] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }
}
