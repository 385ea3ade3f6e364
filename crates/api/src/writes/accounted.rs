//! Waiting until the ledger has passed a record.

use std::collections::HashMap;
use std::time::Duration;

use meterhouse_ingest::Written;
use meterhouse_query::Usages;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Pause between two questions. A batch takes about a second from its first record to the ledger.
const PAUSE: Duration = Duration::from_millis(40);

/// How far partitions are accounted for. All who wait ask one after the other, and one answer serves them all: a ledger is
/// asked as often for a hundred writes as for one.
#[derive(Debug, Default)]
pub(super) struct Accounted {
    known: Mutex<HashMap<i32, Known>>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    asked: Instant,
    position: i64,
}

impl Accounted {
    /// Waits until a record is accounted for, and no longer than the limit. An answer that fails is asked for again.
    pub(super) async fn wait(&self, usages: &Usages, topic: &str, written: Written, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            match tokio::time::timeout_at(deadline, self.position(usages, topic, written)).await {
                Ok(Some(position)) if position > written.offset => return true,
                Ok(_) if Instant::now() + PAUSE < deadline => tokio::time::sleep(PAUSE).await,
                _ => return false,
            }
        }
    }

    async fn position(&self, usages: &Usages, topic: &str, written: Written) -> Option<i64> {
        let wanted = Instant::now();
        let mut known = self.known.lock().await;
        // An older answer may be about the log that the topic had before it was made anew.
        if let Some(last) = known.get(&written.partition).filter(|last| last.asked >= wanted) {
            return Some(last.position);
        }
        let asked = Instant::now();
        match usages.accounted_to(topic, written.partition).await {
            Ok(position) => {
                known.insert(written.partition, Known { asked, position });
                Some(position)
            }
            Err(error) => {
                tracing::debug!(%error, "cannot read the ledger");
                None
            }
        }
    }
}
