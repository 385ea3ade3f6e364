//! `[clickhouse]`: where usage is kept.

use std::ops::RangeInclusive;
use std::time::Duration;

use meterhouse_store::{ClientTls, Cluster, TlsError};
use url::Url;

use super::definition::{Flag, Number, Optional, Text};
use super::reader::{Reader, Section, parse_name, read_text};
use super::secret::Secret;
use super::users::UsersConfig;

const URL: Text = Text {
    key: "url",
    form: "`http://host:port` or `https://host:port`",
    default: "http://127.0.0.1:8123",
    help: "Address of ClickHouse's HTTP interface.",
};
const CA: Optional = Optional {
    key: "ca_file",
    form: "path of a file",
    help: "Authorities (PEM) that an `https://` address is checked against. Without it: those of the system.",
};
const CERTIFICATE: Optional = Optional {
    key: "client_certificate_file",
    form: "path of a file",
    help: "Certificate (PEM) that the service shows to a server that asks for one. Only with `client_key_file`.",
};
const KEY: Optional = Optional {
    key: "client_key_file",
    form: "path of a file",
    help: "The private key (PEM) of that certificate.",
};
const DATABASE: Text = Text {
    key: "database",
    form: "letters, digits and `_`",
    default: "meterhouse",
    help: "Database of all tables.",
};
const USER: Text = Text { key: "user", form: "a name", default: "default", help: "ClickHouse's user." };
const CLUSTER: Optional = Optional {
    key: "cluster",
    form: "letters, digits, `_`, `-` and `.`",
    help: "Cluster that the tables are spread over, by its name in the servers' configuration. Without it: one server.",
};
const REPLICATED: Flag = Flag {
    key: "replicated",
    default: true,
    help: "Whether the tables of a cluster are replicated by Keeper.",
};
const PASSWORD: Optional = Optional {
    key: "password",
    form: "a secret",
    help: "The user's password. Better in a file: `password_file`.",
};
const PASSWORD_FILE: Optional = Optional {
    key: "password_file",
    form: "path of a file",
    help: "File that holds the password, read at the start; the line's end does not count. Not both this and `password`.",
};
const INSERT_TIMEOUT_MS: Number = Number {
    key: "insert_timeout_ms",
    unit: "milliseconds",
    default: 30_000,
    range: TIMEOUT_MS,
    help: "Limit of one insert on the server.",
};
const QUERY_TIMEOUT_MS: Number = Number {
    key: "query_timeout_ms",
    unit: "milliseconds",
    default: 10_000,
    range: TIMEOUT_MS,
    help: "Limit of one read on the server.",
};
/// Shortest and longest time limits of a statement: less is a mistake, more is no limit.
const TIMEOUT_MS: RangeInclusive<u64> = 100..=3_600_000;
/// Longest name of a database, in bytes.
const DATABASE_BYTES_MAX: usize = 128;

/// The values of `[clickhouse]`.
#[derive(Debug, Clone)]
pub(crate) struct ClickHouseConfig {
    pub(crate) url: String,
    /// What an `https://` address is reached with.
    pub(crate) tls: Option<ClientTls>,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) cluster: Option<Cluster>,
    pub(crate) password: Option<Secret>,
    pub(crate) insert_timeout: Duration,
    pub(crate) query_timeout: Duration,
    /// Whom `migrate --users` makes.
    pub(crate) users: UsersConfig,
}

impl ClickHouseConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("clickhouse");
        let url = section.parsed(&URL, parse_url);
        let tls = read_tls(&mut section, url.as_deref());
        let database = section.parsed(&DATABASE, parse_database);
        let user = section.parsed(&USER, parse_name);
        let cluster = section.optional(&CLUSTER, parse_cluster);
        let is_replicated = section.flag(&REPLICATED);
        let password = section.secret(&PASSWORD, &PASSWORD_FILE);
        let insert_timeout_ms = section.number(&INSERT_TIMEOUT_MS);
        let query_timeout_ms = section.number(&QUERY_TIMEOUT_MS);
        let users = UsersConfig::read(reader);
        Some(Self {
            url: url?,
            tls: tls?,
            database: database?,
            user: user?,
            cluster: of_cluster(cluster?, is_replicated?),
            password: password?,
            insert_timeout: Duration::from_millis(insert_timeout_ms?),
            query_timeout: Duration::from_millis(query_timeout_ms?),
            users: users?,
        })
    }

    /// What the store connects with.
    pub(crate) fn store_config(&self) -> meterhouse_store::ClickHouseConfig {
        meterhouse_store::ClickHouseConfig {
            url: self.url.clone(),
            tls: self.tls.clone(),
            database: self.database.clone(),
            user: self.user.clone(),
            cluster: self.cluster.clone(),
            password: self.password.as_ref().map(|password| password.expose().to_owned()),
            insert_timeout: self.insert_timeout,
            query_timeout: self.query_timeout,
        }
    }
}

fn read_tls(section: &mut Section<'_>, url: Option<&str>) -> Option<Option<ClientTls>> {
    let [authorities, certificate, key] =
        [&CA, &CERTIFICATE, &KEY].map(|key| section.optional(key, read_text));
    let (authorities, certificate, key) = (authorities?, certificate?, key?);
    if !Url::parse(url?).is_ok_and(|url| url.scheme() == "https") {
        let given = [(CA.key, &authorities), (CERTIFICATE.key, &certificate), (KEY.key, &key)];
        let Some((unused, _)) = given.iter().find(|(_, text)| text.is_some()) else { return Some(None) };
        section.complain(
            unused,
            format!("clickhouse.{unused} is set, but clickhouse.url does not begin with https://"),
        );
        return None;
    }
    let identity = match (&certificate, &key) {
        (Some(certificate), Some(key)) => Some((certificate.as_str(), key.as_str())),
        (None, None) => None,
        (certificate, _) => {
            let (given, missing) =
                if certificate.is_some() { (CERTIFICATE.key, KEY.key) } else { (KEY.key, CERTIFICATE.key) };
            section.complain(
                given,
                format!("clickhouse.{given} is set, but clickhouse.{missing} is not: a server asks for both"),
            );
            return None;
        }
    };
    match ClientTls::new(authorities.as_deref(), identity) {
        Ok(tls) => Some(Some(tls)),
        Err(error) => {
            let key = match error {
                TlsError::Authorities(_) => CA.key,
                TlsError::Certificate(_) => CERTIFICATE.key,
                TlsError::Key(_) => KEY.key,
            };
            section.complain(key, format!("clickhouse.{key}: {error}"));
            None
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
