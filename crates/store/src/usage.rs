//! Reads of usage by month, straight from the deduplicated events.

use meterhouse_model::{Month, Ownership, Quantity};
use serde::Deserialize;

use crate::{Error, Store};

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

#[derive(Debug, Deserialize, clickhouse::Row)]
struct UsageRow {
    option_code: String,
    /// Year * 100 + month.
    month: u32,
    total: String,
    records: u64,
}

const NAMED: &str = include_str!("usage/named.sql");
const UNNAMED: &str = include_str!("usage/unnamed.sql");

/// The server takes parameters of up to 128 KiB (`http_max_field_value_size`): so many bytes go into one.
const PARAMETER_BYTES: usize = 120_000;
/// Bytes that an element takes beside its text, and that a day takes: quotes, sign, comma.
const ELEMENT_OVERHEAD: usize = 8;

impl Store {
    /// Sums of all live usage of a customer by option code and month: rows that name the customer, and rows that name
    /// none, of the given subscriptions on their days.
    ///
    /// An option code and month may come more than once: the sums add up.
    ///
    /// # Errors
    /// No complete answer could be had: there is no short sum.
    pub async fn usage_by_month(&self, customer: &str, unnamed: &[Ownership]) -> Result<Vec<Usage>, Error> {
        let (mut usage, unnamed) = tokio::try_join!(self.named(customer), self.unnamed(unnamed))?;
        usage.extend(unnamed);
        Ok(usage)
    }

    async fn named(&self, customer: &str) -> Result<Vec<Usage>, Error> {
        // The empty name stands for nobody: its rows belong to those whom the registry names.
        if customer.is_empty() {
            return Ok(Vec::new());
        }
        self.fetch_usage(self.reads_of_events().query_raw(NAMED).param("customer", customer)).await
    }

    async fn unnamed(&self, ownerships: &[Ownership]) -> Result<Vec<Usage>, Error> {
        let mut usage = Vec::new();
        for part in parts(ownerships) {
            usage.extend(self.fetch_usage(self.unnamed_query(part)).await?);
        }
        Ok(usage)
    }

    fn unnamed_query(&self, part: &[Ownership]) -> clickhouse::query::Query {
        let subscriptions: Vec<&str> = part.iter().map(|owned| owned.subscription.as_str()).collect();
        let from_days: Vec<i32> = part.iter().map(|owned| owned.from_day.0).collect();
        let to_days: Vec<i32> = part.iter().map(|owned| owned.to_day.0).collect();
        self.reads_of_events()
            .query_raw(UNNAMED)
            .param("subscriptions", subscriptions)
            .param("from_days", from_days)
            .param("to_days", to_days)
    }

    async fn fetch_usage(&self, query: clickhouse::query::Query) -> Result<Vec<Usage>, Error> {
        let rows: Vec<UsageRow> = self.answer(query.fetch_all()).await?;
        rows.into_iter().map(usage).collect()
    }

    fn reads_of_events(&self) -> clickhouse::Client {
        // The sort key holds the UTC date, so copies of a row are in one partition: they need no look into others.
        self.for_reads().with_setting("do_not_merge_across_partitions_select_final", "1")
    }
}

fn usage(row: UsageRow) -> Result<Usage, Error> {
    let unexpected = |what: &str| Error::Unexpected(format!("a sum of usage with the {what}"));
    let total = Quantity::parse(&row.total).ok_or_else(|| unexpected(&format!("total {}", row.total)))?;
    let month = Month::from_yyyymm(row.month).ok_or_else(|| unexpected(&format!("month {}", row.month)))?;
    Ok(Usage { option_code: row.option_code, month, total, records: row.records })
}

/// Cuts the list so that each part fits into a parameter.
fn parts(ownerships: &[Ownership]) -> impl Iterator<Item = &[Ownership]> {
    let mut rest = ownerships;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest.iter().take_while(|owned| {
            // Escaped, each byte takes two at most.
            bytes += 2 * owned.subscription.len() + ELEMENT_OVERHEAD;
            bytes <= PARAMETER_BYTES
        });
        let count = fitting.count().max(1).min(rest.len());
        let (part, remaining) = rest.split_at(count);
        rest = remaining;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use meterhouse_model::Day;

    use super::*;

    #[test]
    fn parts_are_bounded_and_complete() {
        let ownerships: Vec<Ownership> = (0..1000)
            .map(|i| Ownership { subscription: format!("{i:0128}"), from_day: Day(0), to_day: Day(1) })
            .collect();
        let parts: Vec<_> = parts(&ownerships).collect();
        assert!(parts.iter().all(|part| !part.is_empty() && part.len() <= PARAMETER_BYTES / 264));
        assert_eq!(parts.concat(), ownerships);
        assert_eq!(super::parts(&[]).count(), 0);
    }
}
