//! What the database has to be before anything is written to it or read from it.

use meterhouse_model::BillingZone;

use crate::{Cluster, Error, Store, insert::INSERT_SETTINGS, migrate::MIGRATIONS};

/// Where a database stands against this program's migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// Nobody has migrated it yet, or not to the end: nothing is stored, and the zone is not pinned.
    Empty,
    /// These migrations are missing.
    Behind(Vec<&'static str>),
    /// Other servers of a cluster lack tables, or cannot be reached.
    Elsewhere(String),
    /// Ready: same zone, durable tables, settings accepted.
    Ready,
}

/// Tables that must survive a power cut: all that there are.
pub(crate) const TABLES: [&str; 12] = [
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
        if pending.len() == MIGRATIONS.len() {
            return Ok(SchemaState::Empty);
        }
        let shards = self.check_spread().await?;
        if self.is_unused().await? {
            return Ok(SchemaState::Empty);
        }
        if !pending.is_empty() {
            return Ok(SchemaState::Behind(pending.iter().map(|migration| migration.name).collect()));
        }
        match self.check(zone, shards).await {
            Err(error) if self.lacks_other_servers(&error) => Ok(SchemaState::Elsewhere(error.to_string())),
            checked => checked.map(|()| SchemaState::Ready),
        }
    }

    async fn check(&self, zone: &BillingZone, shards: Option<u32>) -> Result<(), Error> {
        if let Some(shards) = shards {
            self.check_shards(shards).await?;
        }
        self.check_zone(zone).await?;
        self.check_durable(shards.unwrap_or(1)).await?;
        self.check_settings().await
    }

    /// For how many shards the tables of a migrated database are, if they are those of a cluster. They have to be where one is
    /// configured, and nowhere else: the other kind of tables would be made beside them, or a part of them read.
    pub(crate) async fn check_spread(&self) -> Result<Option<u32>, Error> {
        let shards = self.pinned_shards().await?;
        match (&self.cluster, shards) {
            (Some(cluster), None) => Err(not_of_a_cluster(&self.database, cluster)),
            (None, Some(_)) => Err(of_a_cluster(&self.database)),
            (Some(_), Some(_)) | (None, None) => Ok(shards),
        }
    }

    /// Whether the first migration was cut short: its last step is the zone's pin, and only then are rows stored.
    pub(crate) async fn is_unused(&self) -> Result<bool, Error> {
        let sql = format!(
            "SELECT coalesce(sum(total_rows), 0) = 0 FROM {} \
             WHERE database = {{database:String}} AND name IN {{tables:Array(String)}}",
            self.system_tables()
        );
        let tables = ["billing_zone", "usage_events", "rejects"].map(|table| self.stored(table));
        let query = self.for_reads().query(&sql).param("database", &self.database);
        let query = query.param("tables", tables.as_slice());
        self.answer(query.fetch_one()).await
    }

    /// Asks one replica of each shard: the others have the same tables.
    async fn check_durable(&self, shards: u32) -> Result<(), Error> {
        let sql = format!(
            "SELECT name, engine_full FROM {} \
             WHERE database = {{database:String}} AND name IN {{tables:Array(String)}}",
            self.system_tables()
        );
        let tables = TABLES.map(|table| self.stored(table));
        let query =
            self.for_reads().query(&sql).param("database", &self.database).param("tables", tables.as_slice());
        let found: Vec<(String, String)> = self.answer(query.fetch_all()).await?;
        for table in tables {
            let name = || format!("table {}.{table}", self.database);
            let engines: Vec<&str> =
                found.iter().filter(|(name, _)| *name == table).map(|(_, engine)| engine.as_str()).collect();
            if engines.len() < shards as usize {
                return Err(Error::Refused(format!("{} was migrated and is gone", name())));
            }
            let lacks = |setting: &&str| engines.iter().any(|engine| !engine.contains(*setting));
            if let Some(setting) = DURABLE_TABLE.iter().find(|setting| lacks(setting)) {
                return Err(Error::Refused(format!(
                    "{} lacks the setting {setting}: acknowledged usage would not survive a power cut",
                    name()
                )));
            }
        }
        Ok(())
    }

    /// Where servers tell of their tables.
    fn system_tables(&self) -> String {
        match &self.cluster {
            Some(cluster) => format!("cluster('{}', system.tables)", cluster.name),
            None => "system.tables".to_owned(),
        }
    }

    /// The table of one server that holds a table's rows.
    fn stored(&self, table: &str) -> String {
        if self.cluster.is_some() { Cluster::local_name(table) } else { table.to_owned() }
    }

    /// Asks under the settings of an insert what the server makes of them: a profile may pin others.
    async fn check_settings(&self) -> Result<(), Error> {
        let of_cluster = self.cluster.iter().flat_map(Cluster::settings);
        for (name, wanted) in INSERT_SETTINGS.into_iter().chain(of_cluster) {
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

fn not_of_a_cluster(database: &str, cluster: &Cluster) -> Error {
    Error::Refused(format!(
        "the tables of {database} are those of one server, and clickhouse.cluster is {}: usage does not move by itself",
        cluster.name
    ))
}

fn of_a_cluster(database: &str) -> Error {
    Error::Refused(format!(
        "the tables of {database} are spread over a cluster, and clickhouse.cluster is not set: without it a read may \
         see a part of them"
    ))
}

/// Settings print as numbers or as booleans, depending on the server's type for them.
fn same_value(wanted: &str, actual: &str) -> bool {
    wanted == actual || matches!((wanted, actual), ("0", "false") | ("1", "true"))
}
