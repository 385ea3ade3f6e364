//! Reads of usage by month: clean dates from their sums, other dates from the deduplicated events themselves.

mod days;
mod live;
mod owned;

use std::collections::HashMap;
use std::time::Duration;

use meterhouse_model::{Month, Ownership, Quantity};

use crate::{Error, Store, daily::DaySum};
use days::Whose;
use owned::Owned;

/// Usage of one option code in one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Option code, as the events name it.
    pub option_code: String,
    /// Billing month.
    pub month: Month,
    /// Exact sum of the units.
    pub total: Quantity,
    /// Number of live usage records.
    pub records: u64,
}

/// Sum of units and number of records by option code and month.
#[derive(Debug, Default)]
struct Sums {
    by_option_code: HashMap<String, HashMap<Month, (Quantity, u64)>>,
}

impl Store {
    /// Sums of all live usage of a customer by option code and month: rows that name the customer, and rows that name
    /// none, of the given subscriptions on their days. `margin` is how much later than a date's newest mark its scan must
    /// have begun for its sums to count.
    ///
    /// An option code and month may come more than once: the sums add up.
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
    fn add(&mut self, sum: &DaySum<'_>) -> Result<(), Error> {
        let months = match self.by_option_code.get_mut(sum.option_code) {
            Some(months) => months,
            None => self.by_option_code.entry(sum.option_code.to_owned()).or_default(),
        };
        let (total, records) = months.entry(Month::of(sum.billing_day)).or_default();
        let too_large = || Error::Unexpected("sums of usage beyond 256 bits".to_owned());
        *total = total.checked_add(sum.total).ok_or_else(too_large)?;
        *records += sum.records;
        Ok(())
    }

    fn into_usage(self) -> Vec<Usage> {
        let mut usage = Vec::new();
        for (option_code, months) in self.by_option_code {
            usage.extend(months.into_iter().map(|(month, (total, records))| Usage {
                option_code: option_code.clone(),
                month,
                total,
                records,
            }));
        }
        usage
    }
}
