//! What the ledger says, and what the tables hold, of the positions of a partition.

use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::{Error, Store};

/// Ranges that are asked for at once.
const PAGE_RANGES: u64 = 65_536;
/// Positions that the ranges of a page reach over, unless a single one is longer: so the memory of both sides is bounded.
const PAGE_POSITIONS: i64 = 1 << 24;

/// Positions behind an epoch's last range that may hold records of its log all the same: they were stored, but not accounted
/// for when the log was gone. More is never under way.
const UNDER_WAY_MAX: i64 = 1 << 22;

/// A record with events.
const STORED: u8 = 1;
/// A record in quarantine.
const REJECTED: u8 = 2;
/// A record of each epoch that has read the position.
const OF_EACH_EPOCH: u8 = 4;
/// Records in quarantine that replays have stored since.
const REPLAYED: u8 = 8;
/// Sets of these.
const CLASSES: u8 = 16;

/// A beginning of a partition, and how far its ranges reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clickhouse::Row)]
pub struct LedgerEpoch {
    /// The partition.
    pub partition: i32,
    /// Counts its beginnings.
    pub epoch: u32,
    /// First position.
    pub beginning: i64,
    /// Position behind the last range, be there gaps before it or not.
    pub reach: i64,
}

impl LedgerEpoch {
    /// Behind the last position that may hold a record of its log, once a newer epoch has begun.
    pub fn last_traces(&self) -> i64 {
        self.reach.saturating_add(UNDER_WAY_MAX)
    }
}

/// A row of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clickhouse::Row)]
pub struct AccountedRange {
    /// First position.
    pub from_position: i64,
    /// Position behind the last.
    pub next_position: i64,
    /// Records whose events are stored.
    pub stored: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Positions without a record.
    pub holes: u64,
}

impl AccountedRange {
    /// Its place in the order of an epoch's ranges.
    pub fn key(&self) -> (i64, i64) {
        (self.from_position, self.next_position)
    }
}

/// What a run of positions is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clickhouse::Row)]
struct RunRow {
    class: u8,
    from_position: i64,
    next_position: i64,
}

/// What the tables hold of a partition's positions.
///
/// Where several epochs have read a position, it may hold a record of each log, and it cannot be told which is whose. So the
/// answers are bounds: from what is certain to what is possible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions([Runs; CLASSES as usize]);

/// Ascending runs of positions, each with the number of positions before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Runs(Vec<(i64, i64, u64)>);

impl Runs {
    fn push(&mut self, from_position: i64, next_position: i64) {
        let before = self.0.last().map_or(0, |(from, next, before)| before + length(*from, *next));
        self.0.push((from_position, next_position, before));
    }

    /// Positions before this one.
    fn before(&self, position: i64) -> u64 {
        let following = self.0.partition_point(|(from, ..)| *from < position);
        let Some((from, next, before)) = following.checked_sub(1).and_then(|last| self.0.get(last)) else {
            return 0;
        };
        before + length(*from, position.min(*next))
    }

    fn within(&self, from: i64, next: i64) -> u64 {
        self.before(next).saturating_sub(self.before(from))
    }
}

fn length(from: i64, next: i64) -> u64 {
    u64::try_from(next - from).unwrap_or(0)
}

impl Positions {
    /// How many positions of a range are records whose events are stored.
    pub fn stored(&self, from: i64, next: i64) -> RangeInclusive<u64> {
        self.bounds(from, next, |class| class & STORED != 0, |class| class & REJECTED == 0)
    }

    /// How many are records that were rejected when they were read.
    pub fn rejected(&self, from: i64, next: i64) -> RangeInclusive<u64> {
        self.bounds(from, next, |class| class & REJECTED != 0, |class| class & STORED == 0)
    }

    /// How many are records.
    pub fn records(&self, from: i64, next: i64) -> RangeInclusive<u64> {
        self.bounds(from, next, |_| true, |_| true)
    }

    /// How many have events and are in quarantine all the same: a replay was interrupted, or they were read again under
    /// other rules, or in two logs.
    pub fn both(&self, from: i64, next: i64) -> u64 {
        self.count(from, next, |class| class & STORED != 0 && class & REJECTED != 0 && class & REPLAYED == 0)
    }

    /// How many were rejected at some time, and stored by a replay later.
    pub fn replayed(&self, from: i64, next: i64) -> u64 {
        self.count(from, next, |class| class & REPLAYED != 0)
    }

    fn bounds(
        &self,
        from: i64,
        next: i64,
        is_possible: impl Fn(u8) -> bool,
        is_no_other: impl Fn(u8) -> bool,
    ) -> RangeInclusive<u64> {
        let is_certain = |class| is_possible(class) && is_no_other(class) && class & OF_EACH_EPOCH != 0;
        self.count(from, next, is_certain)..=self.count(from, next, &is_possible)
    }

    fn count(&self, from: i64, next: i64, is_meant: impl Fn(u8) -> bool) -> u64 {
        let meant = (0..CLASSES).zip(&self.0).filter(|(class, _)| is_meant(*class));
        meant.map(|(_, runs)| runs.within(from, next)).sum()
    }
}

