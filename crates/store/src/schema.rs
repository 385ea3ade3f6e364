//! What the database has to be before anything is written to it or read from it.

use meterhouse_model::BillingZone;

use crate::{Error, Store, insert::INSERT_SETTINGS, insert::Table};

/// Where a database stands against this program's migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// Nobody has migrated it yet.
    Empty,
    /// These migrations are missing.
    Behind(Vec<&'static str>),
    /// Ready: same zone, durable tables, settings accepted.
    Ready,
}

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
        if pending.len() == crate::migrate::MIGRATIONS.len() {
            return Ok(SchemaState::Empty);
        }
        if !pending.is_empty() {
            return Ok(SchemaState::Behind(pending.iter().map(|migration| migration.name).collect()));
        }
        self.check_zone(zone).await?;
        for table in Table::ALL {
            self.check_durable(table).await?;
        }
        self.check_settings().await?;
        Ok(SchemaState::Ready)
    }

    async fn check_durable(&self, table: Table) -> Result<(), Error> {
        let query = self
            .for_reads()
            .query("SELECT engine_full FROM system.tables WHERE database = currentDatabase() AND name = {table:String}")
            .param("table", table.name());
        let engine: Option<String> = self.answer(query.fetch_optional()).await?;
        let Some(engine) = engine else {
            let table = table.name();
            return Err(Error::Refused(format!("table {}.{table} was migrated and is gone", self.database)));
        };
        match DURABLE_TABLE.iter().find(|setting| !engine.contains(*setting)) {
            None => Ok(()),
            Some(setting) => Err(Error::Refused(format!(
                "table {}.{} lacks the setting {setting}: acknowledged usage would not survive a power cut",
                self.database,
                table.name()
            ))),
        }
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
