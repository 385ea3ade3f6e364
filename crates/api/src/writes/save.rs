//! New usages.

use std::sync::Arc;

use meterhouse_ingest::Written;
use meterhouse_model::{Event, Version};
use meterhouse_query::Subscription;
use meterhouse_store::{StoredUsage, UsageFilter};

use super::{Published, UsageWriter, WriteError, origin};
use crate::clock::now_micros;

/// Rows with the references of a request's usages: some may be there twice, on two keys.
const SHARING_MAX: u64 = 10_000;

/// What all creations are below.
const CREATIONS: Version = Version::before_revision(0);

/// The usages of one request.
#[derive(Debug)]
pub(crate) struct NewUsages {
    /// All of one subscription, and inside its bounds.
    pub(crate) events: Vec<Event<'static>>,
    /// The `Idempotency-Key`, and whose it is.
    pub(crate) key: Option<Key>,
    /// Who sends them.
    pub(crate) principal: Arc<str>,
}

/// What makes a request that is sent again the same one.
#[derive(Debug)]
pub(crate) struct Key {
    /// Principals with different ones have keys of their own.
    pub(crate) namespace: String,
    /// What the client sends.
    pub(crate) text: String,
}

/// Whether what was saved has been read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visible {
    Yes,
    /// It is on Kafka, and will be.
    Pending,
}

impl UsageWriter {
    /// Saves usages, all or none, and returns them with their identities.
    pub(crate) async fn save(
        self,
        subscription: Subscription,
        new: NewUsages,
    ) -> Result<(Vec<Event<'static>>, Visible), WriteError> {
        let NewUsages { mut events, key, principal } = new;
        origin::identify(&mut events, key.as_ref());
        origin::sign(&mut events, &principal);
        let visible = match key {
            Some(_) => self.save_with_key(&subscription, &events, &principal).await.map(|()| Visible::Yes),
            None => self.save_without_key(&subscription, &events).await,
        }?;
        Ok((events, visible))
    }

    /// Whatever happens in between, the same request may come again: it finds what there is of it.
    async fn save_with_key(
        &self,
        subscription: &Subscription,
        events: &[Event<'static>],
        principal: &str,
    ) -> Result<(), WriteError> {
        let standing = match self.standing(events).await? {
            Standing::Absent => {
                let written = self.publish_and_wait(events, now_micros() / 1000).await?;
                match self.standing(events).await? {
                    Standing::Absent => return Err(self.rejection(events, written).await),
                    standing => standing,
                }
            }
            standing => standing,
        };
        if standing == Standing::Ours {
            return Ok(());
        }
        self.take_back(subscription, events, principal).await?;
        Err(WriteError::KeyTaken)
    }

    /// Nobody else has these identities, and nobody sends them again: once Kafka has them, they are saved.
    async fn save_without_key(
        &self,
        subscription: &Subscription,
        events: &[Event<'static>],
    ) -> Result<Visible, WriteError> {
        let written = match self.publish(events, now_micros() / 1000).await? {
            Published::At(written) => written,
            Published::Perhaps => return Err(WriteError::Unknown),
            Published::Not => return Err(WriteError::Unavailable),
        };
        if !self.is_accounted(written).await {
            return Ok(Visible::Pending);
        }
        match self.standing(events).await {
            Ok(Standing::Ours) => Ok(Visible::Yes),
            Ok(Standing::Absent) => self.rejected(subscription, events, written).await,
            Ok(Standing::Anothers) | Err(_) => Ok(Visible::Pending),
        }
    }

    async fn rejected(
        &self,
        subscription: &Subscription,
        events: &[Event<'_>],
        written: Written,
    ) -> Result<Visible, WriteError> {
        match self.rejection(events, written).await {
            WriteError::Unavailable => {
                let reference = subscription.reference();
                tracing::error!(reference, ?written, "saved usages are neither stored nor in quarantine");
                Ok(Visible::Pending)
            }
            rejection => Err(rejection),
        }
    }

    /// Whose the first identity of a request is.
    pub(super) async fn standing(&self, events: &[Event<'static>]) -> Result<Standing, WriteError> {
        let Some(first) = events.first() else { return Err(WriteError::NotFound) };
        Ok(match self.winner(first, CREATIONS).await? {
            None => Standing::Absent,
            Some(winner) if winner.content_hash == self.evidence(first).content => Standing::Ours,
            Some(_) => Standing::Anothers,
        })
    }

    /// Deletes what another request with our key does not have. What both have is the other's: ours is in conflict with it, or
    /// the same.
    pub(super) async fn take_back(
        &self,
        subscription: &Subscription,
        events: &[Event<'static>],
        principal: &str,
    ) -> Result<(), WriteError> {
        let identities: Vec<_> = events.iter().skip(1).map(Event::identity_hash).collect();
        if identities.is_empty() {
            return Ok(());
        }
        let winners = self.ask("identities", self.usages.winners_below(&identities, CREATIONS)).await?;
        let references = identities.iter().map(|identity| identity.usage_reference()).collect();
        let filter = UsageFilter { references: Some(references), ..UsageFilter::default() };
        let stored = self.ask("usages", self.usages.stored(subscription, &filter, SHARING_MAX)).await?;
        let request = events.first().and_then(Event::request);
        let is_ours_alone = |usage: &StoredUsage| {
            let winner = winners.get(&usage.event.identity_hash());
            usage.event.request() == request && winner.is_some_and(|winner| winner.version == usage.version)
        };
        let left = stored.into_iter().filter(is_ours_alone).collect();
        self.delete_all(subscription, left, principal).await
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// No copy of it is stored.
    Absent,
    /// Our request's.
    Ours,
    /// Another request's.
    Anothers,
}
