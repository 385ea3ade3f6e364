//! A database, usage in it, and workers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use meterhouse_localstack::{ClickHouse, ClickHouseOptions};
use meterhouse_model::{
    BillingZone, Change, CloudEventHeaders, Event, Identity, Ownership, Record, Units, parse_instant,
};
use meterhouse_query::rollup::{self, RollupConfig, RollupMetrics};
use meterhouse_store::{ClickHouseConfig, DateFilter, ErrorClass, EventBatch, Metrics, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const ZONE: &str = "America/New_York";

/// Records and sum of units by month and option code, as text.
pub(crate) type Sums = BTreeMap<(u32, String), (String, u64)>;

/// Of an insert, as short as a busy machine allows.
pub(crate) const LIMIT: Duration = Duration::from_secs(1);
/// More than twice as long.
pub(crate) const MARGIN: Duration = Duration::from_millis(2100);

/// The server that tests share.
pub(crate) fn shared() -> &'static ClickHouse {
    static SERVER: OnceLock<ClickHouse> = OnceLock::new();
    SERVER.get_or_init(launch)
}

/// A server for a test that kills it.
pub(crate) fn launch() -> ClickHouse {
    ClickHouse::launch(ClickHouseOptions::default()).unwrap()
}

/// An hour of usage that ends at a local time.
pub(crate) fn usage(
    customer: &str,
    subscription: &str,
    option: &str,
    end: &str,
    units: &str,
) -> Event<'static> {
    let zone = BillingZone::new(ZONE).unwrap();
    let end_micros = parse_instant(end, &zone).unwrap();
    Event {
        subscription: Cow::Owned(subscription.into()),
        option_code: Cow::Owned(option.into()),
        customer: Cow::Owned(customer.into()),
        description: Cow::Borrowed(""),
        identity: Identity::EventId(Cow::Owned(format!("{option} {end}"))),
        index: 0,
        start: end_micros - 3_600_000_000,
        end: end_micros,
        billed_at: end_micros - 1,
        billing_day: zone.day_of(end_micros - 1),
        units: Units::parse(units).unwrap(),
        renewal_order_reference: None,
        change: Change::Create,
        origin: None,
    }
}

/// Writes events, each of a record of its own.
pub(crate) async fn write(store: &Store, events: &[Event<'static>]) {
    let mut batch = EventBatch::default();
    for (event, offset) in events.iter().zip(0..) {
        let record = Record {
            topic: "usage-events",
            partition: 0,
            offset,
            timestamp_ms: None,
            value: None,
            content_type: None,
            cloud_event: CloudEventHeaders::default(),
        };
        batch.push(event, &record);
    }
    let sealed = batch.seal().unwrap();
    for _ in 0..100 {
        match store.write(&sealed).await {
            Ok(()) => return,
            Err(error) => assert_eq!(error.class(), ErrorClass::Retryable, "{error}"),
        }
    }
    panic!("not written after many attempts");
}

/// A database of its own, and the margin of its rollup.
pub(crate) struct Site<'s> {
    pub(crate) server: &'s ClickHouse,
    pub(crate) name: String,
    pub(crate) store: Store,
    pub(crate) margin: Duration,
}

