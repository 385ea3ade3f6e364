//! A pipeline that runs, seen through what it reports.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use meterhouse_ingest::{BatchLimits, Error, KafkaConfig, Metrics, ingest};
use meterhouse_model::{BillingZone, Rules};
use meterhouse_store::Store;
use prometheus::Registry;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Whatever takes longer does not happen any more.
const LIMIT: Duration = Duration::from_secs(55);
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Small batches, so that a test need not fill large ones.
pub(crate) const LIMITS: BatchLimits =
    BatchLimits { rows: 1000, bytes: 1 << 20, age: Duration::from_millis(100), inflight_bytes: 1 << 22 };

type Checks = BTreeMap<&'static str, Result<(), String>>;

pub(crate) struct Running {
    thread: Option<JoinHandle<Result<(), Error>>>,
    checks: Arc<Mutex<Checks>>,
    registry: Registry,
    shutdown: CancellationToken,
}

impl Running {
    pub(crate) fn start(kafka: KafkaConfig, limits: BatchLimits, store: Store) -> Self {
        let (registry, checks) = (Registry::new(), Arc::new(Mutex::new(Checks::new())));
        let metrics = Metrics::register(&registry, &kafka.topic).unwrap();
        let rules = Rules::new(Arc::new(BillingZone::new("UTC").unwrap()));
        let (_, rules) = watch::channel(Arc::new(rules));
        let shutdown = CancellationToken::new();
        let noted = Arc::clone(&checks);
        let report = Arc::new(move |check, result| {
            noted.lock().unwrap().insert(check, result);
        });
        let token = shutdown.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            let runtime = runtime.unwrap();
            let outcome = runtime.block_on(ingest(&kafka, limits, rules, store, metrics, report, token));
            runtime.shutdown_background();
            outcome
        });
        Self { thread: Some(thread), checks, registry, shutdown }
    }

    /// What a readiness check says; nothing before its first result.
    pub(crate) fn check(&self, name: &str) -> Option<Result<(), String>> {
        self.checks.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn wait_until_ready(&self) {
        self.wait("partitions that are assigned", || self.check("partitions") == Some(Ok(())));
    }

    /// Waits until a check says something.
    pub(crate) fn wait_for_words(&self, check: &str, words: &str) {
        self.wait(words, || matches!(self.check(check), Some(Err(why)) if why.contains(words)));
    }

    /// The sum of a metric over all labels.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let metrics = families.iter().filter(|family| family.name() == name).flat_map(|f| f.get_metric());
        metrics.map(|metric| metric.get_counter().get_value() + metric.get_gauge().get_value()).sum()
    }

    pub(crate) fn wait(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            let is_running = self.thread.as_ref().is_some_and(|thread| !thread.is_finished());
            assert!(is_running, "ended while waiting for {what}");
            assert!(begun.elapsed() < LIMIT, "no {what}: {:?}", self.checks.lock().unwrap());
            thread::sleep(LOOK_INTERVAL);
        }
    }

    /// How it has ended, by itself.
    pub(crate) fn ended(mut self) -> Result<(), Error> {
        let (thread, begun) = (self.thread.take().unwrap(), Instant::now());
        while !thread.is_finished() {
            assert!(begun.elapsed() < LIMIT, "it does not end: {:?}", self.checks.lock().unwrap());
            thread::sleep(LOOK_INTERVAL);
        }
        thread.join().unwrap()
    }

    /// Ends it as SIGTERM does.
    pub(crate) fn stop(self) -> Result<(), Error> {
        self.shutdown.cancel();
        self.ended()
    }
}

impl Drop for Running {
    /// Also a test that has failed leaves no member of a group behind.
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
