//! Deletions of usages.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use meterhouse_ingest::Written;
use meterhouse_model::{Change, Event, IdentityHash, Version};
use meterhouse_query::Subscription;
use meterhouse_store::{StoredUsage, UsageFilter};

use super::amend::{next_revision, one};
use super::{ATTEMPTS, Published, UsageWriter, WriteError, origin, read};
use crate::clock::now_micros;

/// Usages that one request may delete.
const USAGES_MAX: u64 = 10_000;
/// Deletions of a record: whatever they state, they fit into one.
const RECORD_USAGES: usize = 100;
/// Usages that are asked for by their references at a time.
const REFERENCES_MAX: usize = 1000;
/// What all copies are below, creations and changes.
const ALL_COPIES: Version = Version(u128::MAX);

/// A record with deletions.
struct Deleting {
    events: Vec<Event<'static>>,
    written: Written,
}

impl UsageWriter {
    /// Deletes all usages that match now. One that somebody changes meanwhile is deleted as it is then.
    pub(crate) async fn delete(
        self,
        subscription: Subscription,
        filter: UsageFilter,
        principal: impl AsRef<str>,
    ) -> Result<(), WriteError> {
        let found = self.usages.stored(&subscription, &filter, USAGES_MAX + 1).await;
        let found = read("usages", found)?;
        if found.len() as u64 > USAGES_MAX {
            let message = format!("More than {USAGES_MAX} usages match: narrow the criteria");
            return Err(WriteError::Invalid(message));
        }
        let mut matching = self.matching(&subscription, &filter, &found).await?;
        if filter.references.is_some() {
            matching = vec![one(matching)?];
        }
        self.delete_all(&subscription, matching, principal.as_ref()).await
    }

    /// Of usages that were found, those of which the copy that counts matches, too. Until the sweep comes, what was found may
    /// be an older copy, on a key that its usage has left.
    async fn matching(
        &self,
        subscription: &Subscription,
        filter: &UsageFilter,
        found: &[StoredUsage],
    ) -> Result<Vec<StoredUsage>, WriteError> {
        let mut copies = Vec::new();
        for part in found.chunks(REFERENCES_MAX) {
            let references = part.iter().map(|usage| reference(&usage.event)).collect();
            let all = UsageFilter { references: Some(references), ..UsageFilter::default() };
            copies.extend(read("copies", self.usages.stored(subscription, &all, USAGES_MAX).await)?);
        }
        let mut matching = newest(copies);
        matching.retain(|usage| filter.matches(&usage.event));
        Ok(matching)
    }

    /// Deletes usages, in rounds: what others have changed meanwhile takes another one.
    pub(super) async fn delete_all(
        &self,
        subscription: &Subscription,
        mut left: Vec<StoredUsage>,
        principal: &str,
    ) -> Result<(), WriteError> {
        for _ in 0..ATTEMPTS {
            if left.is_empty() {
                return Ok(());
            }
            let mut records = Vec::new();
            for usages in newest(left).chunks(RECORD_USAGES) {
                records.push(self.publish_deletions(usages, principal).await?);
            }
            left = Vec::new();
            for record in &records {
                left.extend(self.not_deleted(subscription, record).await?);
            }
        }
        if left.is_empty() { Ok(()) } else { Err(WriteError::Unavailable) }
    }

    async fn publish_deletions(
        &self,
        usages: &[StoredUsage],
        principal: &str,
    ) -> Result<Deleting, WriteError> {
        let mut events = Vec::with_capacity(usages.len());
        for (usage, index) in usages.iter().zip(0..) {
            let change = Change::Delete(next_revision(&usage.event)?);
            events.push(Event { change, index, ..usage.event.clone() });
        }
        origin::sign(&mut events, principal);
        let Published::At(written) = self.publish(&events, now_micros() / 1000).await? else {
            return Err(WriteError::Unavailable);
        };
        Ok(Deleting { events, written })
    }

    /// What is still there of a record's usages once it is accounted for, in a higher version. A lower one is another copy on
    /// another key, which the sweep takes away.
    async fn not_deleted(
        &self,
        subscription: &Subscription,
        deleting: &Deleting,
    ) -> Result<Vec<StoredUsage>, WriteError> {
        let Deleting { events, written } = deleting;
        if !self.is_accounted(*written).await {
            return Err(WriteError::Unavailable);
        }
        let hashes: Vec<_> = events.iter().map(|event| self.evidence(event).identity).collect();
        let winners = read("deletions", self.usages.winners_below(&hashes, ALL_COPIES).await)?;
        let is_stored = |(hash, event): (&IdentityHash, &Event<'_>)| {
            winners.get(hash).is_some_and(|winner| winner.version >= deleting.version(event))
        };
        if !hashes.iter().zip(events).all(is_stored) {
            return Err(self.rejection(events, *written).await);
        }
        let references = hashes.iter().map(|hash| hash.usage_reference()).collect();
        let filter = UsageFilter { references: Some(references), ..UsageFilter::default() };
        let mut found = read("deleted usages", self.usages.stored(subscription, &filter, USAGES_MAX).await)?;
        let versions: HashMap<_, _> =
            events.iter().map(|event| (&event.identity, deleting.version(event))).collect();
        found.retain(|usage| {
            versions.get(&usage.event.identity).is_some_and(|deletion| usage.version > *deletion)
        });
        Ok(found)
    }
}

impl Deleting {
    /// The version of one of its deletions.
    fn version(&self, event: &Event<'_>) -> Version {
        let Written { partition, offset } = self.written;
        Version::change(event.revision(), true, partition, offset, event.index)
    }
}

/// Of each identity the copy that counts.
fn newest(mut usages: Vec<StoredUsage>) -> Vec<StoredUsage> {
    usages.sort_by_key(|usage| Reverse(usage.version));
    let mut seen = HashSet::new();
    usages.retain(|usage| seen.insert(usage.event.identity.clone()));
    usages
}

fn reference(event: &Event<'_>) -> u64 {
    IdentityHash::of(&event.subscription, event.identity.to_string().as_bytes()).usage_reference()
}
