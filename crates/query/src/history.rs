//! Reading a customer's history.

use std::sync::Arc;
use std::time::Duration;

use meterhouse_model::{BillingZone, Catalog, Registry};
use meterhouse_store::{Store, Usage};
use tokio::sync::watch;

use crate::charges::{Charge, charges};
use crate::months::{MonthUsage, SumTooLarge, months};
use crate::{CustomerId, Range};

/// Why there is no answer. There is never a part of one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store has no complete answer.
    #[error("usage cannot be read: {0}")]
    Store(#[from] meterhouse_store::Error),
    /// A sum of a service in a month does not fit into 256 bits.
    #[error("a sum of usage is too large")]
    SumTooLarge,
}

impl From<SumTooLarge> for Error {
    fn from(_: SumTooLarge) -> Self {
        Self::SumTooLarge
    }
}

/// Answers from the store, seen through the latest catalog and registry. Cheap to clone.
#[derive(Clone)]
pub struct History {
    store: Store,
    zone: Arc<BillingZone>,
    catalog: watch::Receiver<Arc<Catalog>>,
    registry: watch::Receiver<Arc<Registry>>,
    margin: Duration,
}

impl History {
    /// Puts together what an answer is made of. `zone` is the billing zone, which bounds the months; `margin` is that of the
    /// rollup (see [`crate::rollup::RollupConfig::margin`]).
    pub fn new(
        store: Store,
        zone: Arc<BillingZone>,
        catalog: watch::Receiver<Arc<Catalog>>,
        registry: watch::Receiver<Arc<Registry>>,
        margin: Duration,
    ) -> Self {
        Self { store, zone, catalog, registry, margin }
    }

    /// The customer's usage by month and service. `now_micros` (since the epoch) says which month is the current one.
    ///
    /// Months ascend, without gaps, from the start of the range to its end; each lists every service that the customer
    /// has ever used, sorted by name. Nothing is listed for a customer without usage, nor for a range that ends before
    /// it starts. Months in the future are listed if they hold usage.
    ///
    /// # Errors
    /// No complete answer can be had.
    pub async fn service_usage(
        &self,
        customer: &CustomerId,
        range: Range,
        now_micros: i64,
    ) -> Result<Vec<MonthUsage>, Error> {
        let usage = self.usage(customer).await?;
        let catalog = Arc::clone(&self.catalog.borrow());
        Ok(months(&usage, &catalog, range, self.zone.month_of(now_micros))?)
    }

    /// All that the customer's usage costs, as the catalog prices it now: an item for each subscription, service, currency
    /// and month with usage of an option code that has a price.
    ///
    /// # Errors
    /// No complete answer can be had.
    pub async fn charges(&self, customer: &CustomerId) -> Result<Vec<Charge>, Error> {
        let usage = self.usage(customer).await?;
        let catalog = Arc::clone(&self.catalog.borrow());
        Ok(charges(customer.as_str(), &usage, &catalog))
    }

    /// Everything that the customer has ever used.
    async fn usage(&self, customer: &CustomerId) -> Result<Vec<Usage>, Error> {
        let registry = Arc::clone(&self.registry.borrow());
        let unnamed = registry.owned(customer.as_str(), &self.zone);
        Ok(self.store.usage_by_month(customer.as_str(), &unnamed, self.margin).await?)
    }
}
