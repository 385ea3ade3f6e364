//! A record with deletions: publishing it, and what it has not deleted for good.

use std::collections::{BTreeSet, HashMap};

use meterhouse_ingest::Written;
use meterhouse_model::{Change, Event, Version};
use meterhouse_query::Subscription;
use meterhouse_store::{StoredUsage, UsageFilter};

use super::find::newest;
use super::{Published, UsageWriter, WriteError, origin};
use crate::clock::now_micros;

/// Rows with the references of a record's usages: some may be there more than once, on several keys.
const ROWS_MAX: u64 = 10_000;

/// A record with deletions.
pub(super) struct Deleting {
    events: Vec<Event<'static>>,
    written: Written,
}

impl UsageWriter {
    pub(super) async fn publish_deletions(
        &self,
        events: &[Event<'static>],
        principal: &str,
    ) -> Result<Deleting, WriteError> {
        let deletion = |(event, index): (&Event<'static>, u16)| {
            let change = Change::Delete(event.next_revision().ok_or(WriteError::NoMoreRevisions)?);
            Ok(Event { change, index, ..event.clone() })
        };
        let mut events = events.iter().zip(0..).map(deletion).collect::<Result<Vec<_>, WriteError>>()?;
        origin::sign(&mut events, principal);
        match self.publish(&events, now_micros() / 1000).await? {
            Published::At(written) => Ok(Deleting { events, written }),
            Published::Perhaps | Published::Not => Err(WriteError::Unavailable),
        }
    }

    /// What a record has not deleted for good, once it is accounted for: usages that are there in a higher version, and those
    /// that may come to be. A lower version is another copy on another key, which the sweep takes away.
    pub(super) async fn not_deleted(
        &self,
        subscription: &Subscription,
        deleting: &Deleting,
    ) -> Result<Vec<Event<'static>>, WriteError> {
        if !self.is_accounted(deleting.written).await {
            return Err(WriteError::Unavailable);
        }
        let revisions: BTreeSet<u32> = deleting.events.iter().map(Event::revision).collect();
        let mut left = Vec::new();
        for revision in revisions {
            left.extend(self.overtaking(deleting, revision).await?);
        }
        let references =
            deleting.events.iter().map(|event| event.identity_hash().usage_reference()).collect();
        let filter = UsageFilter { references: Some(references), ..UsageFilter::default() };
        let found = self.ask("deleted usages", self.usages.stored(subscription, &filter, ROWS_MAX)).await?;
        let versions: HashMap<_, _> =
            deleting.events.iter().map(|event| (&event.identity, deleting.version(event))).collect();
        let is_higher = |usage: &StoredUsage| {
            versions.get(&usage.event.identity).is_some_and(|deletion| usage.version > *deletion)
        };
        let higher = newest(found.into_iter().filter(is_higher).collect());
        left.retain(|event: &Event<'_>| higher.iter().all(|other| other.identity != event.identity));
        left.extend(higher);
        Ok(left)
    }

    /// Deletions at a revision that count above an amendment at that revision which was there before them. Until they were
    /// stored it was the usage: somebody may have read it, and publish the next revision upon it at any time. That one has to
    /// be deleted, too.
    async fn overtaking(
        &self,
        deleting: &Deleting,
        revision: u32,
    ) -> Result<Vec<Event<'static>>, WriteError> {
        let events: Vec<_> = deleting.events.iter().filter(|event| event.revision() == revision).collect();
        let identities: Vec<_> = events.iter().map(|event| event.identity_hash()).collect();
        let below = |version| self.usages.winners_below(&identities, version);
        let winners = self.ask("deletions", below(Version::before_revision(revision + 1))).await?;
        let is_stored = |event: &Event<'_>| {
            winners
                .get(&event.identity_hash())
                .is_some_and(|winner| winner.version >= deleting.version(event))
        };
        if !events.iter().all(|event| is_stored(event)) {
            return Err(self.rejection(&deleting.events, deleting.written).await);
        }
        let amended = self.ask("amendments", below(Version::before_deletion(revision))).await?;
        let Written { partition, offset } = deleting.written;
        let is_overtaking = |event: &&Event<'_>| {
            let place = Version::change(revision, false, partition, offset, event.index);
            amended.get(&event.identity_hash()).is_some_and(|amendment| amendment.version > place)
        };
        Ok(events.into_iter().filter(is_overtaking).cloned().collect())
    }
}

impl Deleting {
    /// The version of one of its deletions.
    fn version(&self, event: &Event<'_>) -> Version {
        let Written { partition, offset } = self.written;
        Version::change(event.revision(), true, partition, offset, event.index)
    }
}
