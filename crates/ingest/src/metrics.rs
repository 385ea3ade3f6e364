//! Metrics of the pipeline.

use std::time::Instant;

use meterhouse_model::Reason;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use crate::batch::{Batch, CloseReason};
use crate::progress::{PartitionProgress, Progress};

/// Outcome of an event whose identity is taken by other content.
const CONFLICT: &str = "conflict";

/// Seconds from a record's timestamp until it can be read: about the age of a batch, or hours after an outage.
const FRESHNESS_BUCKETS: [f64; 12] = [0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 60.0, 600.0, 3600.0];
/// Seconds; a batch closes after a second by default.
const AGE_BUCKETS: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0];
const ROW_BUCKETS: [f64; 8] = [1.0, 10.0, 100.0, 1e3, 1e4, 5e4, 2e5, 1e6];
const BYTE_BUCKETS: [f64; 7] = [1e3, 1e4, 1e5, 1e6, 1e7, 6.4e7, 2.56e8];

/// What the pipeline counts. Records, events and rejects count once they are stored.
#[derive(Debug, Clone)]
pub struct Metrics {
    records: IntCounterVec,
    events: IntCounterVec,
    rejects: IntCounterVec,
    holes: IntCounterVec,
    ledger_position: IntGaugeVec,
    committed_position: IntGaugeVec,
    lag_records: IntGaugeVec,
    lag_seconds: GaugeVec,
    freshness: Histogram,
    batch_rows: Histogram,
    batch_bytes: Histogram,
    batch_age: Histogram,
    batch_close: IntCounterVec,
    inflight_bytes: IntGauge,
    partitions: IntGaugeVec,
    /// Failed attempts to insert, by class of the error.
    pub(crate) retries: IntCounterVec,
    /// Rejects that the mirror topic has acknowledged.
    pub(crate) mirrored: IntCounter,
    /// Changes of the assignment.
    pub(crate) rebalances: IntCounter,
    /// Partitions whose committed offset was not the ledger's end.
    pub(crate) committed_differences: IntCounter,
    /// Partitions whose last accounted record had left the log.
    pub(crate) fingerprints_gone: IntCounter,
    topic: String,
}

impl Metrics {
    /// Registers the metrics for a topic.
    ///
    /// # Errors
    /// A metric of the same name is registered already.
    pub fn register(registry: &Registry, topic: &str) -> Result<Self, prometheus::Error> {
        let register = Registrar(registry);
        let metrics = Self {
            records: register.counters("meterhouse_records_total", "Kafka records stored.", &["topic"])?,
            events: register.counters(
                "meterhouse_events_total",
                "Usage events by what became of them: stored, amended, deleted, rejected. Of those that are stored: duplicate \
                 (states the same as another copy that is stored soon before or after), conflict (its identity is taken by \
                 other content).",
                &["outcome"],
            )?,
            rejects: register.counters("meterhouse_rejects_total", "Rejects by reason.", &["reason"])?,
            holes: register.counters(
                "meterhouse_holes_total",
                "Offsets without a record: markers of transactions, and records of aborted ones.",
                &["topic"],
            )?,
            ledger_position: register.gauges(
                "meterhouse_ledger_position",
                "Offset up to which a partition is stored and in the ledger: where reading goes on.",
                &["topic", "partition"],
            )?,
            committed_position: register.gauges(
                "meterhouse_committed_position",
                "Offset that the consumer group has committed, for tools: reading goes on at the ledger's.",
                &["topic", "partition"],
            )?,
            lag_records: register.gauges(
                "meterhouse_lag_records",
                "Records of a partition that are not stored yet.",
                &["topic", "partition"],
            )?,
            lag_seconds: register.lag_seconds()?,
            freshness: register.histogram(
                "meterhouse_freshness_seconds",
                "Time from the timestamp of a batch's oldest record in a partition until it can be read, in seconds.",
                &FRESHNESS_BUCKETS,
            )?,
            batch_rows: register.histogram(
                "meterhouse_batch_rows",
                "Rows of a batch, events and rejects.",
                &ROW_BUCKETS,
            )?,
            batch_bytes: register.histogram(
                "meterhouse_batch_bytes",
                "Memory of a batch, in bytes.",
                &BYTE_BUCKETS,
            )?,
            batch_age: register.histogram(
                "meterhouse_batch_age_seconds",
                "Time from a batch's first record to its close, in seconds.",
                &AGE_BUCKETS,
            )?,
            batch_close: register.counters(
                "meterhouse_batch_close_total",
                "Batches by why they closed: rows, bytes, age, shutdown.",
                &["reason"],
            )?,
            inflight_bytes: register.gauge(
                "meterhouse_inflight_bytes",
                "Memory of batches that are not stored yet, in bytes.",
            )?,
            partitions: register.gauges(
                "meterhouse_partitions",
                "Partitions by state: assigned (all), paused (while the pipeline is full), stopped (until somebody acts).",
                &["state"],
            )?,
            retries: register.counters(
                "meterhouse_retries_total",
                "Failed attempts to insert a batch, by class of the error.",
                &["class"],
            )?,
            mirrored: register.counter(
                "meterhouse_mirrored_rejects_total",
                "Rejects that the mirror topic has acknowledged.",
            )?,
            rebalances: register
                .counter("meterhouse_rebalances_total", "Changes of the assignment of partitions.")?,
            committed_differences: register.counter(
                "meterhouse_committed_offset_differences_total",
                "Assigned partitions whose committed offset was not the ledger's end, which counts.",
            )?,
            fingerprints_gone: register.counter(
                "meterhouse_fingerprints_gone_total",
                "Assigned partitions whose last accounted record retention had deleted, so that it was not compared.",
            )?,
            topic: topic.to_owned(),
        };
        metrics.begin();
        Ok(metrics)
    }

