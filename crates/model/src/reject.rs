//! Why a record is not usable: one closed list of reasons.

use std::fmt;

/// Bytes that a reject's detail has at most.
const DETAIL_BYTES_MAX: usize = 512;
/// Bytes of an offending text that a detail quotes at most.
const QUOTED_BYTES_MAX: usize = 64;

macro_rules! reasons {
    ($($(#[$doc:meta])+ $name:ident = $text:literal,)+) => {
        /// Why a record is rejected. The stable text of a reason is metric label, quarantine column, header of the
        /// mirrored record and prefix of the fixtures' names under `schemas/rejects/`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$doc])+ $name,)+
        }

        impl Reason {
            /// All reasons, in the order in which they are listed in the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The stable text.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

reasons! {
    /// The record has no value, or one of no bytes.
    EmptyRecord = "empty_record",
    /// The value has more bytes than the configuration allows, or `Usages` more than 1,000 events.
    TooLarge = "too_large",
    /// The value is not UTF-8.
    InvalidUtf8 = "invalid_utf8",
    /// The value is not one JSON text.
    InvalidJson = "invalid_json",
    /// The value, or a member of `Usages`, is JSON but no object.
    NotAnObject = "not_an_object",
    /// An object gives a member twice.
    DuplicateMember = "duplicate_member",
    /// A required member is missing, or `Usages` is empty.
    MissingMember = "missing_member",
    /// A member has another JSON type than it must have, or is no positive integer where it must be one.
    InvalidType = "invalid_type",
    /// `SubscriptionReference` is not 1..128 bytes, or has control characters.
    InvalidSubscription = "invalid_subscription",
    /// `OptionCode` is not 1..128 bytes, or has control characters.
    InvalidOptionCode = "invalid_option_code",
    /// The catalog lacks the option code, and `ingest.require_known_option` is on.
    UnknownOptionCode = "unknown_option_code",
    /// `Customer` is not 1..128 bytes.
    InvalidCustomer = "invalid_customer",
    /// `UsageStart` or `UsageEnd` is not a time in one of the two forms, not on the calendar or the local clock, or
    /// not in the years 1970 to 2199.
    InvalidTime = "invalid_time",
    /// `UsageStart` is later than `UsageEnd`.
    StartAfterEnd = "start_after_end",
    /// The interval is longer than `ingest.max_interval_days`.
    IntervalTooLong = "interval_too_long",
    /// `UsageEnd` is more than `ingest.max_age_days` before the record's timestamp.
    TooOld = "too_old",
    /// `UsageEnd` is more than `ingest.max_future_seconds` after the record's timestamp.
    InFuture = "in_future",
    /// `Units` is not the text of a decimal number.
    InvalidUnits = "invalid_units",
    /// `Units` is below zero, and `ingest.allow_negative_units` is off.
    NegativeUnits = "negative_units",
    /// `Units` has more than 20 digits before the point.
    UnitsTooLarge = "units_too_large",
    /// `Units` has more than 18 digits after the point.
    UnitsTooPrecise = "units_too_precise",
    /// `EventId` is not 1..128 bytes, or `Identity` is not the tagged text of an identity.
    InvalidEventId = "invalid_event_id",
    /// `Description` has more than 1,024 bytes.
    InvalidDescription = "invalid_description",
    /// `Action` is neither `amend` nor `delete`, `Revision` is not 1 to 2^31-1, or one of them or `Identity` is there
    /// without an `Action`.
    InvalidAction = "invalid_action",
    /// A CloudEvents envelope that is incomplete, of another version, or around something else than JSON.
    InvalidEnvelope = "invalid_envelope",
    /// The registry lacks the subscription, and `ingest.require_known_subscription` is on.
    UnknownSubscription = "unknown_subscription",
    /// The usage is outside of its subscription's life, and `ingest.require_known_subscription` is on.
    OutsideSubscription = "outside_subscription",
    /// The event's identity is taken by other content, or occurs twice in the record.
    ConflictingDuplicate = "conflicting_duplicate",
    /// The database refuses the record's rows for good.
    RefusedByStore = "refused_by_store",
}

impl Reason {
    /// The reason of a stable text.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == name)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A verdict against a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct Reject {
    /// What kind of fault it is.
    pub reason: Reason,
    /// Which event of the record is at fault, from 0. None: the record as a whole.
    pub index: Option<u16>,
    /// For a person: what is wrong, and where. At most 512 bytes; it may quote the beginning of what is wrong.
    pub detail: String,
}

impl Reject {
    /// A verdict against a whole record.
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        Self { reason, index: None, detail }
    }

    /// The same verdict against one event of a record.
    #[must_use]
    pub fn at(self, index: u16) -> Self {
        Self { index: Some(index), ..self }
    }
}

/// The beginning of a text, escaped, for a detail.
pub(crate) fn quote(text: &str) -> String {
    let end = text.floor_char_boundary(QUOTED_BYTES_MAX);
    let dots = if end < text.len() { "..." } else { "" };
    format!("{:?}{dots}", &text[..end])
}
