//! What is done about copies that differ: sums first, then quarantine, and a note that all of it is done last.

use std::collections::HashSet;
use std::time::Duration;

use meterhouse_model::IdentityHash;
use meterhouse_store::{Case, Error, Settlement, Store, Unsettled, Verdict, crash, seal_tombstones};

use super::quarantine::Quarantine;
use crate::{KafkaConfig, Metrics};

/// Copies that are looked at together, unless one identity has more.
const COPIES_MAX: u64 = 20_000;

pub(super) struct Actor {
    store: Store,
    metrics: Metrics,
    quarantine: Quarantine,
}

impl Actor {
    pub(super) fn new(kafka: &KafkaConfig, store: Store, metrics: Metrics) -> Self {
        let quarantine = Quarantine::new(kafka, store.clone(), metrics.clone());
        Self { store, metrics, quarantine }
    }

    /// Sees to identities. Returns how many of them have to be looked at again.
    pub(super) async fn see_to(&mut self, mut found: &[Unsettled]) -> Result<u64, Error> {
        let mut waiting = 0;
        while !found.is_empty() {
            let (part, rest) = found.split_at(fitting(found));
            waiting += self.see_to_part(part).await?;
            found = rest;
        }
        Ok(waiting)
    }

    /// Time that was spent with Kafka since the last call.
    pub(super) fn take_reading(&mut self) -> Duration {
        self.quarantine.take_reading()
    }

    /// Why conflicts are not in quarantine yet, where they are not.
    pub(super) fn readiness(&self) -> Result<(), String> {
        self.quarantine.readiness()
    }

    async fn see_to_part(&mut self, found: &[Unsettled]) -> Result<u64, Error> {
        let hashes: Vec<u64> = found.iter().map(|found| found.identity_hash).collect();
        let cases = self.store.cases(&hashes).await?;
        let verdicts: Vec<Verdict> = cases.iter().map(Case::judge).collect();
        let tombstones: Vec<_> = verdicts.iter().flat_map(|verdict| &verdict.tombstones).collect();
        if let Some(sealed) = seal_tombstones(tombstones.iter().copied()) {
            crash::point("copies_judged");
            self.store.write(&sealed).await?;
            crash::point("tombstones_written");
            self.metrics.sweep.tombstones.inc_by(tombstones.len() as u64);
            tracing::info!(rows = tombstones.len(), "took events away from keys where another copy counts");
        }
        let waiting: HashSet<IdentityHash> = self.quarantine.see_to(&hashes, &verdicts).await?;
        let settled = verdicts.iter().filter_map(|verdict| verdict.settlement);
        let settled: Vec<Settlement> =
            settled.filter(|settlement| !waiting.contains(&settlement.identity_hash)).collect();
        crash::point("conflicts_quarantined");
        self.store.settle(&settled).await?;
        crash::point("copies_settled");
        Ok((found.len() - settled.len()) as u64)
    }
}

/// How many of the identities are looked at together.
fn fitting(found: &[Unsettled]) -> usize {
    let mut copies = 0;
    let fitting = found.iter().take_while(|found| {
        copies += found.copies;
        copies <= COPIES_MAX
    });
    fitting.count().max(1)
}
