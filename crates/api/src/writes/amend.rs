//! Changes of a usage.

use std::borrow::Cow;

use meterhouse_model::{Change, Event, Units, Version};
use meterhouse_query::Subscription;
use meterhouse_store::UsageFilter;

use super::find::one;
use super::{ATTEMPTS, UsageWriter, WriteError, origin};
use crate::clock::now_micros;

/// Usages with one reference that are looked at: two are one too many.
const SHARING_MAX: u64 = 100;

/// What is to be different; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Amendment {
    pub(crate) units: Option<Units>,
    pub(crate) description: Option<String>,
}

impl UsageWriter {
    /// Changes a usage and returns it as it is then. Others may change it at the same time: nobody's change is lost.
    pub(crate) async fn amend(
        self,
        subscription: Subscription,
        reference: u64,
        amendment: Amendment,
        principal: impl AsRef<str>,
    ) -> Result<Event<'static>, WriteError> {
        for _ in 0..ATTEMPTS {
            let current = self.current(&subscription, reference).await?;
            let mut amended = amendment.of(&current);
            if amended == current {
                return Ok(current);
            }
            let revision = current.next_revision().ok_or(WriteError::NoMoreRevisions)?;
            amended.change = Change::Amend(revision);
            let mut events = [amended];
            origin::sign(&mut events, principal.as_ref());
            let written = self.publish_and_wait(&events, now_micros() / 1000).await?;
            let ours = Version::change(revision, false, written.partition, written.offset, 0);
            let [amended] = events;
            match self.winner(&amended, Version::before_revision(revision + 1)).await? {
                Some(winner) if winner.version == ours => return Ok(amended),
                Some(winner) if winner.version > ours => {}
                _ => return Err(self.rejection(&[amended], written).await),
            }
        }
        Err(WriteError::Unavailable)
    }

    /// The usage with a reference.
    async fn current(
        &self,
        subscription: &Subscription,
        reference: u64,
    ) -> Result<Event<'static>, WriteError> {
        let filter = UsageFilter { references: Some(vec![reference]), ..UsageFilter::default() };
        Ok(one(self.find(subscription, &filter, SHARING_MAX).await?)?.event)
    }
}

impl Amendment {
    fn of(&self, event: &Event<'static>) -> Event<'static> {
        let mut amended = event.clone();
        if let Some(units) = self.units {
            amended.units = units;
        }
        if let Some(description) = &self.description {
            amended.description = Cow::Owned(description.clone());
        }
        amended
    }
}
