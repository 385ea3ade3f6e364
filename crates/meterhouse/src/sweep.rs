//! The sweep, as a part of a long-running process.

use std::sync::Arc;

use meterhouse_api::Health;
use meterhouse_ingest::{Reporter, SweepMetrics};
use meterhouse_store::Store;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::failure::Failure;
use crate::schema;

/// Looks for copies of events that differ, once the tables are there.
///
/// # Errors
/// The schema is refused.
pub(crate) async fn work(
    config: Arc<Config>,
    store: Store,
    health: Health,
    metrics: SweepMetrics,
    shutdown: CancellationToken,
) -> Result<(), Failure> {
    let migrates = false;
    if schema::wait_until_ready(&store, &config, migrates, &health, &shutdown).await? {
        let report: Reporter = Arc::new(move |check, result| health.set(check, result));
        let kafka = config.kafka.client_config(&config.ingest);
        meterhouse_ingest::sweep(config.sweep.pace(), &kafka, store, metrics, report, shutdown).await;
    }
    Ok(())
}
