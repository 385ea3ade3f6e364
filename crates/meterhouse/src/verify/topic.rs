//! `--from-kafka`: the topic itself, judged again, against the evidence of what is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meterhouse_ingest::{KafkaConfig, Recount, Span, recount};
use meterhouse_model::Rules;
use meterhouse_store::{EvidenceSum, LedgerEpoch, Store};
use serde::Serialize;
use tokio::time::sleep;

use super::accounts::{Accounts, PartitionAccount};
use super::report::{Check, Finding};
use super::{AuditError, SECOND_LOOK, keep_staying};

/// Positions that are read at once where each event has to be known again.
const SHARED_POSITIONS: i64 = 1 << 22;

/// Where to read, and the rules to judge by.
pub(crate) struct TopicCheck {
    pub(crate) kafka: KafkaConfig,
    pub(crate) rules: Arc<Rules>,
}

/// What was read of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TopicAccount {
    pub(crate) partition: i32,
    /// The ledger's beginning, or the log's where retention has taken more.
    pub(crate) from_position: i64,
    pub(crate) next_position: i64,
    pub(crate) usable: u64,
    pub(crate) rejected: u64,
    /// In quarantine, and usable by the rules of today.
    pub(crate) replayable: u64,
}

/// Positions of a partition that are read at once.
#[derive(Debug, Clone, Copy)]
struct Section {
    partition: i32,
    positions: (i64, i64),
    /// They may hold records of another log, too.
    is_shared: bool,
}

/// What the topic holds of a section, and the tables.
struct SectionLook {
    recount: Recount,
    stored: BTreeMap<i64, EvidenceSum>,
    /// Blocks in which they are not the same.
    differing: Vec<i64>,
}

impl TopicCheck {
    /// Reads the newest epoch of every partition up to the ledger's line.
    ///
    /// # Errors
    /// A server has no complete answer.
    pub(crate) async fn run(
        &self,
        store: &Store,
        accounts: &Accounts,
    ) -> Result<(Vec<TopicAccount>, Vec<Finding>), AuditError> {
        let (mut read, mut findings) = (Vec::new(), Vec::new());
        for epochs in accounts.epochs.chunk_by(|one, next| one.partition == next.partition) {
            let Some((newest, older)) = epochs.split_last() else { continue };
            let is_newest = |account: &&PartitionAccount| {
                (account.partition, account.epoch) == (newest.partition, newest.epoch)
            };
            let Some(account) = accounts.partitions.iter().find(is_newest) else { continue };
            read.push(self.read(store, account, older, &mut findings).await?);
        }
        Ok((read, findings))
    }

    async fn read(
        &self,
        store: &Store,
        account: &PartitionAccount,
        older: &[LedgerEpoch],
        findings: &mut Vec<Finding>,
    ) -> Result<TopicAccount, AuditError> {
        let (partition, next_position) = (account.partition, account.next_position);
        let mut read = TopicAccount {
            partition,
            from_position: next_position,
            next_position,
            usable: 0,
            rejected: 0,
            replayable: 0,
        };
        for (positions, is_shared) in spans(account, older) {
            let look = self.look_twice(store, Section { partition, positions, is_shared }).await?;
            findings.extend(look.differing.iter().map(|block| self.finding(&look, *block)));
            let recount = look.recount;
            read.from_position = read.from_position.min(recount.from_position);
            read.usable += recount.usable;
            read.rejected += recount.rejected;
            read.replayable += recount.replayable;
        }
        Ok(read)
    }

    /// A replay may store a record after it was asked what is in quarantine: what differs is looked at again.
    async fn look_twice(&self, store: &Store, section: Section) -> Result<SectionLook, AuditError> {
        let first = self.look(store, section).await?;
        if first.differing.is_empty() {
            return Ok(first);
        }
        let SectionLook { differing, recount, .. } = first;
        // The second look needs as much memory for its events.
        drop(recount);
        sleep(SECOND_LOOK).await;
        let mut second = self.look(store, section).await?;
        keep_staying(&differing, &mut second.differing, |block| *block);
        Ok(second)
    }

