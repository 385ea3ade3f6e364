//! The way of a read: what is stored by day, what of it is clean, and the rest from the events.

use std::time::Duration;

use super::{Sums, Usage, owned::Owned};
use crate::{
    Error, Store,
    daily::{DailyRows, DaySum},
    parameters::parts,
};

const OF_CUSTOMER: &str = include_str!("of_customer.sql");
const OF_SUBSCRIPTIONS: &str = include_str!("of_subscriptions.sql");

/// Whose rows a read is about.
pub(super) enum Whose<'a> {
    /// Rows that name this customer.
    Named(&'a str),
    /// Rows that name no customer, of subscriptions on their days.
    Unnamed(Owned<'a>),
}

impl Whose<'_> {
    /// The customer's name in the rows.
    pub(super) fn customer(&self) -> &str {
        match self {
            Self::Named(customer) => customer,
            Self::Unnamed(_) => "",
        }
    }

    /// Whether a sum is part of the answer. The billing day decides, whatever UTC date it is stored under.
    pub(super) fn has(&self, sum: &DaySum<'_>) -> bool {
        match self {
            Self::Named(_) => true,
            Self::Unnamed(owned) => owned.has(sum.subscription, sum.billing_day),
        }
    }
}

impl Store {
    pub(super) async fn sums(&self, whose: &Whose<'_>, margin: Duration) -> Result<Vec<Usage>, Error> {
        let rows = self.days(whose).await?;
        let mut sums = Sums::default();
        let mut unclean = Vec::new();
        for date in rows.dates() {
            match date.clean(margin) {
                Some(data) => {
                    for sum in data.map(|row| rows.sum(row)).filter(|sum| whose.has(sum)) {
                        sums.add(&sum)?;
                    }
                }
                None => unclean.push((rows.subscription(&date), date.day())),
            }
        }
        if let Whose::Unnamed(owned) = whose {
            unclean.retain(|(subscription, day)| owned.may_have(subscription, *day));
        }
        self.add_live(whose, &unclean, &mut sums).await?;
        Ok(sums.into_usage())
    }

    /// All that is stored by day.
    async fn days(&self, whose: &Whose<'_>) -> Result<DailyRows, Error> {
        let mut rows = DailyRows::default();
        match whose {
            Whose::Named(customer) => {
                let query = self.reads_of_days().query_raw(OF_CUSTOMER).param("customer", customer);
                self.daily_rows(query, &mut rows).await?;
            }
            Whose::Unnamed(owned) => {
                let subscriptions = owned.subscriptions();
                for part in parts(&subscriptions, |name| name.len()) {
                    let query = self.reads_of_days().query_raw(OF_SUBSCRIPTIONS);
                    self.daily_rows(query.param("subscriptions", part), &mut rows).await?;
                }
            }
        }
        rows.settle();
        Ok(rows)
    }
}
