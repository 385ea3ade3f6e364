//! Metrics of the sweep.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, IntCounter, IntGauge, Registry};

use crate::Metrics;

/// What the sweep counts.
#[derive(Debug, Clone)]
pub struct SweepMetrics {
    lag: Lag,
    pub(super) tombstones: IntCounter,
    pub(super) failures: IntCounter,
    passes: IntCounter,
    waiting: IntGauge,
    /// Conflicts are an outcome of events.
    pub(super) pipeline: Metrics,
}

impl SweepMetrics {
    /// Registers the metrics of a process that sweeps. Its lag grows from now on.
    ///
    /// # Errors
    /// A metric of the same name is registered already.
    pub fn register(registry: &Registry, pipeline: &Metrics) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            lag: Lag::new(Instant::now())?,
            tombstones: IntCounter::new(
                "meterhouse_sweep_tombstones_total",
                "Rows that take an event away from a key, since another copy of it counts on another key.",
            )?,
            failures: IntCounter::new("meterhouse_sweep_failures_total", "Looks of the sweep that failed.")?,
            passes: IntCounter::new("meterhouse_sweep_passes_total", "Complete passes over the evidence.")?,
            waiting: IntGauge::new(
                "meterhouse_sweep_waiting",
                "Events with copies that differ which the last pass could not see to: rows are not there yet, or kafka \
                 does not answer.",
            )?,
            pipeline: pipeline.clone(),
        };
        registry.register(Box::new(metrics.lag.clone()))?;
        registry.register(Box::new(metrics.tombstones.clone()))?;
        registry.register(Box::new(metrics.failures.clone()))?;
        registry.register(Box::new(metrics.passes.clone()))?;
        registry.register(Box::new(metrics.waiting.clone()))?;
        Ok(metrics)
    }

    /// A pass that began at a time is complete.
    pub(super) fn passed(&self, begun: Instant, waiting: u64) {
        self.lag.begin_at(begun);
        self.passes.inc();
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// For how long copies that differ may have gone unseen.
    pub(super) fn lag(&self) -> Duration {
        self.lag.now()
    }
}

/// A time that passes, told as of the moment of the question: it grows also while the sweep waits for a server.
#[derive(Debug, Clone)]
struct Lag {
    gauge: Gauge,
    since: Arc<Mutex<Instant>>,
}

impl Lag {
    fn new(since: Instant) -> Result<Self, prometheus::Error> {
        let gauge = Gauge::new(
            "meterhouse_sweep_lag_seconds",
            "Time since the last complete pass over the evidence began, in seconds: copies that were stored before and \
             differ are seen to. Until the first pass is complete, time since the process began.",
        )?;
        Ok(Self { gauge, since: Arc::new(Mutex::new(since)) })
    }

    fn begin_at(&self, since: Instant) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn now(&self) -> Duration {
        self.since.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Collector for Lag {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.gauge.set(self.now().as_secs_f64());
        self.gauge.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag_seconds(registry: &Registry) -> f64 {
        let families = registry.gather();
        let lag = families.iter().find(|family| family.name() == "meterhouse_sweep_lag_seconds").unwrap();
        lag.get_metric()[0].get_gauge().get_value()
    }

    #[test]
    fn the_lag_grows_until_a_pass_is_complete_and_then_from_its_begin() {
        let registry = Registry::new();
        let pipeline = Metrics::register(&registry, "t").unwrap();
        let metrics = SweepMetrics::register(&registry, &pipeline).unwrap();
        let first = lag_seconds(&registry);
        assert!(0.0 < first && first < lag_seconds(&registry));
        let begun = Instant::now().checked_sub(Duration::from_secs(100)).unwrap();
        metrics.passed(begun, 0);
        let lag = lag_seconds(&registry);
        assert!((100.0..160.0).contains(&lag), "{lag}");
    }
}
