//! `meterhouse verify`: an audit of everything that is billed.
//!
//! Each check compares two things that were written apart from each other, and tells what stays different when it looks
//! twice: what is being written meanwhile may look like a difference for a moment.

mod accounts;
mod command;
mod report;
mod schedule;
mod topic;
mod unattributed;

use std::collections::BTreeSet;
use std::time::Duration;

use meterhouse_store::{
    DailyDifference, Error, EventDifference, LedgerEnds, MissingReplay, Slice, Store, UnlistedCustomer,
    UnquarantinedConflict,
};
use tokio::time::sleep;

pub(crate) use accounts::Verified;
pub(crate) use command::{VerifyArgs, run};
use report::{Check, Finding, Report};
pub(crate) use schedule::{Metrics, Schedule};
use topic::TopicCheck;
pub(crate) use unattributed::Owners;

/// Time between the two looks.
const SECOND_LOOK: Duration = Duration::from_secs(5);

/// What is audited.
pub(crate) struct Audit<'a> {
    pub(crate) store: &'a Store,
    pub(crate) topic: &'a str,
    /// The readers' margin.
    pub(crate) margin: Duration,
    pub(crate) owners: &'a Owners,
    /// The part of the events and sums that is compared.
    pub(crate) slice: Slice,
    /// Where the topic itself is to be read, too.
    pub(crate) kafka: Option<&'a TopicCheck>,
}

impl Audit<'_> {
    /// Looks at everything: of the ledger what is not verified yet, of events and sums the slice.
    ///
    /// # Errors
    /// A server has no complete answer: nothing is known.
    pub(crate) async fn run(&self, verified: &mut Verified) -> Result<Report, AuditError> {
        let accounts = accounts::check(self.store, self.topic, verified).await?;
        let mut findings = accounts.findings.clone();
        findings.extend(self.compared(&accounts.ends).await?);
        let mut kafka = None;
        if let Some(check) = self.kafka {
            let (recounts, of_topic) = check.run(self.store, &accounts).await?;
            findings.extend(of_topic);
            kafka = Some(recounts);
        }
        Ok(Report {
            topic: self.topic.to_owned(),
            partitions: accounts.partitions,
            copies: if self.slice == Slice::WHOLE { Some(self.store.copies().await?) } else { None },
            findings,
            unattributed: self.owners.missing(self.store).await?,
            kafka,
        })
    }

    /// What is found in the slice.
    async fn compared(&self, ends: &LedgerEnds) -> Result<Vec<Finding>, Error> {
        let events = || self.store.event_differences(ends, self.slice);
        let events = staying(events, |difference| difference.identity_hash.clone()).await?;
        let conflicts = staying(|| self.store.unquarantined_conflicts(self.slice), Clone::clone).await?;
        let replays = staying(|| self.store.missing_replays(self.slice), Clone::clone).await?;
        let sums = staying(|| self.store.daily_differences(self.margin, self.slice), Clone::clone).await?;
        let unlisted = staying(|| self.store.unlisted_customers(self.slice), Clone::clone).await?;
        let events = events.iter().map(event_finding);
        let conflicts = conflicts.iter().map(conflict_finding);
        let replays = replays.iter().map(replay_finding);
        let sums = sums.iter().map(sum_finding);
        let unlisted = unlisted.iter().map(unlisted_finding);
        Ok(events.chain(conflicts).chain(replays).chain(sums).chain(unlisted).collect())
    }
}

/// What a question finds twice, by its key: what is being written may look like a difference for a moment.
async fn staying<T, K: Ord, F>(ask: impl Fn() -> F, key: impl Fn(&T) -> K) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<Vec<T>, Error>>,
{
    let first = ask().await?;
    if first.is_empty() {
        return Ok(first);
    }
    sleep(SECOND_LOOK).await;
    let mut second = ask().await?;
    keep_staying(&first, &mut second, key);
    Ok(second)
}

/// Keeps of what a second look finds what the first one has found, too, by its key.
fn keep_staying<T, K: Ord>(first: &[T], second: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let first: BTreeSet<K> = first.iter().map(&key).collect();
    second.retain(|found| first.contains(&key(found)));
}

fn conflict_finding(conflict: &UnquarantinedConflict) -> Finding {
    let UnquarantinedConflict { topic, partition, offset, index } = conflict;
    let subject = format!("{topic}/{partition}/{offset}/{index}");
    Finding::new(Check::Conflicts, subject, "its identity has other content, and it is not in quarantine")
}

fn replay_finding(replay: &MissingReplay) -> Finding {
    let MissingReplay { topic, partition, offset, index } = replay;
    let subject = format!("{topic}/{partition}/{offset}/{index}");
    Finding::new(
        Check::Replays,
        subject,
        "a replay is said to have stored it, and there is no evidence of it",
    )
}

fn sum_finding(difference: &DailyDifference) -> Finding {
    let (customer, subscription) = (&difference.customer, &difference.subscription);
    let subject = format!("{customer:?} {subscription:?} {} {:?}", difference.date, difference.option_code);
    let detail = format!(
        "the daily sum for {} is {} in {} records, that of the events is {} in {}",
        difference.billing_day,
        difference.daily_total,
        difference.daily_records,
        difference.events_total,
        difference.events_records
    );
    Finding::new(Check::Rollup, subject, detail)
}

fn unlisted_finding(unlisted: &UnlistedCustomer) -> Finding {
    let UnlistedCustomer { subscription, customer } = unlisted;
    let subject = format!("{subscription:?} {customer:?}");
    Finding::new(
        Check::Subscriptions,
        subject,
        "a list of the subscription's usages leaves out those of this customer",
    )
}

fn event_finding(difference: &EventDifference) -> Finding {
    let EventDifference { partition, offset, event_partition, event_offset, .. } = difference;
    let (subject, detail) = match (difference.has_evidence, difference.has_event) {
        (true, false) => (
            format!("hash {}", difference.identity_hash),
            format!("the copy that was read at {partition}/{offset} should count, but no row of it does"),
        ),
        (false, true) => (
            format!("{:?} {:?}", difference.subscription, difference.identity),
            format!(
                "the row that was read at {event_partition}/{event_offset} counts without evidence, or is deleted"
            ),
        ),
        _ => (
            format!("{:?} {:?}", difference.subscription, difference.identity),
            format!(
                "the row that was read at {event_partition}/{event_offset} counts, but by the evidence it is the copy at \
                 {partition}/{offset}, or its content is another one than when it was read"
            ),
        ),
    };
    Finding::new(Check::Events, subject, detail)
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    /// ClickHouse has no complete answer.
    #[error("clickhouse: {0}")]
    Store(#[from] Error),
    /// Kafka has none.
    #[error("kafka: {0}")]
    Kafka(String),
}
