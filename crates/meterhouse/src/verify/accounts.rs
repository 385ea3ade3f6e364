//! Conservation: every position up to the ledger's line is exactly one of stored, rejected, hole.

use std::collections::BTreeMap;

use meterhouse_store::{AccountedRange, Error, LedgerEnds, Positions, Store};
use serde::Serialize;

use super::report::{Check, Finding};

/// Findings that are told of one partition at most.
const FINDINGS_MAX: usize = 20;

/// What is accounted for of a partition, since its newest beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PartitionAccount {
    pub(crate) partition: i32,
    pub(crate) epoch: u32,
    pub(crate) from_position: i64,
    pub(crate) next_position: i64,
    pub(crate) ranges: u64,
    pub(crate) stored: u64,
    pub(crate) rejected: u64,
    pub(crate) holes: u64,
    /// Stored and in quarantine: a replay was interrupted, or records were read again under other rules.
    pub(crate) both: u64,
}

/// The ledger's ranges of a partition's newest epoch.
struct Partition {
    number: i32,
    epoch: u32,
    ranges: Vec<AccountedRange>,
    /// Where ranges that touch each other from the beginning end.
    end: i64,
    /// Ranges behind a gap begin here.
    behind_gap: Option<i64>,
}

/// Up to where each partition's epoch was found right before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verified(BTreeMap<(i32, u32), i64>);

/// Compares the ledger with what the tables hold, partition by partition, beyond what is verified.
///
/// # Errors
/// There is no complete answer.
pub(crate) async fn check(
    store: &Store,
    topic: &str,
    verified: &mut Verified,
) -> Result<(Vec<PartitionAccount>, Vec<Finding>), Error> {
    let (mut accounts, mut findings) = (Vec::new(), Vec::new());
    for mut partition in newest_epochs(store.accounted_ranges(topic).await?) {
        let epoch = (partition.number, partition.epoch);
        if let Some(verified) = verified.0.get(&epoch) {
            partition.ranges.retain(|range| range.next_position > *verified);
        }
        let from = partition.ranges.iter().map(|range| range.from_position).min();
        let next = partition.ranges.iter().map(|range| range.next_position).max();
        let (Some(from), Some(next)) = (from, next) else { continue };
        let positions = store.positions(topic, partition.number, from, next).await?;
        accounts.push(partition.account(&positions));
        let wrong = partition.findings(topic, &positions);
        if wrong.is_empty() {
            verified.0.insert(epoch, partition.end);
        }
        findings.extend(wrong);
    }
    Ok((accounts, findings))
}

/// Up to where the ledger accounts for each partition.
pub(crate) async fn ends(store: &Store, topic: &str) -> Result<LedgerEnds, Error> {
    let partitions = newest_epochs(store.accounted_ranges(topic).await?);
    let ends = partitions.iter().map(|partition| (partition.number, partition.end)).collect();
    Ok(LedgerEnds { topic: topic.to_owned(), ends })
}

/// Sorted ranges, by partition.
fn newest_epochs(ranges: Vec<AccountedRange>) -> Vec<Partition> {
    let mut partitions: BTreeMap<i32, Partition> = BTreeMap::new();
    for range in ranges {
        let begin = || Partition {
            number: range.partition,
            epoch: range.epoch,
            ranges: Vec::new(),
            end: range.from_position,
            behind_gap: None,
        };
        let partition = partitions.entry(range.partition).or_insert_with(begin);
        if range.epoch > partition.epoch {
            *partition = begin();
        }
        if range.from_position <= partition.end {
            partition.end = partition.end.max(range.next_position);
        } else {
            partition.behind_gap.get_or_insert(range.from_position);
        }
        partition.ranges.push(range);
    }
    partitions.into_values().collect()
}

impl Partition {
    fn account(&self, positions: &Positions) -> PartitionAccount {
        let from = self.ranges.first().map_or(self.end, |range| range.from_position);
        let (stored, rejected) = (positions.stored(from, self.end), positions.rejected(from, self.end));
        let both = positions.both(from, self.end);
        let length = u64::try_from(self.end - from).unwrap_or(0);
        PartitionAccount {
            partition: self.number,
            epoch: self.epoch,
            from_position: from,
            next_position: self.end,
            ranges: self.ranges.iter().filter(|range| range.from_position < range.next_position).count()
                as u64,
            stored,
            rejected,
            holes: length.saturating_sub(stored + rejected + both),
            both,
        }
    }

    fn findings(&self, topic: &str, positions: &Positions) -> Vec<Finding> {
        let gap = self.behind_gap.map(|position| {
            let detail = format!("the ledger's ranges end at {} and begin again at {position}", self.end);
            Finding::new(Check::Ledger, format!("{topic}/{}", self.number), detail)
        });
        let wrong = self.ranges.iter().filter_map(|range| {
            let subject = format!("{topic}/{} {}..{}", self.number, range.from_position, range.next_position);
            wrong_range(range, positions).map(|detail| Finding::new(Check::Conservation, subject, detail))
        });
        gap.into_iter().chain(wrong).take(FINDINGS_MAX).collect()
    }
}

/// What is wrong with a range. What is both stored and in quarantine may have been either when the ledger was written.
fn wrong_range(range: &AccountedRange, positions: &Positions) -> Option<String> {
    let (from, next) = (range.from_position, range.next_position);
    let length = u64::try_from(next - from).ok()?;
    if range.stored + range.rejected + range.holes != length {
        let AccountedRange { stored, rejected, holes, .. } = range;
        return Some(format!(
            "the ledger counts {stored} stored, {rejected} rejected and {holes} holes in {length} positions"
        ));
    }
    let (stored, rejected) = (positions.stored(from, next), positions.rejected(from, next));
    let both = positions.both(from, next);
    let fits = |ledger: u64, table: u64| (table..=table + both).contains(&ledger);
    if fits(range.stored, stored)
        && fits(range.rejected, rejected)
        && range.stored + range.rejected == stored + rejected + both
    {
        return None;
    }
    Some(format!(
        "the ledger counts {} records stored and {} rejected, the tables hold {stored} and {rejected}",
        range.stored, range.rejected
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(epoch: u32, from: i64, next: i64) -> AccountedRange {
        let stored = u64::try_from(next - from).unwrap();
        AccountedRange {
            partition: 3,
            epoch,
            from_position: from,
            next_position: next,
            stored,
            rejected: 0,
            holes: 0,
        }
    }

    #[test]
    fn ranges_that_touch_or_overlap_make_one_and_a_gap_is_told() {
        let ranges = vec![range(0, 0, 90), range(1, 5, 5), range(1, 5, 9), range(1, 7, 8), range(1, 9, 12)];
        let partitions = newest_epochs(ranges.clone());
        assert_eq!((partitions[0].epoch, partitions[0].end, partitions[0].behind_gap), (1, 12, None));
        let partitions = newest_epochs([ranges, vec![range(1, 13, 15)]].concat());
        assert_eq!((partitions[0].end, partitions[0].behind_gap), (12, Some(13)));
    }

    #[test]
    fn a_range_whose_rows_are_not_there_is_wrong() {
        let detail = wrong_range(&range(0, 0, 4), &Positions::default()).unwrap();
        assert!(detail.contains("4 records stored and 0 rejected, the tables hold 0 and 0"), "{detail}");
        let holes = AccountedRange { stored: 0, holes: 4, ..range(0, 0, 4) };
        assert_eq!(wrong_range(&holes, &Positions::default()), None);
        let short = AccountedRange { holes: 3, ..holes };
        assert!(wrong_range(&short, &Positions::default()).is_some());
    }
}
