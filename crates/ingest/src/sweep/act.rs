//! What is done about copies that differ: sums first, then quarantine, and a note that all of it is done last.

use std::collections::HashMap;
use std::time::Duration;

use meterhouse_model::IdentityHash;
use meterhouse_store::{Error, Settlement, Store, Unsettled, Verdict, crash, seal_tombstones};

use super::metrics::SweepMetrics;
use super::quarantine::Quarantine;
use crate::KafkaConfig;

pub(super) struct Actor {
    store: Store,
    metrics: SweepMetrics,
    quarantine: Quarantine,
}

impl Actor {
    pub(super) fn new(kafka: &KafkaConfig, store: Store, metrics: SweepMetrics) -> Self {
        let quarantine = Quarantine::new(kafka, store.clone(), metrics.pipeline.clone());
        Self { store, metrics, quarantine }
    }

    /// Sees to identities. Returns how many of them have to be looked at again.
    pub(super) async fn see_to(&mut self, found: &[Unsettled]) -> Result<u64, Error> {
        self.quarantine.begin();
        if found.is_empty() {
            return Ok(0);
        }
        let hashes: Vec<u64> = found.iter().map(|found| found.identity_hash).collect();
        let cases = self.store.cases(&hashes).await?;
        let verdicts = cases.iter().filter_map(|case| Some((case.hash, case.judge()?)));
        let verdicts: HashMap<IdentityHash, Verdict<'_>> = verdicts.collect();
        crash::point("copies_judged");
        self.write_tombstones(&verdicts).await?;
        let waiting = self.quarantine.see_to(&verdicts).await?;
        // What was found before all of this was read: copies that came meanwhile make another state.
        let settled = found.iter().map(Unsettled::settlement).filter(|settlement| {
            let hash = &settlement.identity_hash;
            verdicts.contains_key(hash) && !waiting.contains(hash)
        });
        let settled: Vec<Settlement> = settled.collect();
        crash::point("conflicts_quarantined");
        self.store.settle(&settled).await?;
        crash::point("copies_settled");
        Ok((found.len() - settled.len()) as u64)
    }

    async fn write_tombstones(&self, verdicts: &HashMap<IdentityHash, Verdict<'_>>) -> Result<(), Error> {
        let tombstones: Vec<_> = verdicts.values().flat_map(|verdict| &verdict.tombstones).collect();
        if let Some(sealed) = seal_tombstones(tombstones.iter().copied()) {
            self.store.write(&sealed).await?;
            crash::point("tombstones_written");
            self.metrics.tombstones.inc_by(tombstones.len() as u64);
            tracing::info!(rows = tombstones.len(), "took events away from keys where another copy counts");
        }
        Ok(())
    }

    /// Time that was spent with Kafka since the last call.
    pub(super) fn take_reading(&mut self) -> Duration {
        self.quarantine.take_reading()
    }

    /// Why some of the identities that were seen to last have to be looked at again, where Kafka is the reason.
    pub(super) fn obstacle(&self) -> Option<String> {
        self.quarantine.obstacle()
    }
}
