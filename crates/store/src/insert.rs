//! Inserts of encoded batches: durable when acknowledged, and the same bytes at each attempt.

use std::time::Instant;

use bytes::Bytes;

use crate::{Error, Store};

/// Settings of every insert.
pub(crate) const INSERT_SETTINGS: [(&str, &str); 4] = [
    // The server's default acknowledges rows that wait in a buffer.
    ("async_insert", "0"),
    // Deduplication by tokens or hashes forgets after a power cut; the identity of the rows is what counts. (New in
    // 26.2, where its default overrides `insert_deduplicate`.)
    ("deduplicate_insert", "disable"),
    // A batch may hold usage of any number of months.
    ("max_partitions_per_insert_block", "0"),
    // Copies that meet in one batch are left to merges and FINAL: looking for them costs every batch.
    ("optimize_on_insert", "0"),
];

/// Marks get their time from the server, all in a batch the same one. It is later than that of every mark before, even where
/// the server's clock has stepped back: so the newest mark of a date is always the last one.
const INSERT_MARKS: &str = concat!(
    include_str!("insert/marks.sql"),
    "input('customer String, subscription String, date Date32') FORMAT RowBinary"
);

const INSERT_CUSTOMERS: &str = "INSERT INTO subscription_customers (customer, subscription) FORMAT RowBinary";

/// A table that batches go into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Usage events.
    UsageEvents,
    /// Evidence of all copies.
    Identities,
    /// Dates that get rows: the marks among the daily sums.
    Marks,
    /// Quarantine.
    Rejects,
    /// What is accounted for.
    Ledger,
    /// Identities that the sweep is to look at first.
    Suspects,
    /// Identities that the sweep has seen to.
    Settlements,
    /// Which customers the rows of a subscription name.
    SubscriptionCustomers,
}

impl Table {
    /// Name in the database, also a metric label.
    pub fn name(self) -> &'static str {
        match self {
            Self::UsageEvents => "usage_events",
            Self::Identities => "identities",
            Self::Marks => "usage_daily",
            Self::Rejects => "rejects",
            Self::Ledger => "ledger",
            Self::Suspects => "suspects",
            Self::Settlements => "settlements",
            Self::SubscriptionCustomers => "subscription_customers",
        }
    }

    /// The statement that a block with these columns follows.
    fn insert_sql(self, columns: &str) -> String {
        match self {
            Self::Marks => INSERT_MARKS.to_owned(),
            Self::SubscriptionCustomers => INSERT_CUSTOMERS.to_owned(),
            _ => format!("INSERT INTO {} ({columns}) FORMAT Native", self.name()),
        }
    }
}

/// Rows of one table, sorted by its key. Cloning shares the bytes.
#[derive(Debug, Clone)]
pub struct EncodedBatch {
    /// Where they go.
    pub table: Table,
    /// Number of rows.
    pub rows: usize,
    /// One Native block; marks and customers are in RowBinary.
    pub bytes: Bytes,
    /// Names of the columns in the block, with commas. Those of RowBinary are always the same.
    pub(crate) columns: &'static str,
}

impl Store {
    /// Inserts a batch once. When it returns, the rows are on disk. After an error they may be there in part or
    /// whole: insert the same batch again, its rows replace themselves.
    ///
    /// # Errors
    /// [`Error::class`] says whether another attempt can help.
    pub async fn insert(&self, batch: &EncodedBatch) -> Result<(), Error> {
        self.insert_by(batch, &batch.table.insert_sql(batch.columns), &[]).await
    }

    /// Inserts a batch by another statement, with its parameters.
    pub(crate) async fn insert_by(
        &self,
        batch: &EncodedBatch,
        sql: &str,
        parameters: &[(&str, String)],
    ) -> Result<(), Error> {
        let started = Instant::now();
        let result = self.acknowledgement(self.send(batch, sql, parameters)).await;
        if result.is_err() {
            self.noted_customers.forget();
        }
        let outcome = result.as_ref().map_or_else(|error| error.class().as_str(), |()| "ok");
        self.metrics
            .insert_seconds
            .with_label_values(&[batch.table.name(), outcome])
            .observe(started.elapsed().as_secs_f64());
        result
    }

    async fn send(
        &self,
        batch: &EncodedBatch,
        sql: &str,
        parameters: &[(&str, String)],
    ) -> clickhouse::error::Result<()> {
        let mut client = self.for_inserts();
        for (name, value) in parameters {
            client = client.with_setting(format!("param_{name}"), value);
        }
        let mut insert = client.insert_formatted_with(sql);
        insert.send(batch.bytes.clone()).await?;
        insert.end().await
    }

    /// The client for inserts.
    pub(crate) fn for_inserts(&self) -> clickhouse::Client {
        let client = self
            .behind_answers()
            .with_setting("max_execution_time", self.insert_timeout.as_secs_f64().to_string());
        INSERT_SETTINGS.iter().fold(client, |client, (name, value)| client.with_setting(*name, *value))
    }
}
