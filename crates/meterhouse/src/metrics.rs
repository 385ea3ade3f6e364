//! Metrics of the process and of the files that it watches.

use prometheus::process_collector::ProcessCollector;
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

/// What is counted about watched files: `meterhouse_file_loads_total{file,outcome}` and `meterhouse_file_stale{file}`.
#[derive(Debug, Clone)]
pub(crate) struct FileMetrics {
    loads: IntCounterVec,
    stale: IntGaugeVec,
}

/// Registers `meterhouse_tls_certificate_not_after_timestamp_seconds`: when the certificate in effect expires.
///
/// # Errors
/// A metric of the same name is registered already.
pub(crate) fn register_certificate_expiry(registry: &Registry) -> Result<IntGauge, prometheus::Error> {
    let expiry = IntGauge::new(
        "meterhouse_tls_certificate_not_after_timestamp_seconds",
        "When the certificate of the HTTP listener expires, in seconds since 1970.",
    )?;
    registry.register(Box::new(expiry.clone()))?;
    Ok(expiry)
}

/// Registers what every process tells: `meterhouse_build_info`, which is always 1, and the usual `process_*` of its CPU,
/// memory and files.
///
/// # Errors
/// A metric of the same name is registered already.
pub(crate) fn register_process(registry: &Registry) -> Result<(), prometheus::Error> {
    registry.register(Box::new(ProcessCollector::for_self()))?;
    let opts = Opts::new("meterhouse_build_info", "The version that runs; always 1.");
    let info = IntGaugeVec::new(opts, &["version"])?;
    info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    registry.register(Box::new(info))
}

impl FileMetrics {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A metric of the same name is registered already.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let loads = IntCounterVec::new(
            Opts::new("meterhouse_file_loads_total", "Changes of watched files, loaded or failed."),
            &["file", "outcome"],
        )?;
        let stale = IntGaugeVec::new(
            Opts::new(
                "meterhouse_file_stale",
                "1 while a file is unusable and its last good version counts.",
            ),
            &["file"],
        )?;
        registry.register(Box::new(loads.clone()))?;
        registry.register(Box::new(stale.clone()))?;
        for file in ["catalog", "subscriptions", "credentials", "certificate"] {
            stale.with_label_values(&[file]).set(0);
            for outcome in ["loaded", "failed"] {
                loads.with_label_values(&[file, outcome]).inc_by(0);
            }
        }
        Ok(Self { loads, stale })
    }

    /// A changed file is in effect.
    pub(crate) fn loaded(&self, file: &str) {
        self.loads.with_label_values(&[file, "loaded"]).inc();
        self.stale.with_label_values(&[file]).set(0);
    }

    /// A changed file cannot be used.
    pub(crate) fn failed(&self, file: &str) {
        self.loads.with_label_values(&[file, "failed"]).inc();
        self.stale.with_label_values(&[file]).set(1);
    }
}
