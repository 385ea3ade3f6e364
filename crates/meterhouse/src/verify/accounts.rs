//! Conservation: every position up to the ledger's line is exactly one of stored, rejected, hole.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use meterhouse_store::{AccountedRange, Error, LedgerEnds, LedgerEpoch, Positions, Store};
use serde::Serialize;
use tokio::time::sleep;

use super::report::{Check, Finding};
use super::{SECOND_LOOK, keep_staying};

/// Findings that are told of one epoch at most.
const FINDINGS_MAX: usize = 20;

/// What is accounted for of a partition, since one of its beginnings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PartitionAccount {
    pub(crate) partition: i32,
    pub(crate) epoch: u32,
    pub(crate) from_position: i64,
    /// Where the ranges that touch each other from there end.
    pub(crate) next_position: i64,
    pub(crate) ranges: u64,
    pub(crate) stored: u64,
    /// Those that a replay has stored since are among them.
    pub(crate) rejected: u64,
    pub(crate) holes: u64,
    /// Stored and in quarantine: a replay was interrupted, or records were read again under other rules.
    pub(crate) both: u64,
}

/// What is accounted for of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accounts {
    /// All epochs, by partition and epoch.
    pub(crate) epochs: Vec<LedgerEpoch>,
    /// Those with ranges that were looked at.
    pub(crate) partitions: Vec<PartitionAccount>,
    /// What is before them was in some log, and is in the tables.
    pub(crate) ends: LedgerEnds,
    pub(crate) findings: Vec<Finding>,
}

/// Up to where each partition's epochs were found right before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verified(BTreeMap<(i32, u32), i64>);

impl Verified {
    fn line(&self, epoch: &LedgerEpoch) -> i64 {
        self.0.get(&(epoch.partition, epoch.epoch)).copied().unwrap_or(epoch.beginning)
    }

    fn note(&mut self, audit: &EpochAudit) {
        self.0.insert((audit.epoch.partition, audit.epoch.epoch), audit.right_until);
    }
}

/// Compares the ledger with what the tables hold, epoch by epoch, beyond what is verified.
///
/// # Errors
/// There is no complete answer.
pub(crate) async fn check(store: &Store, topic: &str, verified: &mut Verified) -> Result<Accounts, Error> {
    let epochs = store.ledger_epochs(topic).await?;
    let mut audits = Vec::new();
    for epoch in &epochs {
        let audit = EpochAudit::run(store, topic, *epoch, verified.line(epoch), &epochs).await?;
        verified.note(&audit);
        audits.push(audit);
    }
    look_again(store, topic, &mut audits, verified).await?;
    let mut ends: BTreeMap<i32, i64> = BTreeMap::new();
    for EpochAudit { account, .. } in &audits {
        let end = ends.entry(account.partition).or_insert(i64::MIN);
        *end = account.next_position.max(*end);
    }
    let ends = LedgerEnds { topic: topic.to_owned(), ends: ends.into_iter().collect() };
    let findings = audits.iter_mut().flat_map(|audit| std::mem::take(&mut audit.findings)).collect();
    let looked_at = audits.into_iter().filter(|audit| audit.has_ranges);
    Ok(Accounts { epochs, partitions: looked_at.map(|audit| audit.account).collect(), ends, findings })
}

/// Looks a second time at each epoch in which something was found, and keeps what stays.
///
/// While a partition goes from one process to another, both account for it, and not in the order of their ranges: one that comes
/// late may belong into a page that was read. And the epochs, which are read first, do not reach to ranges that come later.
async fn look_again<'a>(
    store: &Store,
    topic: &'a str,
    audits: &mut [EpochAudit<'a>],
    verified: &mut Verified,
) -> Result<(), Error> {
    if audits.iter().all(|audit| audit.findings.is_empty()) {
        return Ok(());
    }
    sleep(SECOND_LOOK).await;
    let epochs = store.ledger_epochs(topic).await?;
    for first in audits.iter_mut().filter(|audit| !audit.findings.is_empty()) {
        let line = first.account.from_position;
        let mut second = EpochAudit::run(store, topic, first.epoch, line, &epochs).await?;
        let key = |finding: &Finding| (finding.check, finding.subject.clone());
        keep_staying(&first.findings, &mut second.findings, key);
        verified.note(&second);
        *first = second;
    }
    Ok(())
}

/// The audit of one epoch, range by range.
struct EpochAudit<'a> {
    topic: &'a str,
    epoch: LedgerEpoch,
    account: PartitionAccount,
    /// Whether there were ranges behind the line, or none at all but the beginning.
    has_ranges: bool,
    has_gap: bool,
    /// Up to where nothing was wrong.
    right_until: i64,
    findings: Vec<Finding>,
}

impl<'a> EpochAudit<'a> {
    fn new(topic: &'a str, epoch: LedgerEpoch, line: i64) -> Self {
        let account = PartitionAccount {
            partition: epoch.partition,
            epoch: epoch.epoch,
            from_position: line,
            next_position: line,
            ranges: 0,
            stored: 0,
            rejected: 0,
            holes: 0,
            both: 0,
        };
        let has_ranges = epoch.beginning == epoch.reach;
        Self { topic, epoch, account, has_ranges, has_gap: false, right_until: line, findings: Vec::new() }
    }

