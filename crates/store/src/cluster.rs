//! A cluster of ClickHouse servers. A table `t` is a Distributed one there, above a table `t_shard` on each shard.
//!
//! Everything that decides whether something counts once is on one shard: all copies of an event with its sums by day, all
//! evidence of an identity. So FINAL works as on one server, and the statements are the same. The number of shards is part of
//! the sharding expression: a server that joins the cluster later gets no rows, and moves none.

mod ddl;
mod pin;

/// Where the tables are spread over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Name in `remote_servers` of the servers' configuration.
    pub name: String,
    /// Whether Keeper knows it: then shards have replicas, and a statement reaches all servers. Without, each shard is one
    /// server, and each has to be migrated.
    pub is_replicated: bool,
}

/// Settings of every statement on a cluster.
const SETTINGS: [(&str, &str); 8] = [
    // An insert is acknowledged when every shard has stored its rows.
    ("distributed_foreground_insert", "1"),
    // Rows go where their key says.
    ("insert_shard_id", "0"),
    ("insert_distributed_one_random_shard", "0"),
    ("parallel_distributed_insert_select", "0"),
    // A subquery is about all shards, too.
    ("distributed_product_mode", "global"),
    // What shards have grouped is put together.
    ("distributed_group_by_no_merge", "0"),
    // What is asked of one subscription is asked of its shard.
    ("optimize_skip_unused_shards", "1"),
    ("enable_parallel_replicas", "0"),
];

/// Those where shards have replicas: what was acknowledged is on most of them, and every read sees it.
const QUORUM: [(&str, &str); 3] =
    [("insert_quorum", "auto"), ("insert_quorum_parallel", "0"), ("select_sequential_consistency", "1")];

impl Cluster {
    /// The settings that every statement states.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let quorum = if self.is_replicated { QUORUM.as_slice() } else { &[] };
        SETTINGS.iter().chain(quorum).copied()
    }
}
