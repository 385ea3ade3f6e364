//! The usages of one subscription, one by one: who may see which, and reading them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use meterhouse_model::{BillingZone, Event, IdentityHash, Registry, Version};
use meterhouse_store::{
    ALL_DAYS, ListedUsage, Store, StoredReject, StoredUsage, SubscriptionRows, UsageFilter, WinningCopy,
};
use tokio::sync::watch;

use crate::Error;

/// Names that are sent along with a statement, at most.
const NAMES_MAX: usize = 100;

/// Customers whose usage may be shown to whoever asks, and changed where they may do that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customers(Option<BTreeSet<String>>);

impl Customers {
    /// The customers of a principal that was verified; `None` for all that there are. Only the check of a principal in the
    /// HTTP layer calls this.
    pub fn of_verified_principal(names: Option<BTreeSet<String>>) -> Self {
        Self(names)
    }

    fn contain(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(name))
    }

    fn are_all(&self) -> bool {
        self.0.is_none()
    }

    /// Their names and the empty one; `None` for all that there are.
    fn and_nobody(&self) -> Option<Vec<String>> {
        self.0.as_ref().map(|names| names.iter().cloned().chain([String::new()]).collect())
    }
}

/// A subscription as some customers have it. Every read of its usages takes this type.
#[derive(Debug, Clone)]
pub struct Subscription {
    rows: SubscriptionRows,
    customers: Customers,
    /// As it was when the subscription was looked up.
    registry: Arc<Registry>,
}

/// Reads of single usages. Cheap to clone.
#[derive(Clone)]
pub struct Usages {
    store: Store,
    zone: Arc<BillingZone>,
    registry: watch::Receiver<Arc<Registry>>,
}

impl Usages {
    /// Puts together what an answer is made of.
    pub fn new(store: Store, zone: Arc<BillingZone>, registry: watch::Receiver<Arc<Registry>>) -> Self {
        Self { store, zone, registry }
    }

    /// The billing time zone.
    pub fn zone(&self) -> &Arc<BillingZone> {
        &self.zone
    }

    /// A subscription that some customers have, or had: by the registry, or because there is usage of it that names them.
    /// `None`: nobody of them. It is then the same whether it is another's, or nobody's.
    ///
    /// # Errors
    /// No complete answer can be had.
    pub async fn subscription(
        &self,
        customers: &Customers,
        reference: &str,
    ) -> Result<Option<Subscription>, Error> {
        let named = self.store.customers_of_subscription(reference).await?;
        let is_named =
            |name: &String| if name.is_empty() { customers.are_all() } else { customers.contain(name) };
        let is_known = self.is_listed(customers, reference) || named.iter().any(is_named);
        Ok(is_known.then(|| self.listed(customers, reference, Some(named))))
    }

    /// The same, for somebody who is going to add usage to it, with the rows alone that name no customer, as those will. Without
    /// a registry every subscription is one that all customers together may have.
    ///
    /// # Errors
    /// No complete answer can be had.
    pub async fn subscription_to_use(
        &self,
        customers: &Customers,
        reference: &str,
    ) -> Result<Option<Subscription>, Error> {
        let is_open = customers.are_all() && self.registry.borrow().is_empty();
        let is_theirs = is_open
            || self.is_listed(customers, reference)
            || self.subscription(customers, reference).await?.is_some();
        Ok(is_theirs.then(|| self.listed(customers, reference, Some(vec![String::new()]))))
    }

    /// A page of usages by their end, then by reference, and the number of them all. `None` as for [`Usages::subscription`].
    ///
    /// # Errors
    /// No complete answer can be had.
    pub async fn page(
        &self,
        customers: &Customers,
        reference: &str,
        filter: &UsageFilter,
        offset: u64,
        limit: u64,
    ) -> Result<Option<(Vec<ListedUsage>, u64)>, Error> {
        if customers.0.as_ref().is_some_and(|names| names.len() > NAMES_MAX) {
            let Some(subscription) = self.subscription(customers, reference).await? else { return Ok(None) };
            return Ok(Some(self.store.usage_page(&subscription.rows, filter, offset, limit).await?));
        }
        // Names that are all sent along need not be looked up first: a usage says itself that they have the subscription.
        let rows = self.listed(customers, reference, customers.and_nobody()).rows;
        let (usages, matching) = self.store.usage_page(&rows, filter, offset, limit).await?;
        let is_known = matching > 0 || self.subscription(customers, reference).await?.is_some();
        Ok(is_known.then_some((usages, matching)))
    }

