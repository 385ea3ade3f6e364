//! A usage event.

use std::borrow::Cow;

use crate::identity::owned;
use crate::origin::request_of;
use crate::{Day, Identity, IdentityHash, Units};

/// Highest revision of a change.
pub(crate) const REVISION_MAX: u32 = (1 << 31) - 1;

/// A usage event that keeps every rule. It borrows from the record's value where that has no escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// `SubscriptionReference`: whose usage it is.
    pub subscription: Cow<'a, str>,
    /// `OptionCode`: what was used.
    pub option_code: Cow<'a, str>,
    /// `Customer`, empty where the record names none.
    pub customer: Cow<'a, str>,
    /// `Description`, empty where there is none.
    pub description: Cow<'a, str>,
    /// What identifies the event within its subscription.
    pub identity: Identity<'a>,
    /// Place in `Usages`, else 0.
    pub index: u16,
    /// `UsageStart`, in microseconds since the epoch.
    pub start: i64,
    /// `UsageEnd`, in microseconds since the epoch.
    pub end: i64,
    /// The instant that the usage is billed at, in microseconds since the epoch: `end`, less one where `start` is
    /// earlier. So an interval that ends with a month belongs to that month.
    pub billed_at: i64,
    /// The day that holds `billed_at` in the billing time zone.
    pub billing_day: Day,
    /// `Units`.
    pub units: Units,
    /// `RenewalOrderReference`, never 0.
    pub renewal_order_reference: Option<u64>,
    /// What the event does to earlier copies of itself.
    pub change: Change,
    /// `Origin`, as its JSON text: what our HTTP API adds to the events that it writes.
    pub origin: Option<Cow<'a, str>>,
}

/// What an event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// States a usage for the first time.
    Create,
    /// States it anew, at this revision.
    Amend(u32),
    /// Takes it away, at this revision.
    Delete(u32),
}

impl Event<'_> {
    /// Whether the event takes a usage away.
    pub fn is_deleted(&self) -> bool {
        matches!(self.change, Change::Delete(_))
    }

    /// Revision of a change, 0 for a creation.
    pub fn revision(&self) -> u32 {
        match self.change {
            Change::Create => 0,
            Change::Amend(revision) | Change::Delete(revision) => revision,
        }
    }

    /// The revision of the change after this one. `None`: there is none above it.
    pub fn next_revision(&self) -> Option<u32> {
        Some(self.revision() + 1).filter(|next| *next <= REVISION_MAX)
    }

    /// The hash of the event's identity within its subscription.
    pub fn identity_hash(&self) -> IdentityHash {
        let mut text = Vec::new();
        self.identity.write_to(&mut text);
        IdentityHash::of(&self.subscription, &text)
    }

    /// The digest of the HTTP request that the event was written by, if it was.
    pub fn request(&self) -> Option<&str> {
        self.origin.as_deref().and_then(request_of)
    }

    /// The same event, without borrows.
    pub fn into_owned(self) -> Event<'static> {
        Event {
            subscription: owned(self.subscription),
            option_code: owned(self.option_code),
            customer: owned(self.customer),
            description: owned(self.description),
            identity: self.identity.into_owned(),
            origin: self.origin.map(owned),
            index: self.index,
            start: self.start,
            end: self.end,
            billed_at: self.billed_at,
            billing_day: self.billing_day,
            units: self.units,
            renewal_order_reference: self.renewal_order_reference,
            change: self.change,
        }
    }
}