impl<'s> Site<'s> {
    /// With all tables.
    pub(crate) async fn new(server: &'s ClickHouse, insert_timeout: Duration, margin: Duration) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("query_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let config = ClickHouseConfig {
            url: server.http_url(),
            tls: None,
            database: name.clone(),
            user: "meterhouse".into(),
            password: Some("local".into()),
            cluster: None,
            insert_timeout,
            query_timeout: Duration::from_secs(60),
        };
        let store = Store::new(&config, Metrics::register(&prometheus::Registry::new()).unwrap());
        store.migrate(&BillingZone::new(ZONE).unwrap()).await.unwrap();
        Self { server, name, store, margin }
    }

    /// Starts a worker.
    pub(crate) fn worker(&self) -> Worker {
        let config = RollupConfig {
            margin: self.margin,
            interval: Duration::from_millis(10),
            // On a busy machine an insert may take longer than such margins.
            full_look_interval: Duration::from_millis(300),
        };
        let reports = Arc::new(Mutex::new(Vec::new()));
        let shutdown = CancellationToken::new();
        let report = {
            let reports = Arc::clone(&reports);
            Arc::new(move |result| reports.lock().unwrap().push(result))
        };
        let run = rollup::run(self.store.clone(), config, metrics(), report, shutdown.clone());
        Worker { task: tokio::spawn(run), shutdown, reports }
    }

    /// Runs a statement in the database. Names of tables are those of `{db}`.
    pub(crate) fn query(&self, sql: &str) -> String {
        self.server.query(&sql.replace("{db}", &self.name)).unwrap()
    }

    /// How many dates have a mark and are not clean.
    pub(crate) async fn unclean(&self) -> usize {
        let (mut count, mut page) = (0, self.store.date_page(None).await.unwrap());
        loop {
            let filter = DateFilter::default();
            count += self.store.unclean_dates(&page, &filter, self.margin).await.unwrap().len();
            if page.is_last() {
                return count;
            }
            page = self.store.date_page(Some(&page)).await.unwrap();
        }
    }

    /// Waits until all dates are clean.
    pub(crate) async fn rolled_up(&self) {
        for _ in 0..3_000 {
            if self.unclean().await == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} dates are not clean", self.unclean().await);
    }

    /// What the history is made of.
    pub(crate) async fn sums(&self, customer: &str, unnamed: &[Ownership]) -> Sums {
        let mut sums: BTreeMap<(u32, String), (meterhouse_model::Quantity, u64)> = BTreeMap::new();
        for used in self.store.usage_by_month(customer, unnamed, self.margin).await.unwrap() {
            let month = u32::try_from(used.month.year).unwrap() * 100 + u32::from(used.month.month);
            let (total, records) = sums.entry((month, used.option_code)).or_default();
            (*total, *records) = (total.checked_add(used.total).unwrap(), *records + used.records);
        }
        sums.retain(|_, (_, records)| *records > 0);
        sums.into_iter().map(|(key, (total, records))| (key, (format!("{total}"), records))).collect()
    }

    /// The same from all events, in plain SQL.
    pub(crate) fn raw_sums(&self, whose: &str) -> Sums {
        let lines = self.query(&format!(
            "SELECT toYYYYMM(billing_day), option_code, sum(toDecimal256(units, 18)), count()
             FROM {{db}}.usage_events FINAL WHERE {whose} GROUP BY 1, 2 FORMAT TSV"
        ));
        let sum = |line: &str| {
            let fields: Vec<&str> = line.split('\t').collect();
            let total = meterhouse_model::Quantity::parse(fields[2]).unwrap();
            let key = (fields[0].parse().unwrap(), fields[1].to_owned());
            (key, (total.to_string(), fields[3].parse().unwrap()))
        };
        lines.lines().map(sum).collect()
    }
}

impl Drop for Site<'_> {
    fn drop(&mut self) {
        let _ = self.server.query(&format!("DROP DATABASE IF EXISTS {} SYNC", self.name));
    }
}

pub(crate) fn metrics() -> RollupMetrics {
    RollupMetrics::register(&prometheus::Registry::new()).unwrap()
}

/// A worker that runs.
pub(crate) struct Worker {
    task: JoinHandle<()>,
    shutdown: CancellationToken,
    reports: Arc<Mutex<Vec<Result<(), String>>>>,
}

impl Worker {
    /// Asks it to end, and waits for that.
    pub(crate) async fn end(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }

    /// Ends it wherever it is.
    pub(crate) fn kill(self) {
        self.task.abort();
    }

    /// Waits for a report of one kind.
    pub(crate) async fn reported(&self, is_wanted: impl Fn(&Result<(), String>) -> bool) {
        self.reports.lock().unwrap().clear();
        for _ in 0..3_000 {
            if self.reports.lock().unwrap().iter().any(&is_wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no such report among {:?}", self.reports.lock().unwrap());
    }
}
