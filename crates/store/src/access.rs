//! Who may do what with the database: a role for each kind of process, with the rights that it needs and no others.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::migrate::quoted;
use crate::{Cluster, Error, Store};

/// What a process does with the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `migrate`: makes the tables.
    Migrator,
    /// Everything that stores usage: `ingest`, `rollup`, `rejects replay`, `ledger accept`, `rollup rebuild`.
    Writer,
    /// `api`, `verify` and commands that only show something.
    Reader,
}

/// A user of the database, who has one of the roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUser {
    /// What it is for.
    pub role: Role,
    /// Name.
    pub name: String,
    /// SHA-256 of the password, in hex. The password itself goes nowhere.
    pub password_sha256: String,
}

/// Tables that usage goes into.
const WRITTEN: [&str; 9] = [
    "usage_events",
    "identities",
    "rejects",
    "ledger",
    "usage_daily",
    "settlements",
    "suspects",
    "replays",
    "subscription_customers",
];
/// What migrations write themselves, and what their view does: it acts by the rights of whoever has made it.
const WRITTEN_BY_MIGRATIONS: [&str; 4] =
    ["schema_migrations", "billing_zone", "subscription_customers", "touched"];

/// Engines of the tables, and those that a cluster needs besides.
const ENGINES: [&str; 2] = ["MergeTree", "ReplacingMergeTree"];
const CLUSTER_ENGINES: [&str; 3] = ["Distributed", "ReplicatedMergeTree", "ReplicatedReplacingMergeTree"];

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Migrator, Self::Writer, Self::Reader];

    /// The role's name: that of the database with this ending.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Migrator => "migrators",
            Self::Writer => "writers",
            Self::Reader => "readers",
        }
    }

    fn rights(self, database: &str, cluster: Option<&Cluster>) -> String {
        let all = format!("{}.*", quoted(database));
        let mut rights = format!("SELECT ON {all}");
        // To write into a String cannot fail.
        let inserts: &[&str] = match self {
            Self::Migrator => {
                rights =
                    format!("CREATE DATABASE, CREATE TABLE, CREATE VIEW, ALTER SETTINGS, SELECT ON {all}");
                let of_cluster = cluster.iter().flat_map(|_| CLUSTER_ENGINES);
                for engine in ENGINES.into_iter().chain(of_cluster) {
                    let _ = write!(rights, ", TABLE ENGINE ON {engine}");
                }
                &WRITTEN_BY_MIGRATIONS
            }
            Self::Writer => &WRITTEN,
            Self::Reader => &[],
        };
        for table in inserts {
            let _ = write!(rights, ", INSERT ON {}.{}", quoted(database), quoted(table));
        }
        if cluster.is_some() {
            rights += &rights_on_shards(self, database, inserts);
        }
        rights
    }
}

/// What it takes to ask and to fill the tables on each shard, and for statements that reach all servers.
fn rights_on_shards(role: Role, database: &str, inserts: &[&str]) -> String {
    let mut rights = ", CREATE TEMPORARY TABLE ON *.*, REMOTE ON *.*".to_owned();
    if role == Role::Migrator {
        let _ = write!(rights, ", CLUSTER ON *.*, INSERT ON {}.shards", quoted(database));
    }
    let shards = (role == Role::Migrator).then_some("shards");
    for table in inserts.iter().copied().chain(shards) {
        let local = Cluster::local_name(table);
        if local != table {
            let _ = write!(rights, ", INSERT ON {}.{}", quoted(database), quoted(&local));
        }
    }
    rights
}

impl DatabaseUser {
    /// A user with a password.
    pub fn new(role: Role, name: &str, password: &str) -> Self {
        Self { role, name: name.to_owned(), password_sha256: hex::encode(Sha256::digest(password)) }
    }
}

/// The statements that give each role its rights in a database, and each user its role. All of them may be run again: rights that
/// a role had before and has no longer are taken away, in one step with what it gets.
pub fn access_statements(database: &str, cluster: Option<&Cluster>, users: &[DatabaseUser]) -> Vec<String> {
    let on_cluster = cluster.map(Cluster::on_cluster).unwrap_or_default();
    let role_name = |role: Role| quoted(&format!("{database}_{}", role.suffix()));
    let mut statements = Vec::new();
    for role in Role::ALL {
        let (name, rights) = (role_name(role), role.rights(database, cluster));
        statements.push(format!("CREATE ROLE IF NOT EXISTS {name}{on_cluster}"));
        statements.push(format!("GRANT{on_cluster} {rights} TO {name} WITH REPLACE OPTION"));
    }
    for DatabaseUser { role, name, password_sha256 } in users {
        let (name, role) = (quoted(name), role_name(*role));
        let identified = format!("{name}{on_cluster} IDENTIFIED WITH sha256_hash BY '{password_sha256}'");
        statements.push(format!("CREATE USER IF NOT EXISTS {identified}"));
        statements.push(format!("ALTER USER {identified}"));
        statements.push(format!("GRANT{on_cluster} {role} TO {name}"));
    }
    statements
}

impl Store {
    /// Runs the statements. The user of this connection needs the right to manage access.
    ///
    /// # Errors
    /// One of them is refused; those before it stay, and all may be run again.
    pub async fn run_access_statements(&self, statements: &[String]) -> Result<(), Error> {
        for statement in statements {
            self.answer(self.client.query_raw(statement).execute()).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::TABLES;

    #[test]
    fn on_a_cluster_the_tables_of_shards_may_be_filled_and_every_server_knows_the_users() {
        let cluster = Cluster { name: "prod".into(), is_replicated: true };
        let users = [DatabaseUser::new(Role::Writer, "w", "secret")];
        let statements = access_statements("m", Some(&cluster), &users);
        assert!(
            statements.iter().all(|statement| statement.contains(" ON CLUSTER 'prod'")),
            "{statements:#?}"
        );
        let rights = |role: &str| {
            statements.iter().find(|text| text.starts_with("GRANT") && text.contains(role)).unwrap().as_str()
        };
        assert!(rights("m_writers").contains("INSERT ON `m`.`usage_events_shard`"));
        assert!(rights("m_migrators").contains("TABLE ENGINE ON Distributed"));
        assert!(!rights("m_readers").contains("INSERT"));

        let alone = access_statements("m", None, &users).join("\n");
        assert!(
            !alone.contains("CLUSTER") && !alone.contains("REMOTE") && !alone.contains("_shard"),
            "{alone}"
        );
    }

    #[test]
    fn each_table_has_somebody_who_writes_it() {
        let written: Vec<_> = WRITTEN.iter().chain(&WRITTEN_BY_MIGRATIONS).collect();
        for table in TABLES {
            assert!(written.contains(&&table), "{table}");
        }
        assert!(written.iter().all(|table| TABLES.contains(table)));
    }
}
