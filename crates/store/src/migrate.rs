//! Migrations: numbered files under `schemas/clickhouse/`, each one statement, applied in order, forward only.

use meterhouse_model::BillingZone;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{Error, Store, crash};

/// A file of `schemas/clickhouse/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migration {
    /// File name without its ending.
    pub name: &'static str,
    /// One statement that can be applied again without harm.
    pub(crate) sql: &'static str,
}

/// What a migration did.
#[derive(Debug)]
pub struct Migrated {
    /// The files that were applied now.
    pub applied: Vec<Migration>,
    /// Why nothing can be stored yet: other servers of a cluster without Keeper lack tables, or cannot be reached.
    pub others: Option<Error>,
}

macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        &[$(Migration {
            name: $name,
            sql: include_str!(concat!("../../../schemas/clickhouse/", $name, ".sql")),
        }),*]
    };
}

/// All migrations in their order. The first one makes the table that records them.
pub(crate) const MIGRATIONS: &[Migration] = migrations![
    "0000_schema_migrations",
    "0001_usage_events",
    "0002_rejects",
    "0003_billing_zone",
    "0004_identities",
    "0005_ledger",
    "0006_usage_daily",
    "0007_touched",
    "0008_touched_by_marks",
    "0009_settlements",
    "0010_suspects",
    "0011_replays",
    "0012_subscription_customers",
    "0013_subscription_customers_before",
    "0014_usage_daily_compact",
];

/// Server's errors for a table and a database that are not there.
const UNKNOWN_TABLE: u32 = 60;
const UNKNOWN_DATABASE: u32 = 81;
/// Server's error for another server that has no such table, or cannot be reached.
const ALL_CONNECTION_TRIES_FAILED: u32 = 279;

#[derive(Debug, Deserialize, clickhouse::Row)]
struct Applied {
    name: String,
    sha256: String,
}

impl Migration {
    fn sha256(&self) -> String {
        hex::encode(Sha256::digest(self.sql))
    }
}

impl Store {
    /// Brings the database to this program's schema and pins the billing time zone in it. Running it again, or twice
    /// at once, does no harm.
    ///
    /// # Errors
    /// [`Error::Refused`] where a file has changed since it was applied or another time zone is pinned.
    pub async fn migrate(&self, zone: &BillingZone) -> Result<Migrated, Error> {
        let applied = self.pending_migrations().await?;
        if applied.len() < MIGRATIONS.len() {
            self.check_spread().await?;
        }
        if !applied.is_empty() {
            // Not every user may do this, nor need to.
            self.create_database().await?;
        }
        let shards = match &self.cluster {
            Some(cluster) => self.create_shards(cluster).await?,
            None => 1,
        };
        for migration in &applied {
            self.apply(migration, shards).await?;
            crash::point("migration_executed");
            self.record(migration).await?;
            crash::point("migration_recorded");
        }
        let others = match self.pin(zone, shards).await {
            Err(error) if self.lacks_other_servers(&error) => Some(error),
            pinned => pinned.map(|()| None)?,
        };
        Ok(Migrated { applied, others })
    }

    async fn create_database(&self) -> Result<(), Error> {
        let create = match &self.cluster {
            Some(cluster) => cluster.create_database(&self.database),
            None => format!("CREATE DATABASE IF NOT EXISTS {}", quoted(&self.database)),
        };
        self.answer(self.client.query_raw(&create).execute()).await
    }

    async fn apply(&self, migration: &Migration, shards: u32) -> Result<(), Error> {
        match &self.cluster {
            Some(cluster) => self.execute_on(cluster, migration.sql, shards).await,
            None => self.answer(self.in_database().query_raw(migration.sql).execute()).await,
        }
    }

    async fn pin(&self, zone: &BillingZone, shards: u32) -> Result<(), Error> {
        if self.cluster.is_some() {
            self.pin_shards(shards).await?;
        }
        self.pin_zone(zone).await
    }

    /// Whether an error may mean that other servers are still to be migrated, one after the other.
    pub(crate) fn lacks_other_servers(&self, error: &Error) -> bool {
        let each_by_itself = self.cluster.as_ref().is_some_and(|cluster| !cluster.is_replicated);
        each_by_itself
            && matches!(error.code(), Some(UNKNOWN_TABLE | UNKNOWN_DATABASE | ALL_CONNECTION_TRIES_FAILED))
    }

    /// The migrations that the database lacks.
    ///
    /// # Errors
    /// [`Error::Refused`] where a file has changed since it was applied.
    pub(crate) async fn pending_migrations(&self) -> Result<Vec<Migration>, Error> {
        let applied = self.applied_migrations().await?;
        let mut pending = Vec::new();
        for migration in MIGRATIONS {
            let mut rows = applied.iter().filter(|row| row.name == migration.name).peekable();
            if rows.peek().is_none() {
                pending.push(*migration);
            }
            if rows.any(|row| row.sha256 != migration.sha256()) {
                return Err(changed(migration));
            }
        }
        Ok(pending)
    }

    async fn applied_migrations(&self) -> Result<Vec<Applied>, Error> {
        let query =
            self.for_reads().query("SELECT name, sha256 FROM schema_migrations ORDER BY name, applied_at");
        match self.answer(query.fetch_all()).await {
            Err(error) if matches!(error.code(), Some(UNKNOWN_TABLE | UNKNOWN_DATABASE)) => Ok(Vec::new()),
            applied => applied,
        }
    }

    async fn record(&self, migration: &Migration) -> Result<(), Error> {
        let insert = self
            .for_inserts()
            .query(
                "INSERT INTO schema_migrations (name, sha256, software) \
                 SELECT {name:String}, {sha256:String}, {software:String}",
            )
            .param("name", migration.name)
            .param("sha256", migration.sha256())
            .param("software", env!("CARGO_PKG_VERSION"));
        self.acknowledgement(insert.execute()).await
    }
}

fn changed(migration: &Migration) -> Error {
    Error::Refused(format!(
        "migration {} has changed since it was applied to this database: applied migrations are never edited, a change \
         is a new file",
        migration.name
    ))
}

/// An identifier as ClickHouse quotes it.
pub(crate) fn quoted(identifier: &str) -> String {
    format!("`{}`", identifier.replace('\\', "\\\\").replace('`', "\\`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_numbered_without_holes_and_all_listed() {
        for (number, migration) in MIGRATIONS.iter().enumerate() {
            assert!(migration.name.starts_with(&format!("{number:04}_")), "{}", migration.name);
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/clickhouse");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), MIGRATIONS.len());
    }

    #[test]
    fn a_file_holds_one_statement() {
        for migration in MIGRATIONS {
            assert_eq!(migration.sql.matches(';').count(), 1, "{}", migration.name);
        }
    }

    #[test]
    fn identifiers_are_quoted() {
        assert_eq!(quoted("a`b\\"), "`a\\`b\\\\`");
    }
}
