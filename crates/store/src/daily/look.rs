//! Looking for dates that need a scan: by their marks in the order of time, and through all that is stored.

use std::time::Duration;

use meterhouse_model::Day;
use serde::Deserialize;

use super::{DateState, ServerTime, UsageDate, nanos};
use crate::{Error, Store};

const MARKED: &str = include_str!("marked.sql");
const PAGE_END: &str = include_str!("page_end.sql");
const UNCLEAN: &str = include_str!("unclean.sql");

/// Rows of `usage_daily` on a page, roughly: a page ends with a subscription.
const PAGE_ROWS: u64 = 250_000;

/// A date and its newest mark, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedDate {
    /// The date.
    pub date: UsageDate,
    /// The mark.
    pub mark: ServerTime,
}

/// Which dates are looked for. The default is all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFilter {
    /// Only those of this customer; the empty name is that of rows that name none.
    pub customer: Option<String>,
    /// Only those of this subscription.
    pub subscription: Option<String>,
    /// First UTC date.
    pub from: Day,
    /// Last UTC date.
    pub to: Day,
    /// Only those whose newest mark is not later.
    pub marked_until: ServerTime,
}

impl Default for DateFilter {
    fn default() -> Self {
        let all_times = ServerTime(i64::MAX);
        Self { customer: None, subscription: None, from: Day(0), to: Day::END, marked_until: all_times }
    }
}

impl DateFilter {
    /// Gives a statement the parameters that name the dates.
    pub(super) fn bind(&self, query: clickhouse::query::Query) -> clickhouse::query::Query {
        query
            .param("any_customer", self.customer.is_none())
            .param("customer", self.customer.as_deref().unwrap_or_default())
            .param("any_subscription", self.subscription.is_none())
            .param("subscription", self.subscription.as_deref().unwrap_or_default())
            .param("from", self.from.0)
            .param("to", self.to.0)
    }
}

/// A part of all dates that a look takes in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatePage {
    /// Behind this subscription, and up to that one.
    after: Subscription,
    until: Option<Subscription>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, clickhouse::Row)]
struct Subscription {
    customer: String,
    subscription: String,
}

impl DatePage {
    /// Whether there is no page behind it.
    pub fn is_last(&self) -> bool {
        self.until.is_none()
    }
}

#[derive(Debug, Deserialize, clickhouse::Row)]
struct MarkedRow {
    customer: String,
    subscription: String,
    date: i32,
    newest: i64,
}

#[derive(Debug, Deserialize, clickhouse::Row)]
struct UncleanRow {
    customer: String,
    subscription: String,
    date: i32,
    newest_mark: i64,
    scanned_at: i64,
}

impl Store {
    /// The dates that got marks later than one time and up to another one, each with the newest of them.
    ///
    /// Only marks that an insert may not be busy with any more are all there: those older than its time limit.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn marked_between(
        &self,
        after: ServerTime,
        until: ServerTime,
    ) -> Result<Vec<MarkedDate>, Error> {
        let query = self.for_reads().query_raw(MARKED).param("after", after.0).param("until", until.0);
        let rows: Vec<MarkedRow> = self.answer(query.fetch_all()).await?;
        let marked = |row: MarkedRow| MarkedDate {
            date: UsageDate { customer: row.customer, subscription: row.subscription, day: Day(row.date) },
            mark: ServerTime(row.newest),
        };
        Ok(rows.into_iter().map(marked).collect())
    }

    /// The first page of all dates, or the one behind another.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn date_page(&self, before: Option<&DatePage>) -> Result<DatePage, Error> {
        let after = before.and_then(|page| page.until.clone()).unwrap_or_default();
        let query = self
            .reads_of_days()
            .query_raw(PAGE_END)
            .param("customer", &after.customer)
            .param("subscription", &after.subscription)
            .param("rows", PAGE_ROWS);
        let until = self.answer(query.fetch_optional()).await?;
        Ok(DatePage { after, until })
    }

    /// The dates of a page that have a mark and are not clean.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn unclean_dates(
        &self,
        page: &DatePage,
        filter: &DateFilter,
        margin: Duration,
    ) -> Result<Vec<DateState>, Error> {
        let until = page.until.clone().unwrap_or_default();
        let query = filter
            .bind(self.reads_of_days().query_raw(UNCLEAN))
            .param("after_customer", &page.after.customer)
            .param("after_subscription", &page.after.subscription)
            .param("is_last", page.is_last())
            .param("until_customer", until.customer)
            .param("until_subscription", until.subscription)
            .param("marked_until", filter.marked_until.0)
            .param("margin", nanos(margin));
        let rows: Vec<UncleanRow> = self.answer(query.fetch_all()).await?;
        let state = |row: UncleanRow| DateState {
            date: UsageDate { customer: row.customer, subscription: row.subscription, day: Day(row.date) },
            mark: Some(ServerTime(row.newest_mark)),
            scanned_at: (row.scanned_at > 0).then_some(ServerTime(row.scanned_at)),
            is_clean: false,
        };
        Ok(rows.into_iter().map(state).collect())
    }
}
