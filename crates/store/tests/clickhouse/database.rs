//! One server for all tests that leave it alone, and a database for each.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use clickhouse::{Client, RowOwned, RowRead};
use meterhouse_localstack::{ClickHouse, ClickHouseOptions};
use meterhouse_model::BillingZone;
use meterhouse_store::{ClickHouseConfig, Metrics, Store};

/// So long no test takes: every date is read from the events.
pub(crate) const NEVER: Duration = Duration::from_secs(100_000);

/// The server that tests share. It ends with the test program.
pub(crate) fn shared() -> &'static ClickHouse {
    static SERVER: OnceLock<ClickHouse> = OnceLock::new();
    SERVER.get_or_init(launch)
}

/// A server for a test that kills it, holds it or counts what it does.
pub(crate) fn launch() -> ClickHouse {
    ClickHouse::launch(ClickHouseOptions::default()).unwrap()
}

pub(crate) fn utc() -> &'static BillingZone {
    static ZONE: OnceLock<BillingZone> = OnceLock::new();
    ZONE.get_or_init(|| BillingZone::new("UTC").unwrap())
}

/// A database of its own, dropped at the end of the test, however that ends.
pub(crate) struct Database<'s> {
    server: &'s ClickHouse,
    pub(crate) name: String,
}

impl<'s> Database<'s> {
    /// A name that nobody else uses. Nothing is created.
    pub(crate) fn named(server: &'s ClickHouse) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Names are quoted wherever they go: this one has to be.
        let name = format!("t`{} x", NEXT.fetch_add(1, Ordering::Relaxed));
        Self { server, name }
    }

    /// With all tables.
    pub(crate) async fn migrated(server: &'s ClickHouse) -> Self {
        let database = Self::named(server);
        database.store().migrate(utc()).await.unwrap();
        database
    }

    pub(crate) fn config(&self) -> ClickHouseConfig {
        ClickHouseConfig {
            url: self.server.http_url(),
            tls: None,
            database: self.name.clone(),
            user: "meterhouse".into(),
            password: Some("local".into()),
            cluster: None,
            insert_timeout: Duration::from_secs(60),
            query_timeout: Duration::from_secs(60),
        }
    }

    pub(crate) fn store(&self) -> Store {
        store(&self.config())
    }

    /// A client of the server that shares nothing with the store.
    pub(crate) fn client(&self) -> Client {
        Client::default().with_url(self.server.http_url()).with_database(&self.name)
    }

    /// Runs a statement.
    pub(crate) async fn run(&self, sql: &str) {
        self.client().query_raw(sql).execute().await.unwrap();
    }

    /// The only row of an answer.
    pub(crate) async fn one<T: RowOwned + RowRead>(&self, sql: &str) -> T {
        self.client().query_raw(sql).fetch_one().await.unwrap()
    }

    /// All rows of an answer.
    pub(crate) async fn all<T: RowOwned + RowRead>(&self, sql: &str) -> Vec<T> {
        self.client().query_raw(sql).fetch_all().await.unwrap()
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        let _ =
            self.server.query(&format!("DROP DATABASE IF EXISTS `{}` SYNC", self.name.replace('`', "\\`")));
    }
}

pub(crate) fn store(config: &ClickHouseConfig) -> Store {
    Store::new(config, Metrics::register(&prometheus::Registry::new()).unwrap())
}
