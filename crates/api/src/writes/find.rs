//! Finding the usages that are to be changed, as they are.

use std::cmp::Reverse;
use std::collections::HashSet;

use meterhouse_model::Event;
use meterhouse_query::Subscription;
use meterhouse_store::{StoredUsage, UsageFilter};

use super::{UsageWriter, WriteError};

impl UsageWriter {
    /// Usages that match, as far as what is found is the copy that counts. Until the sweep comes it may be an older one, on a
    /// key that its usage has left: for another option code or date, for another customer, or for good.
    pub(super) async fn find(
        &self,
        subscription: &Subscription,
        filter: &UsageFilter,
        limit: u64,
    ) -> Result<Vec<StoredUsage>, WriteError> {
        let mut found = self.ask("usages", self.usages.stored(subscription, filter, limit)).await?;
        let references: Vec<u64> =
            found.iter().map(|usage| usage.event.identity_hash().usage_reference()).collect();
        let highest = self.ask("versions", self.usages.highest_versions(subscription, &references)).await?;
        found.retain(|usage| highest.get(&usage.event.identity.to_string()) == Some(&usage.version));
        Ok(found)
    }
}

/// The only one of some usages.
pub(super) fn one(mut found: Vec<StoredUsage>) -> Result<StoredUsage, WriteError> {
    let usage = found.pop().ok_or(WriteError::NotFound)?;
    if found.is_empty() { Ok(usage) } else { Err(WriteError::Ambiguous) }
}

/// Of each identity the newest copy.
pub(super) fn newest(mut usages: Vec<StoredUsage>) -> Vec<Event<'static>> {
    usages.sort_by_key(|usage| Reverse(usage.version));
    let mut seen = HashSet::new();
    usages.retain(|usage| seen.insert(usage.event.identity.clone()));
    usages.into_iter().map(|usage| usage.event).collect()
}