impl Store {
    /// The epochs of a topic's partitions, by partition and epoch.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn ledger_epochs(&self, topic: &str) -> Result<Vec<LedgerEpoch>, Error> {
        let query = self.for_audits().query_raw(include_str!("epochs.sql"));
        self.audit_rows(query.param("topic", topic)).await
    }

    /// Ranges of an epoch that end behind a position, in order. Not all at once: the next ones come `after` the last of
    /// these, until there are none.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn accounted_ranges(
        &self,
        topic: &str,
        LedgerEpoch { partition, epoch, .. }: &LedgerEpoch,
        position: i64,
        after: Option<AccountedRange>,
    ) -> Result<Vec<AccountedRange>, Error> {
        let (after_from, after_next) = after.map_or((i64::MIN, i64::MIN), |range| range.key());
        let query = self
            .for_audits()
            .query_raw(include_str!("ranges.sql"))
            .param("topic", topic)
            .param("partition", partition)
            .param("epoch", epoch)
            .param("position", position)
            .param("after_from", after_from)
            .param("after_next", after_next)
            .param("limit", PAGE_RANGES);
        Ok(page(self.audit_rows(query).await?))
    }

    /// What the tables hold of a range of positions. `epochs` are all of the partition.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn positions(
        &self,
        topic: &str,
        partition: i32,
        (from_position, next_position): (i64, i64),
        epochs: &[LedgerEpoch],
    ) -> Result<Positions, Error> {
        let newest = epochs.iter().map(|epoch| epoch.epoch).max();
        let reach = |epoch: &LedgerEpoch| match Some(epoch.epoch) == newest {
            true => epoch.reach,
            false => epoch.last_traces(),
        };
        let (beginnings, reaches): (Vec<i64>, Vec<i64>) =
            epochs.iter().map(|epoch| (epoch.beginning, reach(epoch))).unzip();
        let query = self
            .for_audits()
            .query_raw(include_str!("positions.sql"))
            .param("topic", topic)
            .param("partition", partition)
            .param("from_position", from_position)
            .param("next_position", next_position)
            .param("beginnings", beginnings)
            .param("reaches", reaches);
        let mut positions = Positions::default();
        for run in self.audit_rows::<RunRow>(query).await? {
            if let Some(runs) = positions.0.get_mut(usize::from(run.class)) {
                runs.push(run.from_position, run.next_position);
            }
        }
        Ok(positions)
    }
}

/// Cuts ranges in order so that they do not reach over too many positions, and leaves out what comes twice.
fn page(mut ranges: Vec<AccountedRange>) -> Vec<AccountedRange> {
    ranges.dedup_by_key(|range| range.key());
    if let Some(first) = ranges.first() {
        let reach = first.from_position.saturating_add(PAGE_POSITIONS);
        let fitting = ranges.iter().take_while(|range| range.next_position <= reach).count();
        ranges.truncate(fitting.max(1));
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_counted_within_any_range() {
        let mut runs = Runs::default();
        for (from, next) in [(2, 5), (7, 8), (10, 20)] {
            runs.push(from, next);
        }
        let held =
            |position: i64| [(2, 5), (7, 8), (10, 20)].iter().any(|(a, b)| (*a..*b).contains(&position));
        for from in 0..22 {
            for next in from..22 {
                let expected = (from..next).filter(|position| held(*position)).count() as u64;
                assert_eq!(runs.within(from, next), expected, "{from}..{next}");
            }
        }
    }

    fn positions(classes: &[(u8, i64, i64)]) -> Positions {
        let mut positions = Positions::default();
        classes.iter().for_each(|(class, from, next)| positions.0[usize::from(*class)].push(*from, *next));
        positions
    }

    #[test]
    fn what_one_epoch_has_read_is_certain_but_for_what_is_both() {
        let one = OF_EACH_EPOCH;
        let positions =
            positions(&[(STORED | one, 0, 6), (REJECTED | one, 6, 8), (STORED | REJECTED | one, 9, 10)]);
        assert_eq!((positions.stored(0, 10), positions.rejected(0, 10)), (6..=7, 2..=3));
        assert_eq!((positions.records(0, 10), positions.both(0, 10)), (9..=9, 1));
    }

    #[test]
    fn a_single_record_that_two_epochs_may_have_read_is_possible_in_each() {
        let positions = positions(&[(STORED, 0, 6), (STORED | OF_EACH_EPOCH, 6, 9), (REJECTED, 9, 10)]);
        assert_eq!((positions.stored(0, 10), positions.rejected(0, 10)), (3..=9, 0..=1));
        assert_eq!(positions.records(0, 10), 3..=10);
    }

    #[test]
    fn a_page_has_one_range_at_least_and_none_twice() {
        let range = |from_position, next_position| AccountedRange {
            from_position,
            next_position,
            stored: 0,
            rejected: 0,
            holes: 0,
        };
        let (long, end) = (range(5, 9 + PAGE_POSITIONS), range(7, 5 + PAGE_POSITIONS));
        assert_eq!(page(vec![long, end]), [long]);
        assert_eq!(page(vec![range(5, 5), range(5, 5), end, long]), [range(5, 5), end]);
        assert!(page(Vec::new()).is_empty());
    }
}
