//! Reads of usage by month: clean dates from their sums, other dates from the deduplicated events themselves.

mod days;
mod live;
mod owned;

use std::collections::HashMap;
use std::time::Duration;

use meterhouse_model::{Month, Ownership, Quantity};

use crate::{Error, Store, daily::DaySum, dictionary::Dictionary};
use days::Whose;
use owned::Owned;

/// Usage of one option code by one subscription in one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Subscription.
    pub subscription: String,
    /// Option code, as the events name it.
    pub option_code: String,
    /// Billing month.
    pub month: Month,
    /// Exact sum of the units.
    pub total: Quantity,
    /// Number of live usage records.
    pub records: u64,
    /// Latest end of any of them, in microseconds since the epoch.
    pub latest_end: i64,
}

/// What a subscription has used of an option code in a month.
#[derive(Debug, Clone, Copy)]
struct Sum {
    total: Quantity,
    records: u64,
    latest_end: i64,
}

/// Sums by subscription, option code and month, under the numbers of their names.
#[derive(Debug, Default)]
struct Sums {
    names: Dictionary,
    sums: HashMap<(u32, u32, Month), Sum>,
}

impl Store {
    /// Sums of all live usage of a customer by subscription, option code and month: rows that name the customer, and rows
    /// that name none, of the given subscriptions on their days. `margin` is how much later than a date's newest mark its
    /// scan must have begun for its sums to count.
    ///
    /// A subscription, option code and month may come twice: the sums add up.
    ///
    /// # Errors
    /// No complete answer could be had: there is no short sum.
    pub async fn usage_by_month(
        &self,
        customer: &str,
        unnamed: &[Ownership],
        margin: Duration,
    ) -> Result<Vec<Usage>, Error> {
        let (mut usage, unnamed) =
            tokio::try_join!(self.named(customer, margin), self.unnamed(unnamed, margin))?;
        usage.extend(unnamed);
        Ok(usage)
    }

    async fn named(&self, customer: &str, margin: Duration) -> Result<Vec<Usage>, Error> {
        // The empty name stands for nobody: its rows belong to those whom the registry names.
        if customer.is_empty() {
            return Ok(Vec::new());
        }
        self.sums(&Whose::Named(customer), margin).await
    }

    async fn unnamed(&self, ownerships: &[Ownership], margin: Duration) -> Result<Vec<Usage>, Error> {
        if ownerships.is_empty() {
            return Ok(Vec::new());
        }
        self.sums(&Whose::Unnamed(Owned::of(ownerships)), margin).await
    }
}

impl Sums {
    fn add(&mut self, day: &DaySum<'_>) -> Result<(), Error> {
        let mut number = |name: &str| self.names.intern(name.as_bytes());
        let key = (number(day.subscription), number(day.option_code), Month::of(day.billing_day));
        let nothing = Sum { total: Quantity::ZERO, records: 0, latest_end: day.latest_end };
        let sum = self.sums.entry(key).or_insert(nothing);
        let too_large = || Error::Unexpected("sums of usage beyond 256 bits".to_owned());
        sum.total = sum.total.checked_add(day.total).ok_or_else(too_large)?;
        sum.records += day.records;
        sum.latest_end = sum.latest_end.max(day.latest_end);
        Ok(())
    }

    fn into_usage(self) -> Vec<Usage> {
        let Self { names, sums } = self;
        let usage = sums.into_iter().map(|((subscription, option_code, month), sum)| Usage {
            subscription: names.text(subscription).to_owned(),
            option_code: names.text(option_code).to_owned(),
            month,
            total: sum.total,
            records: sum.records,
            latest_end: sum.latest_end,
        });
        usage.collect()
    }
}