    /// Usages with the copies of them that count, `limit` of them at most.
    ///
    /// # Errors
    /// No complete answer can be had.
    pub async fn stored(
        &self,
        subscription: &Subscription,
        filter: &UsageFilter,
        limit: u64,
    ) -> Result<Vec<StoredUsage>, Error> {
        Ok(self.store.stored_usages(&subscription.rows, filter, limit).await?)
    }

    /// Of each identity the copy with the highest version below another one; nothing of those that have none.
    ///
    /// # Errors
    /// No complete answer can be had.
    pub async fn winners_below(
        &self,
        identities: &[IdentityHash],
        below: Version,
    ) -> Result<HashMap<IdentityHash, WinningCopy>, Error> {
        Ok(self.store.winners_below(identities, below).await?)
    }

    /// The highest versions of usages over all of their copies by identity, also of those that are another customer's.
    ///
    /// # Errors
    /// No complete answer can be had.
    pub async fn highest_versions(
        &self,
        subscription: &Subscription,
        references: &[u64],
    ) -> Result<HashMap<String, Version>, Error> {
        Ok(self.store.highest_versions(subscription.reference(), references).await?)
    }

    /// The offset up to which a partition is accounted for; 0 where nobody has begun to read it.
    ///
    /// # Errors
    /// No answer can be had.
    pub async fn accounted_to(&self, topic: &str, partition: i32) -> Result<i64, Error> {
        let points = self.store.resume_points(topic, &[partition]).await?;
        Ok(points.get(&partition).map_or(0, |point| point.position))
    }

    /// What quarantine says of a record.
    ///
    /// # Errors
    /// No answer can be had.
    pub async fn rejects_of(&self, partition: i32, offset: i64) -> Result<Vec<StoredReject>, Error> {
        Ok(self.store.rejects_of(partition, offset).await?)
    }

    /// The values of records of HTTP requests whose first usage was found in conflict not longer ago than that.
    ///
    /// # Errors
    /// No answer can be had.
    pub async fn conflicting_requests(&self, topic: &str, back: Duration) -> Result<Vec<Vec<u8>>, Error> {
        Ok(self.store.conflicting_requests(topic, back).await?)
    }

    fn is_listed(&self, customers: &Customers, reference: &str) -> bool {
        let registry = self.registry.borrow();
        let intervals = registry.intervals(reference).unwrap_or_default();
        intervals.iter().any(|interval| customers.contain(&interval.customer))
    }

    fn listed(&self, customers: &Customers, reference: &str, named: Option<Vec<String>>) -> Subscription {
        let registry = Arc::clone(&self.registry.borrow());
        let unnamed_days = if customers.are_all() {
            vec![ALL_DAYS]
        } else {
            registry.days_owned_by(|customer| customers.contain(customer), reference, &self.zone)
        };
        let is_theirs =
            |name: &String| if name.is_empty() { !unnamed_days.is_empty() } else { customers.contain(name) };
        Subscription {
            rows: SubscriptionRows {
                subscription: reference.to_owned(),
                customers: named.map(|named| named.into_iter().filter(is_theirs).collect()),
                unnamed_days,
            },
            customers: customers.clone(),
            registry,
        }
    }
}

impl Subscription {
    /// Its reference.
    pub fn reference(&self) -> &str {
        &self.rows.subscription
    }

    /// Whether these customers have the subscription while the usage lasts, and the day that it is billed on. A
    /// subscription that the registry does not list has no bounds for those who may see it.
    pub fn admits(&self, event: &Event<'_>) -> bool {
        let is_theirs =
            self.rows.unnamed_days.iter().any(|(from, to)| (*from..*to).contains(&event.billing_day));
        let registry = &self.registry;
        let reference = self.reference();
        let is_bounded = registry.intervals(reference).is_some();
        let covers =
            || registry.covers_as(|name| self.customers.contain(name), reference, event.start, event.end);
        is_theirs && (!is_bounded || covers())
    }
}