    /// Looks at the ranges behind a line. `epochs` are all of the topic.
    async fn run(
        store: &Store,
        topic: &'a str,
        epoch: LedgerEpoch,
        line: i64,
        epochs: &[LedgerEpoch],
    ) -> Result<Self, Error> {
        let partition = epoch.partition;
        let epochs: Vec<LedgerEpoch> =
            epochs.iter().filter(|other| other.partition == partition).copied().collect();
        let mut audit = Self::new(topic, epoch, line);
        let mut last = None;
        loop {
            let ranges = store.accounted_ranges(topic, &epoch, line, last).await?;
            let (Some(first), Some(next)) =
                (ranges.first(), ranges.iter().map(|range| range.next_position).max())
            else {
                return Ok(audit);
            };
            let within = (first.from_position, next);
            let positions = store.positions(topic, partition, within, &epochs).await?;
            audit.add(&ranges, &positions);
            last = ranges.last().copied();
        }
    }

    /// Adds ranges that come next, with what the tables hold of their positions.
    fn add(&mut self, ranges: &[AccountedRange], positions: &Positions) {
        let before = self.account.next_position;
        self.has_ranges = true;
        for range in ranges {
            self.account.ranges += 1;
            let end = self.account.next_position;
            if range.from_position <= end {
                self.account.next_position = end.max(range.next_position);
            } else if !self.has_gap {
                self.has_gap = true;
                let from = range.from_position;
                let detail = format!("the ledger's ranges end at {end} and begin again at {from}");
                self.tell(Check::Ledger, format!("{}/{}", self.topic, self.epoch.partition), detail);
            }
            if let Some(detail) = wrong_range(range, positions) {
                let (from, next) = range.key();
                let subject = format!("{}/{} {from}..{next}", self.topic, self.epoch.partition);
                self.tell(Check::Conservation, subject, detail);
            }
            if self.findings.is_empty() {
                self.right_until = self.account.next_position;
            }
        }
        self.account.count(positions, before);
    }

    fn tell(&mut self, check: Check, subject: String, detail: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding::new(check, subject, detail));
        }
    }
}

impl PartitionAccount {
    /// Counts what the positions from here to the end are.
    fn count(&mut self, positions: &Positions, from: i64) {
        let next = self.next_position;
        let both = positions.both(from, next);
        let stored = positions.stored(from, next).end() - both - positions.replayed(from, next);
        let rejected = positions.rejected(from, next).end() - both;
        self.both += both;
        self.stored += stored;
        self.rejected += rejected;
        self.holes += u64::try_from(next - from).unwrap_or(0).saturating_sub(stored + rejected + both);
    }
}

/// What is wrong with a range. What is both stored and in quarantine, or was replayed, may have been either when the ledger was
/// written.
fn wrong_range(range: &AccountedRange, positions: &Positions) -> Option<String> {
    let (from, next) = range.key();
    let length = u64::try_from(next - from).ok()?;
    let AccountedRange { stored, rejected, holes, .. } = range;
    if stored + rejected + holes != length {
        return Some(format!(
            "the ledger counts {stored} stored, {rejected} rejected and {holes} holes in {length} positions"
        ));
    }
    let (in_events, in_quarantine) = (positions.stored(from, next), positions.rejected(from, next));
    let records = positions.records(from, next);
    if in_events.contains(stored)
        && in_quarantine.contains(rejected)
        && records.contains(&(stored + rejected))
    {
        return None;
    }
    Some(format!(
        "the ledger counts {stored} records stored and {rejected} rejected, the tables hold {} and {}, {} together",
        Bounds(&in_events),
        Bounds(&in_quarantine),
        Bounds(&records)
    ))
}

/// A number that is not known exactly, for a person.
struct Bounds<'a>(&'a RangeInclusive<u64>);

impl Display for Bounds<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.0.start(), self.0.end()) {
            (least, most) if least == most => write!(f, "{least}"),
            (least, most) => write!(f, "{least} to {most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: i64, next: i64) -> AccountedRange {
        let stored = u64::try_from(next - from).unwrap();
        AccountedRange { from_position: from, next_position: next, stored, rejected: 0, holes: 0 }
    }

    fn holes(from: i64, next: i64) -> AccountedRange {
        let range = range(from, next);
        AccountedRange { stored: 0, holes: range.stored, ..range }
    }

    #[test]
    fn ranges_that_touch_or_overlap_make_one_and_a_gap_is_told() {
        let epoch = LedgerEpoch { partition: 3, epoch: 1, beginning: 5, reach: 15 };
        let mut audit = EpochAudit::new("t", epoch, 5);
        audit.add(&[holes(5, 5), holes(5, 9), holes(7, 8)], &Positions::default());
        audit.add(&[holes(9, 12)], &Positions::default());
        assert_eq!((audit.account.next_position, audit.account.holes, audit.right_until), (12, 7, 12));
        assert!(audit.findings.is_empty());
        audit.add(&[holes(13, 15), holes(17, 18)], &Positions::default());
        assert_eq!((audit.account.next_position, audit.right_until, audit.findings.len()), (12, 12, 1));
        assert!(audit.findings[0].detail.contains("end at 12 and begin again at 13"), "{:?}", audit.findings);
    }

    #[test]
    fn what_is_behind_a_wrong_range_is_looked_at_again() {
        let epoch = LedgerEpoch { partition: 3, epoch: 0, beginning: 0, reach: 9 };
        let mut audit = EpochAudit::new("t", epoch, 0);
        audit.add(&[holes(0, 4), range(4, 6), holes(6, 9)], &Positions::default());
        assert_eq!((audit.account.next_position, audit.right_until, audit.findings.len()), (9, 4, 1));
    }

    #[test]
    fn a_range_whose_rows_are_not_there_is_wrong() {
        let detail = wrong_range(&range(0, 4), &Positions::default()).unwrap();
        assert!(detail.contains("4 records stored and 0 rejected, the tables hold 0 and 0"), "{detail}");
        assert_eq!(wrong_range(&holes(0, 4), &Positions::default()), None);
        let short = AccountedRange { holes: 3, ..holes(0, 4) };
        assert!(wrong_range(&short, &Positions::default()).is_some());
    }
}
