//! The rollup's worker: recomputes the sums of dates that have got rows, once they have been left alone for a margin.
//!
//! Any number of workers may run at once, and each may be killed at any moment: what they leave behind is either complete
//! or void (see `meterhouse_store`). A date that no worker has come to yet is read from the events, so a worker that
//! lags, stops or fails costs time, never exactness.

mod backlog;
mod looks;
mod metrics;
mod rebuild;
mod scanner;
mod steady;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use meterhouse_store::Store;
use tokio_util::sync::CancellationToken;

pub use metrics::RollupMetrics;
pub use rebuild::{Progress, RebuildError, rebuild};
use worker::Worker;

/// Pause after the first of several failures in a row; each doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How the worker works.
#[derive(Debug, Clone, Copy)]
pub struct RollupConfig {
    /// A date is scanned so long after its newest mark. More than twice an insert's time limit.
    pub margin: Duration,
    /// Pause between two looks for dates.
    pub interval: Duration,
    /// Time between two looks through everything.
    pub full_look_interval: Duration,
}

/// Told whether the worker gets on, and if not, why.
pub type Report = Arc<dyn Fn(Result<(), String>) + Send + Sync>;

/// Works until the shutdown. Nothing ends it before: after an error it tries again.
pub async fn run(
    store: Store,
    config: RollupConfig,
    metrics: RollupMetrics,
    report: Report,
    shutdown: CancellationToken,
) {
    let mut worker = Worker::new(store, config, metrics.clone());
    let mut failures = 0;
    loop {
        let turn = tokio::select! {
            // Dropped in its middle, a scan is void or complete.
            () = shutdown.cancelled() => return,
            turn = worker.turn() => turn,
        };
        let pause = match turn {
            Ok(more_at) => {
                failures = 0;
                report(Ok(()));
                let pause = |at: Instant| at.saturating_duration_since(Instant::now());
                more_at.map_or(config.interval, pause).min(config.interval)
            }
            Err(error) => {
                failures += 1;
                metrics.failed(&error);
                tracing::warn!(%error, failures, "the rollup does not get on, trying again");
                report(Err(error.to_string()));
                pause_after(failures)
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// The pause after so many failures in a row, 1 at least.
fn pause_after(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        assert_eq!([1, 2, 3].map(|failures| pause_after(failures).as_millis()), [500, 1000, 2000]);
        assert_eq!(pause_after(u32::MAX), LONGEST_PAUSE);
    }
}
