//! Reads of a subscription's usages one by one.

mod versions;

use std::borrow::Cow;

use clickhouse::query::Query;
use meterhouse_model::{Change, Day, Event, Identity, Units, Version};
use serde::Deserialize;

use crate::{
    Error, Store,
    events::{DAY_MICROS, utc_date},
};

pub use versions::WinningCopy;

const PAGE: &str = include_str!("subscription/page.sql");
pub(crate) const WHOLE: &str = include_str!("subscription/whole.sql");
const COUNT: &str = "SELECT count()\n";
const FROM: &str = include_str!("subscription/from.sql");
const OF_THESE: &str = "AND customer IN {customers:Array(String)}\n";
const OF_ALL: &str = "AND customer IN (SELECT customer FROM subscription_customers WHERE subscription = {subscription:String})\n";
const ENDING: &str = include_str!("subscription/ending.sql");
const ON_DAYS: &str = include_str!("subscription/on_days.sql");
const OF_OPTION: &str = "AND option_code = {option_code:String}\n";
const OF_RENEWAL: &str = "AND renewal_order_reference = {renewal:UInt64}\n";
const OF_REFERENCES: &str = "AND usage_reference IN {references:Array(UInt64)}\n";
const ORDERED: &str = include_str!("subscription/ordered.sql");

/// Which rows of a subscription are somebody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionRows {
    /// The subscription.
    pub subscription: String,
    /// Customers whom the rows name; the empty name is for rows that name none. `None`: whomever they name.
    pub customers: Option<Vec<String>>,
    /// Billing days of rows that name none, from the first to the one after the last.
    pub unnamed_days: Vec<(Day, Day)>,
}

/// All billing days that there can be.
pub const ALL_DAYS: (Day, Day) = (Day::FIRST, Day::END);

/// Which usages of a subscription are wanted; what is not given narrows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageFilter {
    /// First and last end of a usage, both included, in microseconds since the epoch.
    pub ends: Option<(i64, i64)>,
    /// Option code.
    pub option_code: Option<String>,
    /// Renewal order.
    pub renewal_order_reference: Option<u64>,
    /// References, each of which may belong to several usages, if rarely.
    pub references: Option<Vec<u64>>,
}

/// A usage, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUsage {
    /// The integer that names it within its subscription.
    pub usage_reference: u64,
    /// Option code.
    pub option_code: String,
    /// Start, in microseconds since the epoch.
    pub start: i64,
    /// End, in microseconds since the epoch.
    pub end: i64,
    /// Units.
    pub units: Units,
    /// Description, empty where it has none.
    pub description: String,
    /// Renewal order, where it has one.
    pub renewal_order_reference: Option<u64>,
}

/// A usage with the copy of it that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredUsage {
    /// What that copy states; its index is not read.
    pub event: Event<'static>,
    /// Its version.
    pub version: Version,
    /// Topic of its record.
    pub topic: String,
    /// Partition of its record.
    pub partition: i32,
    /// Offset of its record.
    pub offset: i64,
}

#[derive(Debug, Deserialize, clickhouse::Row)]
struct PageRow {
    usage_reference: u64,
    option_code: String,
    usage_start: i64,
    usage_end: i64,
    units: i128,
    description: String,
    renewal_order_reference: u64,
}

#[derive(Debug, Deserialize, clickhouse::Row)]
pub(crate) struct WholeRow {
    customer: String,
    subscription: String,
    option_code: String,
    identity: String,
    usage_start: i64,
    usage_end: i64,
    billed_at: i64,
    billing_day: i32,
    units: i128,
    description: String,
    renewal_order_reference: u64,
    origin: String,
    revision: u32,
    version: u128,
    topic: String,
    partition: i32,
    offset: i64,
}

impl Store {
    /// The customers whom rows of a subscription name, the empty name for rows that name none. Nobody: there is no row.
    ///
    /// # Errors
    /// No complete answer could be had.
    pub async fn customers_of_subscription(&self, subscription: &str) -> Result<Vec<String>, Error> {
        let query = self.for_reads().query_raw(
            "SELECT DISTINCT toString(customer) FROM subscription_customers WHERE subscription = {subscription:String}",
        );
        self.answer(query.param("subscription", subscription).fetch_all()).await
    }

    /// A page of usages by their end, then by reference, and the number of them all.
    ///
    /// # Errors
    /// No complete answer could be had.
    pub async fn usage_page(
        &self,
        rows: &SubscriptionRows,
        filter: &UsageFilter,
        offset: u64,
        limit: u64,
    ) -> Result<(Vec<ListedUsage>, u64), Error> {
        let query = self.usages(PAGE, rows, filter, ORDERED).param("offset", offset).param("limit", limit);
        let page: Vec<PageRow> = self.answer(query.fetch_all()).await?;
        let seen = page.len() as u64;
        let is_last = seen < limit && (seen > 0 || offset == 0);
        let matching = if is_last {
            offset + seen
        } else {
            let count: u64 = self.answer(self.usages(COUNT, rows, filter, "").fetch_one()).await?;
            // Some may have gone in between.
            count.max(if seen > 0 { offset + seen } else { 0 })
        };
        Ok((page.into_iter().map(ListedUsage::from).collect(), matching))
    }

