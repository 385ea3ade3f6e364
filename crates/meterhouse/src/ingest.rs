//! Ingest, as a part of a long-running process.

use std::sync::Arc;

use anyhow::anyhow;
use meterhouse_api::Health;
use meterhouse_ingest::{Error, Metrics, Reporter};
use meterhouse_model::Rules;
use meterhouse_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::failure::{ExitKind, Failure};
use crate::schema;

/// Reads Kafka into ClickHouse, once the tables are there. `migrates`: it may make them.
///
/// # Errors
/// The schema is refused, or the pipeline cannot go on.
pub(crate) async fn work(
    config: Arc<Config>,
    store: Store,
    health: Health,
    migrates: bool,
    rules: watch::Receiver<Arc<Rules>>,
    metrics: Metrics,
    shutdown: CancellationToken,
) -> Result<(), Failure> {
    if !schema::wait_until_ready(&store, &config, migrates, &health, &shutdown).await? {
        return Ok(());
    }
    let report: Reporter = Arc::new(move |check, result| health.set(check, result));
    let kafka = config.kafka.client_config(&config.ingest);
    let limits = config.ingest.limits();
    meterhouse_ingest::ingest(&kafka, limits, rules, store, metrics, report, shutdown).await.map_err(failure)
}

fn failure(error: Error) -> Failure {
    let kind = match &error {
        Error::Compacted { .. } => ExitKind::Refused,
        _ => ExitKind::Finding,
    };
    Failure::new(kind, anyhow!("ingest has ended: {error}"))
}
