//! Daily sums, and who is on record for a subscription, against the events.

use std::time::Duration;

use clickhouse::query::Query;
use serde::Deserialize;

use super::{BUCKETS, BucketSum, DIFFERENCES_MAX, Slice, compose, differing};
use crate::{Error, Store};

const DATES: &str = include_str!("dates.sql");
const DAILY: &str = include_str!("daily.sql");
const SUMS: &str = include_str!("sums.sql");

/// A daily sum that readers take, and that is not the sum of the events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, clickhouse::Row)]
pub struct DailyDifference {
    /// Customer as the rows name it, or the empty string.
    pub customer: String,
    /// Subscription.
    pub subscription: String,
    /// UTC date.
    pub date: String,
    /// Option code.
    pub option_code: String,
    /// Billing day.
    pub billing_day: String,
    /// The daily sum.
    pub daily_total: String,
    /// Its number of records.
    pub daily_records: u64,
    /// The sum of the events.
    pub events_total: String,
    /// Their number.
    pub events_records: u64,
}

/// A day with usage that names no customer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, clickhouse::Row)]
pub struct UnnamedUsage {
    /// Its subscription.
    pub subscription: String,
    /// First billing day of it, in days since 1970.
    pub first_day: i32,
    /// Last billing day.
    pub last_day: i32,
}

/// Rows of a subscription that a read of its usages does not see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, clickhouse::Row)]
pub struct UnlistedCustomer {
    /// The subscription.
    pub subscription: String,
    /// Whom the rows name.
    pub customer: String,
}

impl Store {
    /// Customers whom rows of a subscription name, and who are not on record for it, up to 1000.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn unlisted_customers(&self, slice: Slice) -> Result<Vec<UnlistedCustomer>, Error> {
        let query = self.sliced(include_str!("unlisted.sql"), slice).param("limit", DIFFERENCES_MAX);
        self.audit_rows(query).await
    }

    /// Daily sums that are not those of the events, up to 1000. `margin` is that of the readers.
    ///
    /// What is being written meanwhile may look like a difference: look again for what stays.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn daily_differences(
        &self,
        margin: Duration,
        slice: Slice,
    ) -> Result<Vec<DailyDifference>, Error> {
        let (daily, sums) = (compose(DAILY, &[("dates", DATES)]), compose(SUMS, &[("dates", DATES)]));
        let (of_days, of_events) =
            tokio::try_join!(self.daily_sums(&daily, margin, slice), self.daily_sums(&sums, margin, slice))?;
        let buckets = differing(&of_days, &of_events);
        if buckets.is_empty() {
            return Ok(Vec::new());
        }
        let sql = compose(include_str!("sum_difference.sql"), &[("daily", &daily), ("sums", &sums)]);
        let query =
            self.with_margin(&sql, margin, slice).param("differing", buckets).param("limit", DIFFERENCES_MAX);
        self.audit_rows(query).await
    }

    async fn daily_sums(&self, rows: &str, margin: Duration, slice: Slice) -> Result<Vec<BucketSum>, Error> {
        let sql = format!(
            "SELECT cityHash64(customer, subscription, date) % {{buckets:UInt64}} AS bucket, count() AS rows, \
             sum(cityHash64(customer, subscription, date, option_code, billing_day, total, records, latest_end)) \
             AS checksum FROM ({rows}) GROUP BY bucket"
        );
        self.audit_rows(self.with_margin(&sql, margin, slice)).await
    }

    fn with_margin(&self, sql: &str, margin: Duration, slice: Slice) -> Query {
        let margin_ms = u64::try_from(margin.as_millis()).unwrap_or(u64::MAX);
        self.sliced(sql, slice).param("margin_ms", margin_ms).param("buckets", BUCKETS)
    }

    /// Subscriptions with usage that names no customer, each with its first and last billing day.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn unnamed_usage(&self) -> Result<Vec<UnnamedUsage>, Error> {
        self.audit_rows(self.for_audits().query_raw(include_str!("unnamed.sql"))).await
    }

    /// The billing days of a subscription's usage that names no customer.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn unnamed_days(&self, subscription: &str) -> Result<Vec<i32>, Error> {
        let query = self.for_audits().query_raw(include_str!("unnamed_days.sql"));
        self.audit_rows(query.param("subscription", subscription)).await
    }
}
