//! The audit inside a process that runs for long: again and again, each time of what is new in the ledger and of another
//! slice of events and sums.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use meterhouse_store::{Slice, Store};
use prometheus::{IntCounterVec, IntGauge, Opts, Registry};
use tokio_util::sync::CancellationToken;

use super::report::Finding;
use super::{Audit, Owners, Report, Verified};
use crate::config::Config;

/// Slices of events and sums: at the default interval, everything is compared once a day.
const SLICES: usize = 24;
/// Findings that are logged of one audit at most.
const LOGGED_MAX: usize = 20;

/// What the schedule tells.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    last_success: IntGauge,
    findings: IntGauge,
    unattributed: IntGauge,
    runs: IntCounterVec,
}

impl Metrics {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A metric of the same name is registered already.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            last_success: IntGauge::new(
                "meterhouse_verify_last_success_timestamp_seconds",
                "When an audit last ended with no difference known in any slice, in seconds since 1970; 0: not yet.",
            )?,
            findings: IntGauge::new(
                "meterhouse_verify_findings",
                "Differences that the last audit of the ledger and those of all slices found.",
            )?,
            unattributed: IntGauge::new(
                "meterhouse_unattributed_subscriptions",
                "Subscriptions with usage on days on which nobody owns them.",
            )?,
            runs: IntCounterVec::new(
                Opts::new("meterhouse_verify_runs_total", "Audits by outcome: clean, findings, failed."),
                &["outcome"],
            )?,
        };
        registry.register(Box::new(metrics.last_success.clone()))?;
        registry.register(Box::new(metrics.findings.clone()))?;
        registry.register(Box::new(metrics.unattributed.clone()))?;
        registry.register(Box::new(metrics.runs.clone()))?;
        for outcome in ["clean", "findings", "failed"] {
            metrics.runs.with_label_values(&[outcome]).inc_by(0);
        }
        Ok(metrics)
    }
}

/// The audits of one process.
pub(crate) struct Schedule {
    store: Store,
    config: Arc<Config>,
    owners: Owners,
    metrics: Metrics,
    verified: Verified,
    found: Found,
}

/// How many differences there are, as far as the newest audit of each part knows.
#[derive(Debug, Default)]
struct Found {
    /// In the ledger, which every audit looks at.
    in_ledger: usize,
    /// In each slice.
    in_slices: [usize; SLICES],
}

impl Found {
    /// Takes in what an audit of a slice has found, and returns how many there are.
    fn note(&mut self, findings: &[Finding], slice: usize) -> usize {
        let in_slice = findings.iter().filter(|finding| finding.check.is_sliced()).count();
        self.in_slices[slice] = in_slice;
        self.in_ledger = findings.len() - in_slice;
        self.in_ledger + self.in_slices.iter().sum::<usize>()
    }
}

impl Schedule {
    pub(crate) fn new(store: Store, config: Arc<Config>, owners: Owners, metrics: Metrics) -> Self {
        let (verified, found) = (Verified::default(), Found::default());
        Self { store, config, owners, metrics, verified, found }
    }

    /// Audits until the shutdown.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut number = 0;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(self.config.verify.interval) => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.audit(number) => {}
            }
            number = (number + 1) % SLICES;
        }
    }

    async fn audit(&mut self, number: usize) {
        let slice = Slice { number: number as u64, of: SLICES as u64 };
        let audit = Audit {
            store: &self.store,
            topic: &self.config.kafka.topic,
            margin: self.config.rollup.margin,
            owners: &self.owners,
            slice,
            kafka: None,
        };
        let outcome = audit.run(&mut self.verified).await;
        match outcome {
            Ok(report) => self.note(&report, number),
            Err(error) => {
                tracing::warn!(%error, "cannot verify, trying again later");
                self.metrics.runs.with_label_values(&["failed"]).inc();
            }
        }
    }

    fn note(&mut self, report: &Report, slice: usize) {
        for finding in report.findings.iter().take(LOGGED_MAX) {
            let (check, subject, detail) = (finding.check, &finding.subject, &finding.detail);
            tracing::error!(?check, subject, detail, "verify has found a difference");
        }
        let found = self.found.note(&report.findings, slice);
        self.metrics.findings.set(i64::try_from(found).unwrap_or(i64::MAX));
        let unattributed = report.unattributed.len();
        self.metrics.unattributed.set(i64::try_from(unattributed).unwrap_or(i64::MAX));
        let outcome = if report.findings.is_empty() { "clean" } else { "findings" };
        self.metrics.runs.with_label_values(&[outcome]).inc();
        if found == 0 {
            self.metrics.last_success.set(now_seconds());
        }
        tracing::info!(slice, of = SLICES, findings = report.findings.len(), "verified");
    }
}

fn now_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::report::Check;
    use super::*;

    #[test]
    fn a_difference_counts_once_and_until_its_own_part_is_clean() {
        let finding = |check| Finding::new(check, "", "");
        let mut found = Found::default();
        assert_eq!(found.note(&[finding(Check::Conservation), finding(Check::Events)], 0), 2);
        // The ledger is looked at again each time, the slice only when it is its turn.
        assert_eq!(found.note(&[finding(Check::Conservation)], 1), 2);
        assert_eq!(found.note(&[], 2), 1);
        assert_eq!(found.note(&[], 0), 0);
    }
}