    /// Shows every label that is known before its first count: a rate needs a zero to start from.
    fn begin(&self) {
        self.records.with_label_values(&[&self.topic]).inc_by(0);
        self.holes.with_label_values(&[&self.topic]).inc_by(0);
        for outcome in ["stored", "amended", "deleted", "rejected", "duplicate", CONFLICT] {
            self.events.with_label_values(&[outcome]).inc_by(0);
        }
        for reason in Reason::ALL {
            self.rejects.with_label_values(&[reason.as_str()]).inc_by(0);
        }
        for reason in CloseReason::ALL {
            self.batch_close.with_label_values(&[reason.as_str()]).inc_by(0);
        }
        for class in ["retryable", "poisonous", "fatal"] {
            self.retries.with_label_values(&[class]).inc_by(0);
        }
        self.partitions(0, 0, false);
    }

    pub(crate) fn closed(&self, batch: &Batch, reason: CloseReason) {
        self.batch_age.observe(batch.age(Instant::now()).as_secs_f64());
        self.batch_rows.observe(batch.rows() as f64);
        self.batch_bytes.observe(batch.bytes() as f64);
        self.batch_close.with_label_values(&[reason.as_str()]).inc();
    }

    pub(crate) fn stored(&self, progress: &Progress, now_ms: i64) {
        let outcomes = &progress.outcomes;
        let rejected = outcomes.rejected.values().sum();
        self.records.with_label_values(&[&self.topic]).inc_by(outcomes.records);
        let holes = progress.partitions.values().map(PartitionProgress::holes).sum();
        self.holes.with_label_values(&[&self.topic]).inc_by(holes);
        for (outcome, count) in [
            ("stored", outcomes.stored),
            ("amended", outcomes.amended),
            ("deleted", outcomes.deleted),
            ("rejected", rejected),
            ("duplicate", outcomes.duplicates),
        ] {
            self.events.with_label_values(&[outcome]).inc_by(count);
        }
        for (reason, count) in &outcomes.rejected {
            self.rejects.with_label_values(&[reason.as_str()]).inc_by(*count);
        }
        for oldest in progress.partitions.values().filter_map(|partition| partition.oldest_ms) {
            self.freshness.observe((now_ms - oldest).max(0) as f64 / 1000.0);
        }
    }

    /// Creations whose identity is taken by other content are in quarantine now.
    pub(crate) fn conflicts(&self, count: u64) {
        self.events.with_label_values(&[CONFLICT]).inc_by(count);
        self.rejects.with_label_values(&[Reason::ConflictingDuplicate.as_str()]).inc_by(count);
    }

    pub(crate) fn lag(&self, partition: i32, records: i64, seconds: f64) {
        let labels = &[self.topic.as_str(), &partition.to_string()];
        self.lag_records.with_label_values(labels).set(records);
        self.lag_seconds.with_label_values(labels).set(seconds);
    }

    pub(crate) fn ledger_position(&self, partition: i32, position: i64) {
        let labels = &[self.topic.as_str(), &partition.to_string()];
        self.ledger_position.with_label_values(labels).set(position);
    }

    pub(crate) fn committed(&self, partition: i32, position: i64) {
        let labels = &[self.topic.as_str(), &partition.to_string()];
        self.committed_position.with_label_values(labels).set(position);
    }

    /// Partitions that are not ours any more are somebody else's to report.
    pub(crate) fn reset_partitions(&self) {
        self.ledger_position.reset();
        self.lag_records.reset();
        self.lag_seconds.reset();
    }

    pub(crate) fn partitions(&self, assigned: usize, stopped: usize, is_full: bool) {
        let paused = if is_full { assigned - stopped } else { 0 };
        for (state, count) in [("assigned", assigned), ("paused", paused), ("stopped", stopped)] {
            self.partitions.with_label_values(&[state]).set(gauge(count));
        }
    }

    pub(crate) fn inflight(&self, bytes: usize) {
        self.inflight_bytes.set(gauge(bytes));
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Makes metrics and registers them.
struct Registrar<'r>(&'r Registry);

impl Registrar<'_> {
    fn register<M: prometheus::core::Collector + Clone + 'static>(
        &self,
        metric: prometheus::Result<M>,
    ) -> prometheus::Result<M> {
        let metric = metric?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counter(&self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        self.register(IntCounter::new(name, help))
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        self.register(IntCounterVec::new(Opts::new(name, help), labels))
    }

    fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        self.register(IntGauge::new(name, help))
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        self.register(IntGaugeVec::new(Opts::new(name, help), labels))
    }

    fn lag_seconds(&self) -> prometheus::Result<GaugeVec> {
        let help = "Age of a partition's last stored record, in seconds; 0 where all its records are stored.";
        self.register(GaugeVec::new(Opts::new("meterhouse_lag_seconds", help), &["topic", "partition"]))
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> prometheus::Result<Histogram> {
        self.register(Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec())))
    }
}
