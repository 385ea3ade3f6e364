//! The connection: where ClickHouse is, and the settings that every statement states.

use std::sync::Arc;
use std::time::Duration;

use clickhouse::Client;

use crate::{
    ClientTls, Cluster, Error, Metrics, http,
    marks::{FreshMarks, NotedCustomers},
};

/// Time that the client grants on top of a server-side limit before it gives up itself.
const CLIENT_GRACE: Duration = Duration::from_secs(5);
/// The least of it, so that the server is asked first.
const CLIENT_GRACE_MIN: Duration = Duration::from_millis(500);

/// Settings of every statement.
const SETTINGS: [(&str, &str); 17] = [
    // Its threads are started for each statement, and take a third of what a small one costs.
    ("output_format_parallel_formatting", "0"),
    // An error must be the status of the answer, not a line in a body that began with 200.
    ("wait_end_of_query", "1"),
    ("send_progress_in_http_headers", "0"),
    // A profile may let statements end early, cut their answers or repeat older ones: each would be a short sum.
    ("skip_unavailable_shards", "0"),
    ("timeout_overflow_mode", "throw"),
    ("timeout_overflow_mode_leaf", "throw"),
    ("read_overflow_mode", "throw"),
    ("read_overflow_mode_leaf", "throw"),
    ("group_by_overflow_mode", "throw"),
    ("join_overflow_mode", "throw"),
    ("set_overflow_mode", "throw"),
    ("result_overflow_mode", "throw"),
    ("limit", "0"),
    ("offset", "0"),
    ("use_query_cache", "0"),
    // Filters must see what FINAL leaves, not older versions.
    ("optimize_move_to_prewhere_if_final", "0"),
    ("use_skip_indexes_if_final_exact_mode", "1"),
];

/// Setting of statements that no customer waits for: Linux's nice value of the threads that execute them. It takes effect where
/// the server has `CAP_SYS_NICE`, so it is asked for and not insisted on.
const BEHIND_ANSWERS: (&str, &str) = ("os_threads_nice_value_query", "10");

/// Where ClickHouse is and how long it may take.
#[derive(Clone)]
pub struct ClickHouseConfig {
    /// `http://` or `https://` address of the HTTP interface.
    pub url: String,
    /// What an `https://` address is reached with.
    pub tls: Option<ClientTls>,
    /// Database of all tables; created by `migrate`.
    pub database: String,
    /// User name.
    pub user: String,
    /// Password, where the user has one.
    pub password: Option<String>,
    /// The cluster that the tables are spread over. None: one server.
    pub cluster: Option<Cluster>,
    /// Server-side limit of one insert.
    pub insert_timeout: Duration,
    /// Server-side limit of one read.
    pub query_timeout: Duration,
}

/// A ClickHouse database that holds usage. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) client: Client,
    pub(crate) database: String,
    pub(crate) cluster: Option<Cluster>,
    pub(crate) insert_timeout: Duration,
    pub(crate) query_timeout: Duration,
    pub(crate) metrics: Metrics,
    pub(crate) fresh_marks: Arc<FreshMarks>,
    pub(crate) noted_customers: Arc<NotedCustomers>,
}

impl Store {
    /// Prepares a client. No connection is made before the first statement.
    pub fn new(config: &ClickHouseConfig, metrics: Metrics) -> Self {
        let mut client = http::client(config.tls.as_ref())
            .with_url(&config.url)
            .with_user(&config.user)
            .with_product_info("meterhouse", env!("CARGO_PKG_VERSION"));
        let of_cluster = config.cluster.iter().flat_map(Cluster::settings);
        for (name, value) in SETTINGS.into_iter().chain(of_cluster) {
            client = client.with_setting(name, value);
        }
        if let Some(password) = &config.password {
            client = client.with_password(password);
        }
        Self {
            client,
            database: config.database.clone(),
            cluster: config.cluster.clone(),
            insert_timeout: config.insert_timeout,
            query_timeout: config.query_timeout,
            metrics,
            fresh_marks: Arc::default(),
            noted_customers: Arc::default(),
        }
    }

    /// Asks the server for nothing, to see whether it answers.
    ///
    /// # Errors
    /// It does not, or refuses the user.
    pub async fn ping(&self) -> Result<(), Error> {
        self.answer(self.client.query("SELECT 1").execute()).await
    }

    /// The client for statements about the tables of the database.
    pub(crate) fn in_database(&self) -> Client {
        self.client.clone().with_database(&self.database)
    }

    /// The client for statements that no customer waits for.
    pub(crate) fn behind_answers(&self) -> Client {
        let (nice, value) = BEHIND_ANSWERS;
        self.in_database().with_setting(nice, value)
    }

    /// The client for reads, within their time limit.
    pub(crate) fn for_reads(&self) -> Client {
        self.in_database().with_setting("max_execution_time", self.query_timeout.as_secs_f64().to_string())
    }

    /// The client for statements that make tables. On a cluster they wait for all servers.
    pub(crate) fn for_definitions(&self) -> Client {
        self.in_database()
            .with_setting("distributed_ddl_task_timeout", self.query_timeout.as_secs().to_string())
            .with_setting("distributed_ddl_output_mode", "throw")
    }

    /// Waits for a read's or a small statement's answer, and no longer than the limit.
    pub(crate) async fn answer<T>(
        &self,
        call: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T, Error> {
        within(self.query_timeout + CLIENT_GRACE, call).await
    }

    /// Waits for an insert's answer, and no longer than the limit and half of it, for limits of a second or more.
    pub(crate) async fn acknowledgement<T>(
        &self,
        call: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T, Error> {
        let grace = (self.insert_timeout / 2).clamp(CLIENT_GRACE_MIN, CLIENT_GRACE);
        within(self.insert_timeout + grace, call).await
    }
}

pub(crate) async fn within<T>(
    limit: Duration,
    call: impl Future<Output = clickhouse::error::Result<T>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, call).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(Error::TimedOut(limit)),
    }
}
