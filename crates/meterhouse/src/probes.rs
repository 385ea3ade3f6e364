//! Readiness: asks both servers again and again whether they answer.

use std::sync::Arc;
use std::time::Duration;

use meterhouse_api::Health;
use meterhouse_ingest::KafkaProbe;
use meterhouse_store::Store;
use tokio_util::sync::CancellationToken;

/// Names of the readiness checks.
pub(crate) const KAFKA: &str = "kafka";
pub(crate) const CLICKHOUSE: &str = "clickhouse";

const INTERVAL: Duration = Duration::from_secs(1);
/// A server that takes longer for nothing at all is not ready.
const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// Probes ClickHouse until the shutdown.
pub(crate) async fn clickhouse(store: Store, health: Health, shutdown: CancellationToken) {
    let mut check = Check::new(CLICKHOUSE, health);
    while !shutdown.is_cancelled() {
        check.set(match tokio::time::timeout(PING_TIMEOUT, store.ping()).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {PING_TIMEOUT:?}")),
        });
        pause(&shutdown).await;
    }
}

/// Probes Kafka until the shutdown.
pub(crate) async fn kafka(probe: KafkaProbe, health: Health, shutdown: CancellationToken) {
    let mut check = Check::new(KAFKA, health);
    let probe = Arc::new(probe);
    while !shutdown.is_cancelled() {
        let asked = Arc::clone(&probe);
        let answer = tokio::task::spawn_blocking(move || asked.check()).await;
        check.set(answer.unwrap_or_else(|error| Err(error.to_string())));
        pause(&shutdown).await;
    }
    // Without a broker that takes a while, and nobody waits for it.
    tokio::task::spawn_blocking(move || drop(probe));
}

async fn pause(shutdown: &CancellationToken) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = tokio::time::sleep(INTERVAL) => {}
    }
}

/// One check, logged when its result changes.
struct Check {
    name: &'static str,
    health: Health,
    last: Option<Result<(), String>>,
}

impl Check {
    fn new(name: &'static str, health: Health) -> Self {
        Self { name, health, last: None }
    }

    fn set(&mut self, result: Result<(), String>) {
        if self.last.as_ref() != Some(&result) {
            match &result {
                Ok(()) => tracing::info!(server = self.name, "server is ready"),
                Err(reason) => tracing::warn!(server = self.name, reason, "server is not ready"),
            }
            self.last = Some(result.clone());
        }
        self.health.set(self.name, result);
    }
}
