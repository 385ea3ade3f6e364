//! Metrics of the sweep.

use prometheus::{Gauge, IntCounter, IntGauge, Registry};

/// What the sweep counts. Conflicts are an outcome of events.
#[derive(Debug, Clone)]
pub(crate) struct SweepMetrics {
    pub(super) lag_seconds: Gauge,
    pub(super) tombstones: IntCounter,
    pub(super) failures: IntCounter,
    passes: IntCounter,
    waiting: IntGauge,
}

impl SweepMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            lag_seconds: Gauge::new(
                "meterhouse_sweep_lag_seconds",
                "Time since the last complete pass over the evidence began, in seconds: copies that were stored before and \
                 differ are seen to.",
            )?,
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
        };
        registry.register(Box::new(metrics.lag_seconds.clone()))?;
        registry.register(Box::new(metrics.tombstones.clone()))?;
        registry.register(Box::new(metrics.failures.clone()))?;
        registry.register(Box::new(metrics.passes.clone()))?;
        registry.register(Box::new(metrics.waiting.clone()))?;
        Ok(metrics)
    }

    /// A pass is complete.
    pub(super) fn passed(&self, waiting: u64) {
        self.passes.inc();
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }
}
