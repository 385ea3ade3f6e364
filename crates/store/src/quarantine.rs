//! Quarantine as it is read again: which rejects there are, all of one, and what a replay makes of them.

mod copies;
mod outcome;
mod read;
mod replays;

pub use copies::EventRow;
pub use outcome::{Outcome, ReplayOutcome};
pub use replays::{Replay, ReplayCounts};

use crate::{RejectScope, RejectedRecord};

/// Which rejects are wanted. The default is: all that are open.
#[derive(Debug, Clone)]
pub struct RejectFilter {
    /// With one of these reasons; empty: with any.
    pub reasons: Vec<String>,
    /// Of records from this time on, in milliseconds since the epoch.
    pub from_ms: i64,
    /// Of records before this time.
    pub to_ms: i64,
    /// Of one partition.
    pub partition: Option<i32>,
    /// Of one subscription: by the record's key, or by `SubscriptionReference` where its value can be read as JSON.
    pub subscription: Option<String>,
    /// Whether they were replayed.
    pub state: RejectState,
}

/// Whether the record of a reject is stored by now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RejectState {
    /// It is not: it was never replayed, or in vain.
    #[default]
    Open,
    /// A replay has stored it.
    Replayed,
    /// Either.
    All,
}

/// Where a reject comes from: what tells it from all others. The order is that of a replay, the first copy of an event
/// comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RejectKey {
    /// Timestamp of the record, in milliseconds since the epoch, 0 where it has none.
    pub record_time: i64,
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Event at fault, -1 for the whole record.
    pub index: i32,
    /// What is not stored.
    pub scope: RejectScope,
}

/// A reject without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedReject {
    /// Where it comes from.
    pub key: RejectKey,
    /// Whether the record has a timestamp.
    pub has_timestamp: bool,
    /// Stable text of the reason.
    pub reason: String,
    /// Reason before the first replay.
    pub first_reason: String,
    /// For a person: what is wrong.
    pub detail: String,
    /// Length of the whole value, in bytes.
    pub raw_length: u64,
    /// When it was rejected, in milliseconds since the epoch.
    pub rejected_at: i64,
    /// When it was last replayed, 0 for never.
    pub replayed_at: i64,
    /// What the last replay came to, empty for none.
    pub outcome: String,
}

/// All that is kept of a rejected record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReject {
    /// What the list shows.
    pub listed: ListedReject,
    /// Key and headers. An empty key may have been none.
    pub record: RejectedRecord,
    /// Its value, or the beginning of it.
    pub raw: Vec<u8>,
    /// Hash of the whole value.
    pub raw_sha256: [u8; 32],
}

/// A reject that waits to be read, and how many bytes of it are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectPlace {
    /// Where it comes from.
    pub key: RejectKey,
    /// Bytes of its value that are kept.
    pub raw_bytes: u64,
}

impl Default for RejectFilter {
    fn default() -> Self {
        Self {
            reasons: Vec::new(),
            from_ms: i64::MIN,
            to_ms: i64::MAX,
            partition: None,
            subscription: None,
            state: RejectState::default(),
        }
    }
}

impl RejectState {
    /// Stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replayed => "replayed",
            Self::All => "all",
        }
    }
}

impl ListedReject {
    /// Timestamp of the record, in milliseconds since the epoch.
    pub fn timestamp_ms(&self) -> Option<i64> {
        self.has_timestamp.then_some(self.key.record_time)
    }
}

impl StoredReject {
    /// Whether all of its value is kept.
    pub fn is_whole(&self) -> bool {
        self.raw.len() as u64 == self.listed.raw_length
    }
}
