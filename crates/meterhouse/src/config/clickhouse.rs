//! `[clickhouse]`: where usage is kept.

use std::time::Duration;

use meterhouse_store::Cluster;
use url::Url;

use super::reader::{Reader, parse_name};
use super::secret::Secret;

const URL: &str = "http://127.0.0.1:8123";
const DATABASE: &str = "meterhouse";
const USER: &str = "default";
const INSERT_TIMEOUT_MS: u64 = 30_000;
const QUERY_TIMEOUT_MS: u64 = 10_000;
/// Shortest and longest time limits of a statement: less is a mistake, more is no limit.
const TIMEOUT_MS_MIN: u64 = 100;
const TIMEOUT_MS_MAX: u64 = 3_600_000;
/// Longest name of a database, in bytes.
const DATABASE_BYTES_MAX: usize = 128;

/// The keys of `[clickhouse]`.
#[derive(Debug, Clone)]
pub(crate) struct ClickHouseConfig {
    /// Address of the HTTP interface. Default `http://127.0.0.1:8123`.
    pub(crate) url: String,
    /// Database of all tables. Default `meterhouse`.
    pub(crate) database: String,
    /// User. Default `default`.
    pub(crate) user: String,
    /// The `cluster` that the tables are spread over, by its name in the servers' configuration, and whether they are
    /// `replicated` by Keeper. Default none: one server; and true.
    pub(crate) cluster: Option<Cluster>,
    /// The user's password: `password` itself, or the content of the file `password_file`. Default none.
    pub(crate) password: Option<Secret>,
    /// `insert_timeout_ms`: limit of one insert on the server, in milliseconds. Default 30000.
    pub(crate) insert_timeout: Duration,
    /// `query_timeout_ms`: limit of one read on the server, in milliseconds. Default 10000.
    pub(crate) query_timeout: Duration,
}

impl ClickHouseConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("clickhouse");
        let url = section.parsed("url", URL, parse_url);
        let database = section.parsed("database", DATABASE, parse_database);
        let user = section.parsed("user", USER, parse_name);
        let cluster = section.optional("cluster", parse_cluster);
        let is_replicated = section.flag("replicated", true);
        let password = section.secret("password", "password_file");
        let limits = TIMEOUT_MS_MIN..=TIMEOUT_MS_MAX;
        let insert_timeout_ms = section.number("insert_timeout_ms", INSERT_TIMEOUT_MS, limits.clone());
        let query_timeout_ms = section.number("query_timeout_ms", QUERY_TIMEOUT_MS, limits);
        Some(Self {
            url: url?,
            database: database?,
            user: user?,
            cluster: of_cluster(cluster?, is_replicated?),
            password: password?,
            insert_timeout: Duration::from_millis(insert_timeout_ms?),
            query_timeout: Duration::from_millis(query_timeout_ms?),
        })
    }

    /// What the store connects with.
    pub(crate) fn store_config(&self) -> meterhouse_store::ClickHouseConfig {
        meterhouse_store::ClickHouseConfig {
            url: self.url.clone(),
            database: self.database.clone(),
            user: self.user.clone(),
            cluster: self.cluster.clone(),
            password: self.password.as_ref().map(|password| password.expose().to_owned()),
            insert_timeout: self.insert_timeout,
            query_timeout: self.query_timeout,
        }
    }
}

/// No message quotes the address: what is wrong with it may be that it holds a password.
fn parse_url(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|why| format!("must be an address as http://host:8123: {why}"))?;
    if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
        return Err("must begin with http:// or https:// and name a host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user: use clickhouse.user and clickhouse.password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a query: settings are the service's own".to_owned());
    }
    Ok(text.to_owned())
}

fn parse_database(text: &str) -> Result<String, String> {
    let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_named =
        (1..=DATABASE_BYTES_MAX).contains(&text.len()) && !text.starts_with(|c: char| c.is_ascii_digit());
    if !is_word || !is_named {
        return Err(format!("must be a name of letters, digits and '_', is {text:?}"));
    }
    Ok(text.to_owned())
}

fn of_cluster(name: Option<String>, is_replicated: bool) -> Option<Cluster> {
    name.map(|name| Cluster { name, is_replicated })
}

/// It stands in statements: so nothing that would have to be quoted.
fn parse_cluster(text: &str) -> Result<String, String> {
    let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if !is_word || !(1..=DATABASE_BYTES_MAX).contains(&text.len()) {
        return Err(format!("must be a name of letters, digits, '_', '-' and '.', is {text:?}"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_no_secret() {
        for good in
            ["http://127.0.0.1:8123", "https://ch.example.com", "http://[::1]:8123/", "https://x/path/"]
        {
            assert!(parse_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "127.0.0.1:8123",
            "tcp://x:9000",
            "http://",
            "http://u:canary@x:1",
            "http://x?password=canary",
        ] {
            let why = parse_url(bad).unwrap_err();
            assert!(!why.contains("canary"), "{why}");
        }
    }

    #[test]
    fn a_database_is_a_plain_name() {
        assert!(parse_database("meter_house2").is_ok());
        for bad in ["", "2x", "a-b", "a.b", "a`b", &"x".repeat(129)] {
            assert!(parse_database(bad).is_err(), "{bad}");
        }
    }
}
