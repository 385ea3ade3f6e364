//! What an audit found, for a person or a program.

use std::fmt;

use meterhouse_store::Copies;
use serde::Serialize;

use super::accounts::PartitionAccount;
use super::topic::TopicAccount;

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Check {
    /// The ledger's ranges touch each other.
    Ledger,
    /// Every position is exactly one of stored, rejected, hole.
    Conservation,
    /// Each identity has the one row that its evidence says.
    Events,
    /// Every copy with other content is in quarantine.
    Conflicts,
    /// What a replay has stored is there.
    Replays,
    /// Daily sums are those of the events.
    Rollup,
    /// All rows of a subscription are found under the customers that are on record for it.
    Subscriptions,
    /// The topic says the same as the tables.
    Kafka,
}

impl Check {
    /// Whether it looks at a slice, not at what is new in the ledger.
    pub(crate) fn is_sliced(self) -> bool {
        !matches!(self, Self::Ledger | Self::Conservation)
    }
}

/// A difference: something is wrong with what is billed, or with the account of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    /// What it is about.
    pub(crate) subject: String,
    /// What is wrong with it.
    pub(crate) detail: String,
}

impl Finding {
    pub(crate) fn new(check: Check, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { check, subject: subject.into(), detail: detail.into() }
    }
}

/// Usage that nobody owns yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Unattributed {
    pub(crate) subscription: String,
    /// UTC dates of its first and last usage without an owner.
    pub(crate) first: String,
    pub(crate) last: String,
}

/// The outcome of an audit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) topic: String,
    pub(crate) partitions: Vec<PartitionAccount>,
    /// Creations by what they are, where all of them were looked at.
    pub(crate) copies: Option<Copies>,
    pub(crate) findings: Vec<Finding>,
    /// No difference: whoever adds them to the registry is billed for them.
    pub(crate) unattributed: Vec<Unattributed>,
    /// What was read from the topic itself, where that was asked for.
    pub(crate) kafka: Option<Vec<TopicAccount>>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "topic {}", self.topic)?;
        writeln!(
            f,
            "{:>9} {:>5} {:>24} {:>12} {:>10} {:>8} {:>6}",
            "partition", "epoch", "positions", "stored", "rejected", "holes", "both"
        )?;
        for account in &self.partitions {
            let positions = format!("{}..{}", account.from_position, account.next_position);
            let PartitionAccount { partition, epoch, stored, rejected, holes, both, .. } = account;
            writeln!(
                f,
                "{partition:>9} {epoch:>5} {positions:>24} {stored:>12} {rejected:>10} {holes:>8} {both:>6}"
            )?;
        }
        if let Some(Copies { creations, identities, duplicates, conflicts }) = self.copies {
            writeln!(
                f,
                "creations: {creations} = {identities} identities + {duplicates} equal copies + {conflicts} conflicts"
            )?;
        }
        for account in self.kafka.iter().flatten() {
            let TopicAccount { partition, from_position, next_position, usable, rejected, replayable } =
                account;
            writeln!(
                f,
                "kafka: partition {partition} {from_position}..{next_position}: {usable} records usable, {rejected} not, \
                 {replayable} in quarantine that a replay would store"
            )?;
        }
        if !self.unattributed.is_empty() {
            writeln!(f, "usage of {} subscriptions that nobody owns:", self.unattributed.len())?;
            for Unattributed { subscription, first, last } in &self.unattributed {
                writeln!(f, "  {subscription} ({first} to {last})")?;
            }
        }
        for Finding { check, subject, detail } in &self.findings {
            writeln!(f, "WRONG ({check:?}) {subject}: {detail}")?;
        }
        match self.findings.len() {
            0 => write!(f, "nothing is wrong"),
            count => write!(f, "{count} things are wrong"),
        }
    }
}
