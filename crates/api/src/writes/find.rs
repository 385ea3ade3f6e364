//! Finding the usages that are to be changed, as they are.

use std::cmp::Reverse;
use std::collections::HashSet;

use meterhouse_model::Event;
use meterhouse_query::Subscription;
use meterhouse_store::{StoredUsage, UsageFilter};

use super::{UsageWriter, WriteError};

/// Usages that are asked for by their references at a time.
const REFERENCES_MAX: usize = 1000;

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
        let references: Vec<u64> = found.iter().map(reference).collect();
        let highest = self.ask("versions", self.usages.highest_versions(subscription, &references)).await?;
        let counts = |usage: &StoredUsage| {
            highest.get(&usage.event.identity.to_string()).is_some_and(|highest| usage.version >= *highest)
        };
        // What was changed between the two answers is as high as the second one says where it is looked for once more.
        let lower: Vec<u64> = found.iter().filter(|usage| !counts(usage)).map(reference).collect();
        for references in lower.chunks(REFERENCES_MAX) {
            let again = UsageFilter { references: Some(references.to_vec()), ..filter.clone() };
            found.extend(self.ask("usages", self.usages.stored(subscription, &again, limit)).await?);
        }
        found.retain(counts);
        Ok(newest_copies(found))
    }
}

fn reference(usage: &StoredUsage) -> u64 {
    usage.event.identity_hash().usage_reference()
}

/// The only one of some usages.
pub(super) fn one(mut found: Vec<StoredUsage>) -> Result<StoredUsage, WriteError> {
    let usage = found.pop().ok_or(WriteError::NotFound)?;
    if found.is_empty() { Ok(usage) } else { Err(WriteError::Ambiguous) }
}

/// Of each identity the newest copy.
pub(super) fn newest(usages: Vec<StoredUsage>) -> Vec<Event<'static>> {
    newest_copies(usages).into_iter().map(|usage| usage.event).collect()
}

fn newest_copies(mut usages: Vec<StoredUsage>) -> Vec<StoredUsage> {
    usages.sort_by_key(|usage| Reverse(usage.version));
    let mut seen = HashSet::new();
    usages.retain(|usage| seen.insert(usage.event.identity.clone()));
    usages
}
