//! A sort key of `usage_events`, with the rows of one identity on it.

use meterhouse_model::{IdentityHash, Version};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    events::utc_date,
    hash::{KeyHashes, key_hash},
};

/// A sort key that has rows, whatever these say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowKey {
    /// As the rows name it, else empty.
    pub customer: String,
    /// Subscription.
    pub subscription: String,
    /// Option code.
    pub option_code: String,
    /// Tagged text of the identity.
    pub identity: String,
    /// Of one of the rows, in microseconds since the epoch: all are on one UTC date.
    pub billed_at: i64,
    /// Of the same row, in days since 1970.
    pub billing_day: i32,
    /// Highest version of the rows.
    pub version: Version,
    /// Highest version of the rows that take the event away, 0 where there is none.
    pub tombstone: Version,
}

impl RowKey {
    /// The hash of the identity, from its text.
    pub(crate) fn identity_hash(&self) -> IdentityHash {
        IdentityHash::of(&self.subscription, self.identity.as_bytes())
    }

    /// The hash that copies on this key have in `identities`.
    pub(crate) fn hash(&self) -> u64 {
        let hash = |text: &str| xxh3_64(text.as_bytes());
        key_hash(&KeyHashes {
            customer: hash(&self.customer),
            subscription: hash(&self.subscription),
            utc_date: utc_date(self.billed_at),
            option_code: hash(&self.option_code),
            identity: hash(&self.identity),
        })
    }

    /// Whether both are keys of one identity, by its text.
    pub(crate) fn is_same_identity(&self, other: &Self) -> bool {
        (&self.subscription, &self.identity) == (&other.subscription, &other.identity)
    }
}