    /// Usages with the copies of them that count, `limit` of them at most.
    ///
    /// # Errors
    /// No complete answer could be had.
    pub async fn stored_usages(
        &self,
        rows: &SubscriptionRows,
        filter: &UsageFilter,
        limit: u64,
    ) -> Result<Vec<StoredUsage>, Error> {
        let query = self.usages(WHOLE, rows, filter, ORDERED).param("offset", 0).param("limit", limit);
        let stored: Vec<WholeRow> = self.answer(query.fetch_all()).await?;
        stored.into_iter().map(StoredUsage::try_from).collect()
    }

    fn usages(&self, select: &str, rows: &SubscriptionRows, filter: &UsageFilter, end: &str) -> Query {
        let (from, to) = filter.ends.unwrap_or((i64::MIN, i64::MAX));
        let (from, to) = (from.max(instant(Day::FIRST)), to.min(instant(Day::END)));
        // The instant that a usage is billed at is its end, or a microsecond earlier.
        let (first_date, last_date) = (utc_date(from - 1), utc_date(to));
        let (from_days, to_days): (Vec<i32>, Vec<i32>) =
            rows.unnamed_days.iter().map(|(from, to)| (from.0, to.0)).unzip();
        let are_all = rows.unnamed_days == [ALL_DAYS];
        let clause = |is_given: bool, text: &'static str| if is_given { text } else { "" };
        let statement = [
            select,
            FROM,
            if rows.customers.is_some() { OF_THESE } else { OF_ALL },
            ENDING,
            clause(!are_all, ON_DAYS),
            clause(filter.option_code.is_some(), OF_OPTION),
            clause(filter.renewal_order_reference.is_some(), OF_RENEWAL),
            clause(filter.references.is_some(), OF_REFERENCES),
            end,
        ];
        let mut query = self
            .for_reads()
            // The sort key holds the UTC date, so copies of a row are in one partition: they need no look into others.
            .with_setting("do_not_merge_across_partitions_select_final", "1")
            // There is little to read: further threads cost more than they do, and so does reading some columns later.
            .with_setting("max_threads", "1")
            .with_setting("query_plan_optimize_lazy_materialization", "0")
            .query_raw(&statement.concat())
            .param("subscription", &rows.subscription)
            .param("date_begin", instant(Day(first_date)))
            .param("date_end", instant(Day(last_date + 1)) - 1)
            .param("from", from)
            .param("to", to);
        if let Some(customers) = &rows.customers {
            query = query.param("customers", customers);
        }
        if !are_all {
            query = query.param("from_days", from_days).param("to_days", to_days);
        }
        if let Some(option_code) = &filter.option_code {
            query = query.param("option_code", option_code);
        }
        if let Some(renewal) = filter.renewal_order_reference {
            query = query.param("renewal", renewal);
        }
        if let Some(references) = &filter.references {
            query = query.param("references", references);
        }
        query
    }
}

/// The start of a UTC day.
fn instant(day: Day) -> i64 {
    i64::from(day.0) * DAY_MICROS
}

impl From<PageRow> for ListedUsage {
    fn from(row: PageRow) -> Self {
        Self {
            usage_reference: row.usage_reference,
            option_code: row.option_code,
            start: row.usage_start,
            end: row.usage_end,
            units: Units(row.units),
            description: row.description,
            renewal_order_reference: given(row.renewal_order_reference),
        }
    }
}

impl TryFrom<WholeRow> for StoredUsage {
    type Error = Error;

    fn try_from(row: WholeRow) -> Result<Self, Error> {
        let identity = Identity::parse(&row.identity)
            .ok_or_else(|| Error::Unexpected(format!("an identity {:?}", row.identity)))?;
        let event = Event {
            identity: identity.into_owned(),
            subscription: Cow::Owned(row.subscription),
            option_code: Cow::Owned(row.option_code),
            customer: Cow::Owned(row.customer),
            description: Cow::Owned(row.description),
            index: 0,
            start: row.usage_start,
            end: row.usage_end,
            billed_at: row.billed_at,
            billing_day: Day(row.billing_day),
            units: Units(row.units),
            renewal_order_reference: given(row.renewal_order_reference),
            change: if row.revision == 0 { Change::Create } else { Change::Amend(row.revision) },
            origin: Some(row.origin).filter(|origin| !origin.is_empty()).map(Cow::Owned),
        };
        let version = Version(row.version);
        Ok(Self { event, version, topic: row.topic, partition: row.partition, offset: row.offset })
    }
}

/// 0 stands for none.
fn given(number: u64) -> Option<u64> {
    (number != 0).then_some(number)
}
