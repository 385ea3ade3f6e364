//! Metrics of the rollup.

use std::time::{SystemTime, UNIX_EPOCH};

use meterhouse_store::{Error, ErrorClass};
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// What the rollup's worker counts.
#[derive(Debug, Clone)]
pub struct RollupMetrics {
    backlog: IntGauge,
    last_look: IntGauge,
    scans: IntCounter,
    dates: IntCounter,
    failures: IntCounterVec,
}

impl RollupMetrics {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A metric of the same name is registered already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            backlog: IntGauge::new(
                "meterhouse_rollup_backlog_days",
                "Dates of subscriptions that the worker knows to need a scan. They are read from the events until then.",
            )?,
            last_look: IntGauge::new(
                "meterhouse_rollup_last_look_timestamp_seconds",
                "When the worker last looked for dates that need a scan, 0 before the first time.",
            )?,
            scans: IntCounter::new("meterhouse_rollup_scans_total", "Scans, each of some dates.")?,
            dates: IntCounter::new(
                "meterhouse_rollup_scanned_dates_total",
                "Dates that scans have made clean.",
            )?,
            failures: IntCounterVec::new(
                Opts::new(
                    "meterhouse_rollup_failures_total",
                    "Failures of the worker, by class of the error.",
                ),
                &["class"],
            )?,
        };
        registry.register(Box::new(metrics.backlog.clone()))?;
        registry.register(Box::new(metrics.last_look.clone()))?;
        registry.register(Box::new(metrics.scans.clone()))?;
        registry.register(Box::new(metrics.dates.clone()))?;
        registry.register(Box::new(metrics.failures.clone()))?;
        // A rate needs a zero to start from.
        for class in [ErrorClass::Retryable, ErrorClass::Poisonous, ErrorClass::Fatal] {
            metrics.failures.with_label_values(&[class.as_str()]).inc_by(0);
        }
        Ok(metrics)
    }

    pub(crate) fn failed(&self, error: &Error) {
        self.failures.with_label_values(&[error.class().as_str()]).inc();
    }

    pub(crate) fn looked(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_look.set(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    }

    pub(crate) fn waiting(&self, dates: usize) {
        self.backlog.set(i64::try_from(dates).unwrap_or(i64::MAX));
    }

    pub(crate) fn scanned(&self, clean_dates: usize) {
        self.scans.inc();
        self.dates.inc_by(clean_dates as u64);
    }
}
