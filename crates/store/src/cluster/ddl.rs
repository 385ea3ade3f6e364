//! The statements of a migration, as a cluster needs them.

use super::Cluster;
use crate::migrate::quoted;

/// The table that records migrations is whole on every server: it says what there is on that server.
const WHOLE: &str = "schema_migrations";

/// By what rows are spread: all that is compared, replaced or summed up together has the same value.
const KEYS: [(&str, &str); 12] = [
    ("usage_events", "sipHash64(subscription)"),
    ("usage_daily", "sipHash64(subscription)"),
    ("touched", "sipHash64(subscription)"),
    ("subscription_customers", "sipHash64(subscription)"),
    ("identities", "identity_hash"),
    ("settlements", "identity_hash"),
    ("suspects", "identity_hash"),
    ("rejects", "sipHash64(topic, partition, offset)"),
    ("ledger", "sipHash64(topic, partition)"),
    ("replays", "sipHash64(replay)"),
    ("billing_zone", "sipHash64(zone)"),
    ("shards", "number"),
];

impl Cluster {
    /// The table on each shard that holds a table's rows.
    pub(crate) fn local_name(table: &str) -> String {
        if table == WHOLE { table.to_owned() } else { format!("{table}_shard") }
    }

    /// The database, on all servers that a statement reaches.
    pub(crate) fn create_database(&self, database: &str) -> String {
        format!("CREATE DATABASE IF NOT EXISTS {}{}", quoted(database), self.on_cluster())
    }

    /// What to execute for a file of `schemas/clickhouse/`, one after the other. `None`: it is of no known form.
    pub(crate) fn statements(&self, sql: &str, database: &str, shards: u32) -> Option<Vec<String>> {
        let begin = ["\nCREATE ", "\nINSERT ", "\nALTER "].iter().find_map(|word| sql.find(word))? + 1;
        let sql = sql[begin..].trim_end().trim_end_matches(';');
        if let Some(table) = sql.strip_prefix("CREATE TABLE IF NOT EXISTS ") {
            self.tables(table, database, shards)
        } else if let Some(view) = sql.strip_prefix("CREATE MATERIALIZED VIEW IF NOT EXISTS ") {
            self.view(view).map(|view| vec![view])
        } else if let Some(change) = sql.strip_prefix("ALTER TABLE ") {
            self.table_settings(change).map(|settings| vec![settings])
        } else {
            self.rows(sql).map(|rows| vec![rows])
        }
    }

    /// The table on each shard, and the one above them.
    fn tables(&self, definition: &str, database: &str, shards: u32) -> Option<Vec<String>> {
        let (name, body) = definition.split_once('\n')?;
        let (columns, engine) = body.split_once("\nENGINE = ")?;
        let (engine, rest) = engine.split_once('\n')?;
        let local = Self::local_name(name);
        let create = |name: &str| format!("CREATE TABLE IF NOT EXISTS {name}{}", self.on_cluster());
        let stored = format!("{}\n{columns}\nENGINE = {}\n{rest}", create(&local), self.engine(engine, name));
        if name == WHOLE {
            return Some(vec![stored]);
        }
        let (_, key) = KEYS.iter().find(|(table, _)| *table == name)?;
        let above = format!(
            "{} AS {local}\nENGINE = Distributed('{}', '{database}', '{local}', {key} % {shards})",
            create(name),
            self.name
        );
        Some(vec![stored, above])
    }

    /// The engine, replicated if the cluster is. Its path has the table's name, not its id: so a replica that comes later
    /// joins the others.
    fn engine(&self, engine: &str, table: &str) -> String {
        if !self.is_replicated {
            return engine.to_owned();
        }
        let (name, arguments) = engine.split_once('(').unwrap_or((engine, ")"));
        let place = if table == WHOLE {
            "'/clickhouse/tables/{database}/{table}', '{shard}-{replica}'"
        } else {
            "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
        };
        let separator = if arguments == ")" { "" } else { ", " };
        format!("Replicated{name}({place}{separator}{arguments}")
    }

