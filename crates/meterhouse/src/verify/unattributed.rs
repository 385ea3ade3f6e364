//! Usage that names no customer, of subscriptions and days that nobody owns.

use std::sync::Arc;

use meterhouse_model::{BillingZone, Day, Registry};
use meterhouse_store::{Error, Store, UnnamedUsage};
use tokio::sync::watch;

use super::report::Unattributed;

/// Whose subscriptions are.
pub(crate) struct Owners {
    pub(crate) registry: watch::Receiver<Arc<Registry>>,
    pub(crate) zone: Arc<BillingZone>,
}

impl Owners {
    /// Subscriptions with usage on days on which they are nobody's.
    ///
    /// # Errors
    /// There is no complete answer.
    pub(crate) async fn missing(&self, store: &Store) -> Result<Vec<Unattributed>, Error> {
        let registry = Arc::clone(&self.registry.borrow());
        let mut missing = Vec::new();
        for usage in store.unnamed_usage().await? {
            let owned = registry.owned_days(&usage.subscription, &self.zone);
            if owned.iter().any(|(from, to)| from.0 <= usage.first_day && usage.last_day < to.0) {
                continue;
            }
            let days = if owned.is_empty() {
                vec![usage.first_day, usage.last_day]
            } else {
                store.unnamed_days(&usage.subscription).await?
            };
            missing.extend(unowned(&usage, &days, &owned));
        }
        Ok(missing)
    }
}

/// The usage of a subscription on days, which ascend, that are nobody's.
fn unowned(usage: &UnnamedUsage, days: &[i32], owned: &[(Day, Day)]) -> Option<Unattributed> {
    let is_owned = |day: i32| owned.iter().any(|(from, to)| (from.0..to.0).contains(&day));
    let mut unowned = days.iter().filter(|day| !is_owned(**day));
    let first = *unowned.next()?;
    let last = unowned.next_back().copied().unwrap_or(first);
    Some(Unattributed {
        subscription: usage.subscription.clone(),
        first: Day(first).to_string(),
        last: Day(last).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_between_two_owners_are_nobodys() {
        let usage = UnnamedUsage { subscription: "s".to_owned(), first_day: 0, last_day: 9 };
        let owned = [(Day(0), Day(3)), (Day(5), Day(8))];
        let found = unowned(&usage, &[0, 3, 4, 6, 9], &owned).unwrap();
        assert_eq!((found.first.as_str(), found.last.as_str()), ("1970-01-04", "1970-01-10"));
        assert_eq!(unowned(&usage, &[0, 2, 5, 7], &owned), None);
    }
}
