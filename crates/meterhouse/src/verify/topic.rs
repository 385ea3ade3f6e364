//! `--from-kafka`: the topic itself, judged again, against the evidence of what is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meterhouse_ingest::{KafkaConfig, Recount, recount};
use meterhouse_model::Rules;
use meterhouse_store::{EvidenceSum, Store};
use serde::Serialize;

use super::AuditError;
use super::accounts::PartitionAccount;
use super::report::{Check, Finding};

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

impl TopicCheck {
    /// Reads every partition up to the ledger's line.
    ///
    /// # Errors
    /// A server has no complete answer.
    pub(crate) async fn run(
        &self,
        store: &Store,
        partitions: &[PartitionAccount],
    ) -> Result<(Vec<TopicAccount>, Vec<Finding>), AuditError> {
        let (mut accounts, mut findings) = (Vec::new(), Vec::new());
        for account in partitions {
            let recount = self.recount(store, account).await?;
            let range = (recount.from_position, recount.next_position);
            let stored = store.evidence_blocks(&self.kafka.topic, account.partition, range).await?;
            findings.extend(self.findings(&recount, &stored));
            let Recount { partition, from_position, next_position, usable, rejected, replayable, .. } =
                recount;
            accounts.push(TopicAccount {
                partition,
                from_position,
                next_position,
                usable,
                rejected,
                replayable,
            });
        }
        Ok((accounts, findings))
    }

    async fn recount(&self, store: &Store, account: &PartitionAccount) -> Result<Recount, AuditError> {
        let (partition, range) = (account.partition, (account.from_position, account.next_position));
        let quarantined = store.quarantined_positions(&self.kafka.topic, partition, range).await?;
        let (kafka, rules) = (self.kafka.clone(), Arc::clone(&self.rules));
        let reading =
            tokio::task::spawn_blocking(move || recount(&kafka, &rules, partition, range, &quarantined))
                .await;
        match reading {
            Ok(recount) => recount.map_err(|error| AuditError::Kafka(error.to_string())),
            Err(error) => Err(AuditError::Kafka(error.to_string())),
        }
    }

    fn findings(&self, recount: &Recount, stored: &BTreeMap<i64, EvidenceSum>) -> Vec<Finding> {
        let blocks: BTreeSet<&i64> = recount.blocks.keys().chain(stored.keys()).collect();
        let differing = blocks.into_iter().filter(|block| recount.blocks.get(block) != stored.get(block));
        let finding = |block: &i64| {
            let events = |sums: &BTreeMap<i64, EvidenceSum>| sums.get(block).map_or(0, EvidenceSum::events);
            let (from, next) = EvidenceSum::positions(*block);
            let (from, next) = (from.max(recount.from_position), next.min(recount.next_position));
            let subject = format!("{}/{} {from}..{next}", self.kafka.topic, recount.partition);
            let detail = format!(
                "the topic holds {} events, {} are stored, and they are not the same",
                events(&recount.blocks),
                events(stored)
            );
            Finding::new(Check::Kafka, subject, detail)
        };
        differing.map(finding).collect()
    }
}
