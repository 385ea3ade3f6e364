//! Deletions of usages.

use meterhouse_query::Subscription;
use meterhouse_store::{StoredUsage, UsageFilter};

use super::find::{newest, one};
use super::{ATTEMPTS, UsageWriter, WriteError};

/// Usages that one request may delete.
const USAGES_MAX: u64 = 10_000;
/// Deletions of a record, unless they make too large a one.
const RECORD_USAGES: usize = 100;

impl UsageWriter {
    /// Deletes all usages that match now, and returns their references. One that somebody changes meanwhile is deleted as it is
    /// then.
    pub(crate) async fn delete(
        self,
        subscription: Subscription,
        filter: UsageFilter,
        principal: impl AsRef<str>,
    ) -> Result<Vec<u64>, WriteError> {
        let Some(_room) = self.deletions.take().await else {
            tracing::warn!("a deletion was not begun: too many are under way");
            return Err(WriteError::Unavailable);
        };
        let found = self.find(&subscription, &filter, USAGES_MAX + 1).await?;
        if found.len() as u64 > USAGES_MAX {
            let message = format!("More than {USAGES_MAX} usages match: narrow the criteria");
            return Err(WriteError::Invalid(message));
        }
        let found = if filter.references.is_some() { vec![one(found)?] } else { found };
        let references = found.iter().map(|usage| usage.event.identity_hash().usage_reference()).collect();
        self.delete_all(&subscription, found, principal.as_ref()).await?;
        Ok(references)
    }

    /// Deletes usages, in rounds: what others have changed meanwhile takes another one.
    pub(super) async fn delete_all(
        &self,
        subscription: &Subscription,
        found: Vec<StoredUsage>,
        principal: &str,
    ) -> Result<(), WriteError> {
        let mut left = newest(found);
        for _ in 0..ATTEMPTS {
            if left.is_empty() {
                return Ok(());
            }
            let mut records = Vec::new();
            let mut parts: Vec<_> = left.chunks(RECORD_USAGES).collect();
            while let Some(events) = parts.pop() {
                match self.publish_deletions(events, principal).await {
                    Err(WriteError::TooLarge(_)) if events.len() > 1 => {
                        let (some, others) = events.split_at(events.len() / 2);
                        parts.extend([some, others]);
                    }
                    record => records.push(record?),
                }
            }
            let mut not_deleted = Vec::new();
            for record in &records {
                not_deleted.extend(self.not_deleted(subscription, record).await?);
            }
            left = not_deleted;
        }
        if left.is_empty() { Ok(()) } else { Err(WriteError::Unavailable) }
    }
}
