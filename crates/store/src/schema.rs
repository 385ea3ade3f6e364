//! What the database has to be before anything is written to it or read from it.

use std::collections::HashMap;

use meterhouse_model::BillingZone;

use crate::{Error, Store, insert::INSERT_SETTINGS};

/// Where a database stands against this program's migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// Nobody has migrated it yet, or not to the end: nothing is stored, and the zone is not pinned.
    Empty,
    /// These migrations are missing.
    Behind(Vec<&'static str>),
    /// Ready: same zone, durable tables, settings accepted.
    Ready,
}

/// Tables that must survive a power cut: all that there are.
const TABLES: [&str; 12] = [
    "schema_migrations",
    "usage_events",
    "rejects",
    "billing_zone",
    "identities",
    "ledger",
    "usage_daily",
    "touched",
    "settlements",
    "suspects",
    "replays",
    "subscription_customers",
];

/// Without these a table may lose rows that were acknowledged when the power is cut.
const DURABLE_TABLE: [&str; 4] = [
    "fsync_after_insert = 1",
    "fsync_part_directory = 1",
    "min_rows_to_fsync_after_merge = 1",
    "min_compressed_bytes_to_fsync_after_merge = 1",
];

impl Store {
    /// Looks at the database and checks everything that exactness rests on.
    ///
    /// # Errors
    /// [`Error::Refused`] where going on could lose or double usage: another billing zone, a changed migration, a
    /// table or a user's settings without durability.
    pub async fn schema_state(&self, zone: &BillingZone) -> Result<SchemaState, Error> {
        let pending = self.pending_migrations().await?;
        if pending.len() == crate::migrate::MIGRATIONS.len() || self.is_unused().await? {
            return Ok(SchemaState::Empty);
        }
        if !pending.is_empty() {
            return Ok(SchemaState::Behind(pending.iter().map(|migration| migration.name).collect()));
        }
        self.check_zone(zone).await?;
        self.check_durable().await?;
        self.check_settings().await?;
        Ok(SchemaState::Ready)
    }

    /// Whether the first migration was cut short: its last step is the zone's pin, and only then are rows stored.
    async fn is_unused(&self) -> Result<bool, Error> {
        let query = self.for_reads().query(
            "SELECT coalesce(sum(total_rows), 0) = 0 FROM system.tables WHERE database = currentDatabase() \
             AND name IN ('billing_zone', 'usage_events', 'rejects')",
        );
        self.answer(query.fetch_one()).await
    }

    async fn check_durable(&self) -> Result<(), Error> {
        let query = self
            .for_reads()
            .query(
                "SELECT name, engine_full FROM system.tables \
                 WHERE database = currentDatabase() AND name IN {tables:Array(String)}",
            )
            .param("tables", TABLES.as_slice());
        let engines: HashMap<String, String> = self.answer(query.fetch_all()).await?.into_iter().collect();
        for table in TABLES {
            let name = || format!("table {}.{table}", self.database);
            let Some(engine) = engines.get(table) else {
                return Err(Error::Refused(format!("{} was migrated and is gone", name())));
            };
            if let Some(setting) = DURABLE_TABLE.iter().find(|setting| !engine.contains(*setting)) {
                return Err(Error::Refused(format!(
                    "{} lacks the setting {setting}: acknowledged usage would not survive a power cut",
                    name()
                )));
            }
        }
        Ok(())
    }

    /// Asks under the settings of an insert what the server makes of them: a profile may pin others.
    async fn check_settings(&self) -> Result<(), Error> {
        for (name, wanted) in INSERT_SETTINGS {
            let query =
                self.for_inserts().query("SELECT toString(getSetting({name:String}))").param("name", name);
            let actual: String = self.answer(query.fetch_one()).await?;
            if !same_value(wanted, &actual) {
                return Err(Error::Refused(format!(
                    "the server keeps the setting {name} at {actual}, but an insert needs {wanted}"
                )));
            }
        }
        Ok(())
    }
}

/// Settings print as numbers or as booleans, depending on the server's type for them.
fn same_value(wanted: &str, actual: &str) -> bool {
    wanted == actual || matches!((wanted, actual), ("0", "false") | ("1", "true"))
}
