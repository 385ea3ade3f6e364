//! Sums of dates straight from the deduplicated events.

use clickhouse::types::Int256;
use meterhouse_model::{Day, Quantity};
use serde::Deserialize;

use super::{Sums, days::Whose};
use crate::{
    Error, Store,
    daily::DaySum,
    parameters::{NUMBER_BYTES, parts},
};

const LIVE: &str = include_str!("live.sql");

#[derive(Debug, Deserialize, clickhouse::Row)]
struct LiveRow<'a> {
    subscription: &'a str,
    option_code: &'a str,
    /// Days since 1970.
    billing_day: i32,
    total: Int256,
    records: u64,
    /// Microseconds.
    latest_end: i64,
}

impl Store {
    /// Adds what the events of some UTC dates say.
    pub(super) async fn add_live(
        &self,
        whose: &Whose<'_>,
        dates: &[(&str, Day)],
        sums: &mut Sums,
    ) -> Result<(), Error> {
        for part in parts(dates, |(subscription, _)| subscription.len().max(NUMBER_BYTES)) {
            let query = self.live_query(whose.customer(), part);
            let mut overflow = Ok(());
            self.answer(async {
                let mut cursor = query.fetch::<LiveRow<'_>>()?;
                while let Some(row) = cursor.next().await? {
                    let sum = row.sum();
                    if whose.has(&sum) && overflow.is_ok() {
                        overflow = sums.add(&sum);
                    }
                }
                Ok(())
            })
            .await?;
            overflow?;
        }
        Ok(())
    }

    fn live_query(&self, customer: &str, dates: &[(&str, Day)]) -> clickhouse::query::Query {
        let subscriptions: Vec<&str> = dates.iter().map(|(subscription, _)| *subscription).collect();
        let days: Vec<i32> = dates.iter().map(|(_, day)| day.0).collect();
        self.for_reads()
            // The sort key holds the UTC date, so copies of a row are in one partition: they need no look into others.
            .with_setting("do_not_merge_across_partitions_select_final", "1")
            .query_raw(LIVE)
            .param("customer", customer)
            .param("subscriptions", subscriptions)
            .param("days", days)
    }
}

impl LiveRow<'_> {
    fn sum(&self) -> DaySum<'_> {
        DaySum {
            subscription: self.subscription,
            option_code: self.option_code,
            billing_day: Day(self.billing_day),
            total: Quantity::from_le_bytes(self.total.to_le_bytes()),
            records: self.records,
            latest_end: self.latest_end,
        }
    }
}
