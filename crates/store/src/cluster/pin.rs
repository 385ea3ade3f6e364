//! Which shards there are, pinned in the database: rows that exist do not move when the cluster changes.

use serde::Deserialize;

use super::Cluster;
use crate::{Error, Store};

pub(super) const SHARDS: &str = include_str!("shards.sql");

#[derive(Debug, Deserialize, clickhouse::Row)]
struct Configured {
    shards: u32,
    weight: u32,
}

impl Store {
    /// Makes the table that says which shard is which, and returns for how many shards all tables are.
    pub(crate) async fn create_shards(&self, cluster: &Cluster) -> Result<u32, Error> {
        let shards = match self.pinned_shards().await? {
            Some(shards) => shards,
            None => self.configured_shards(cluster).await?,
        };
        self.execute_on(cluster, SHARDS, shards).await?;
        Ok(shards)
    }

    /// Executes what a file of SQL means on a cluster.
    pub(crate) async fn execute_on(&self, cluster: &Cluster, sql: &str, shards: u32) -> Result<(), Error> {
        let unknown = || Error::Unexpected("a migration has no form for a cluster".to_owned());
        for statement in cluster.statements(sql, &self.database, shards).ok_or_else(unknown)? {
            self.answer(self.for_definitions().query_raw(&statement).execute()).await?;
        }
        Ok(())
    }

    /// Gives each shard its number, as long as nothing is stored.
    pub(crate) async fn pin_shards(&self, shards: u32) -> Result<(), Error> {
        if self.is_unused().await? {
            let insert = self
                .for_inserts()
                .query("INSERT INTO shards SELECT number FROM numbers({shards:UInt32})")
                .param("shards", shards);
            self.acknowledgement(insert.execute()).await?;
        }
        self.check_shards(shards).await
    }

    /// Refuses a cluster whose shards are not what they were.
    ///
    /// # Errors
    /// [`Error::Refused`] where one has another place now, or has lost its rows.
    pub(crate) async fn check_shards(&self, shards: u32) -> Result<(), Error> {
        let query = self.for_reads().query("SELECT DISTINCT _shard_num - 1, number FROM shards");
        let mut found: Vec<(i64, u32)> = self.answer(query.fetch_all()).await?;
        found.sort_unstable();
        for number in 0..shards {
            if !found.contains(&(i64::from(number), number)) {
                return Err(Error::Refused(format!(
                    "shard {} of the cluster is not the server that it was when the tables were made, or has lost its \
                     rows: put the servers back into their order, or restore that one",
                    number + 1
                )));
            }
        }
        if found.len() == shards as usize { Ok(()) } else { Err(strange(&found)) }
    }

    /// For how many shards the tables are made, if they are.
    pub(crate) async fn pinned_shards(&self) -> Result<Option<u32>, Error> {
        let query = self.for_reads().query(
            "SELECT toUInt32(extract(engine_full, ' % (\\\\d+)\\\\)')) FROM system.tables \
             WHERE database = {database:String} AND name = 'shards'",
        );
        self.answer(query.param("database", &self.database).fetch_optional()).await
    }

    /// The shards of the server's configuration.
    async fn configured_shards(&self, cluster: &Cluster) -> Result<u32, Error> {
        let query = self
            .client
            .query(
                "SELECT toUInt32(uniqExact(shard_num)) AS shards, toUInt32(max(shard_weight)) AS weight \
                 FROM system.clusters WHERE cluster = {cluster:String}",
            )
            .param("cluster", &cluster.name);
        let configured: Configured = self.answer(query.fetch_one()).await?;
        match configured {
            Configured { shards: 0, .. } => Err(Error::Refused(format!(
                "the server knows no cluster {:?}: see system.clusters for those that it knows",
                cluster.name
            ))),
            // The place of a row would depend on it.
            Configured { weight, .. } if weight != 1 => Err(Error::Refused(format!(
                "the shards of the cluster {} have weights: all have to be 1",
                cluster.name
            ))),
            Configured { shards, .. } => Ok(shards),
        }
    }
}

fn strange(found: &[(i64, u32)]) -> Error {
    Error::Refused(format!("shards of the cluster have changed places: (place, number) are {found:?}"))
}