    /// A view from one table of a shard to another one there.
    fn view(&self, definition: &str) -> Option<String> {
        let (name, rest) = definition.split_once(" TO ")?;
        let (target, rest) = rest.split_once(" AS\n")?;
        let (columns, rest) = rest.split_once("\nFROM ")?;
        let (source, rest) = rest.split_once('\n')?;
        Some(format!(
            "CREATE MATERIALIZED VIEW IF NOT EXISTS {name}{} TO {} AS\n{columns}\nFROM {}\n{rest}",
            self.on_cluster(),
            Self::local_name(target),
            Self::local_name(source),
        ))
    }

    /// Settings of the table on each shard.
    fn table_settings(&self, change: &str) -> Option<String> {
        let (table, settings) = change.split_once("\n    MODIFY SETTING ")?;
        Some(format!(
            "ALTER TABLE {}{}\n    MODIFY SETTING {settings}",
            Self::local_name(table),
            self.on_cluster()
        ))
    }

    /// Rows made from another table's. They find their shard by themselves, or are on it already where each server is
    /// migrated by itself.
    fn rows(&self, sql: &str) -> Option<String> {
        let (target, rest) = sql.strip_prefix("INSERT INTO ")?.split_once('\n')?;
        if self.is_replicated {
            return Some(sql.to_owned());
        }
        let (columns, rest) = rest.split_once("\nFROM ")?;
        let (source, rest) = rest.split_once('\n')?;
        let [target, source] = [target, source].map(Self::local_name);
        Some(format!("INSERT INTO {target}\n{columns}\nFROM {source}\n{rest}"))
    }

    /// What makes a statement reach all servers, if one can.
    pub(crate) fn on_cluster(&self) -> String {
        if self.is_replicated { format!(" ON CLUSTER '{}'", self.name) } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;
    use crate::migrate::MIGRATIONS;

    const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/cluster/replicated.sql");
    const UPDATE: &str = "METERHOUSE_UPDATE_GOLDEN";

    fn cluster(is_replicated: bool) -> Cluster {
        Cluster { name: "prod".into(), is_replicated }
    }

    fn all(cluster: &Cluster) -> Vec<String> {
        let files = MIGRATIONS.iter().map(|migration| migration.sql);
        let statements =
            |sql| cluster.statements(sql, "meterhouse", 3).unwrap_or_else(|| panic!("no form for {sql}"));
        [super::super::pin::SHARDS].into_iter().chain(files).flat_map(statements).collect()
    }

    /// What runs where a cluster has Keeper. `METERHOUSE_UPDATE_GOLDEN=1` writes it anew.
    #[test]
    fn replicated_tables_are_those_of_the_file() {
        let cluster = cluster(true);
        let statements = [vec![cluster.create_database("meterhouse")], all(&cluster)].concat();
        let written = statements.iter().map(|statement| format!("{statement};\n\n")).collect::<String>();
        if env::var_os(UPDATE).is_some() {
            fs::write(GOLDEN, &written).unwrap();
        }
        assert_eq!(fs::read_to_string(GOLDEN).unwrap(), written, "{UPDATE}=1 writes the file anew");
    }

    #[test]
    fn without_keeper_no_statement_leaves_its_server() {
        for statement in all(&cluster(false)) {
            assert!(!statement.contains("ON CLUSTER") && !statement.contains("Replicated"), "{statement}");
            let is_above = statement.contains("Distributed(");
            assert!(
                is_above || !statement.starts_with("INSERT") || statement.contains("_shard\n"),
                "{statement}"
            );
        }
    }

    #[test]
    fn a_statement_of_another_form_has_none() {
        for change in ["ADD COLUMN x UInt8", "MODIFY TTL at + INTERVAL 1 DAY"] {
            let sql = format!("-- More.\nALTER TABLE usage_events\n    {change};");
            assert_eq!(cluster(true).statements(&sql, "d", 2), None, "{change}");
        }
        let unknown = "-- New.\nCREATE TABLE IF NOT EXISTS unheard_of\n(\n    x UInt8\n)\nENGINE = MergeTree\nORDER BY x;";
        assert_eq!(cluster(true).statements(unknown, "d", 2), None, "by what are its rows spread?");
    }
}