    async fn look(&self, store: &Store, section: Section) -> Result<SectionLook, AuditError> {
        let Section { partition, is_shared, .. } = section;
        let recount = self.recount(store, section).await?;
        let range = (recount.from_position, recount.next_position);
        let topic = &self.kafka.topic;
        let stored = if is_shared {
            store.evidence_blocks_of(topic, partition, range, &recount.events).await?
        } else {
            store.evidence_blocks(topic, partition, range).await?
        };
        let blocks: BTreeSet<&i64> = recount.blocks.keys().chain(stored.keys()).collect();
        let differing = blocks.into_iter().filter(|block| recount.blocks.get(block) != stored.get(block));
        Ok(SectionLook { differing: differing.copied().collect(), recount, stored })
    }

    async fn recount(&self, store: &Store, section: Section) -> Result<Recount, AuditError> {
        let Section { partition, positions, is_shared: keeps_events } = section;
        let quarantined = store.quarantined_records(&self.kafka.topic, partition, positions).await?;
        let span = Span { partition, positions, quarantined, keeps_events };
        let (kafka, rules) = (self.kafka.clone(), Arc::clone(&self.rules));
        match tokio::task::spawn_blocking(move || recount(&kafka, &rules, &span)).await {
            Ok(recount) => recount.map_err(|error| AuditError::Kafka(error.to_string())),
            Err(error) => Err(AuditError::Kafka(error.to_string())),
        }
    }

    fn finding(&self, SectionLook { recount, stored, .. }: &SectionLook, block: i64) -> Finding {
        let events = |sums: &BTreeMap<i64, EvidenceSum>| sums.get(&block).map_or(0, EvidenceSum::events);
        let (from, next) = EvidenceSum::positions(block);
        let (from, next) = (from.max(recount.from_position), next.min(recount.next_position));
        let subject = format!("{}/{} {from}..{next}", self.kafka.topic, recount.partition);
        let detail = format!(
            "the topic holds {} events, {} are stored, and they are not the same",
            events(&recount.blocks),
            events(stored)
        );
        Finding::new(Check::Kafka, subject, detail)
    }
}

/// The positions of an account in spans, and whether a span may hold records of another log, too. There, what the tables hold
/// beyond the topic says nothing: only that every event of the topic is stored.
fn spans(account: &PartitionAccount, older: &[LedgerEpoch]) -> Vec<((i64, i64), bool)> {
    let (mut from, next) = (account.from_position, account.next_position);
    let shared = older.iter().map(LedgerEpoch::last_traces).max().unwrap_or(from).min(next);
    let mut spans = Vec::new();
    while from < shared {
        let end = from.saturating_add(SHARED_POSITIONS).min(shared);
        spans.push(((from, end), true));
        from = end;
    }
    if from < next || spans.is_empty() {
        spans.push(((from, next), false));
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_that_an_older_epoch_may_have_read_are_apart_and_cut() {
        let account = PartitionAccount {
            partition: 0,
            epoch: 1,
            from_position: 5,
            next_position: 100_000_000,
            ranges: 1,
            stored: 0,
            rejected: 0,
            holes: 0,
            both: 0,
        };
        assert_eq!(spans(&account, &[]), [((5, 100_000_000), false)]);
        let older = LedgerEpoch { partition: 0, epoch: 0, beginning: 0, reach: SHARED_POSITIONS };
        let spans = spans(&account, &[older]);
        let (last, shared) = spans.split_last().unwrap();
        assert!(shared.iter().all(|((from, next), is_shared)| next - from <= SHARED_POSITIONS && *is_shared));
        assert!(shared.windows(2).all(|pair| pair[0].0.1 == pair[1].0.0) && shared[0].0.0 == 5);
        assert_eq!(*last, ((older.last_traces(), 100_000_000), false));
    }
}
