//! From ranges in order to the end of those that touch.

use serde::Deserialize;

use super::{LastRecord, NO_RECORD};

/// A range of the ledger, as far as reading on depends on it.
#[derive(Debug, Clone, Copy, Deserialize, clickhouse::Row)]
pub(super) struct Range {
    pub(super) from_position: i64,
    pub(super) next_position: i64,
    pub(super) last_record_offset: i64,
    pub(super) last_record_ms: i64,
    pub(super) last_record_hash: u64,
    pub(super) topic_id: u128,
}

impl Range {
    fn last_record(&self) -> Option<LastRecord> {
        (self.last_record_offset != NO_RECORD).then_some(LastRecord {
            offset: self.last_record_offset,
            timestamp_ms: self.last_record_ms,
            hash: self.last_record_hash,
        })
    }
}

/// How many gaps are named one by one.
const GAPS_NAMED_MAX: usize = 100;

/// The ranges that touch each other from a position on. Memory is bounded, however many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Touching {
    start: i64,
    /// Where they end.
    pub(super) end: i64,
    /// The record that the last of them ends with.
    pub(super) last_record: Option<LastRecord>,
    /// The topic that it was read from.
    pub(super) topic_id: u128,
    /// A range ends at the start: so it is no invention.
    pub(super) starts_on_record: bool,
    /// Offsets behind the end that no range holds, though there are ranges behind them; the first ones.
    pub(super) gaps: Vec<(i64, i64)>,
    /// How far ranges reach, gaps or not.
    reach: i64,
}

impl Touching {
    pub(super) fn from(start: i64) -> Self {
        Self {
            start,
            end: start,
            last_record: None,
            topic_id: 0,
            starts_on_record: false,
            gaps: Vec::new(),
            reach: start,
        }
    }

    /// Takes the next range, in the order of their first offsets. Each ends at the start or behind it.
    pub(super) fn add(&mut self, range: &Range) {
        if range.next_position == self.start {
            self.starts_on_record = true;
            if self.end == self.start {
                self.ends_with(range);
            }
        }
        if range.from_position > self.reach && self.gaps.len() < GAPS_NAMED_MAX {
            self.gaps.push((self.reach, range.from_position));
        }
        // With a first offset behind the end there is a gap, which no later range can fill.
        if range.from_position <= self.end && range.next_position > self.end {
            self.end = range.next_position;
            self.ends_with(range);
        }
        self.reach = self.reach.max(range.next_position);
    }

    fn ends_with(&mut self, range: &Range) {
        self.last_record = range.last_record();
        self.topic_id = range.topic_id;
    }

    /// Whether ranges that are still to come can change the end.
    pub(super) fn is_final(&self) -> bool {
        self.reach > self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from_position: i64, next_position: i64) -> Range {
        Range {
            from_position,
            next_position,
            last_record_offset: next_position - 1,
            last_record_ms: 1000 + next_position,
            last_record_hash: 5,
            topic_id: 0,
        }
    }

    /// The fold of ranges that end at the start or behind it, as the statement returns them.
    fn touching(start: i64, ranges: &[(i64, i64)]) -> Touching {
        let mut ranges: Vec<_> = ranges.iter().filter(|(_, next)| *next >= start).collect();
        ranges.sort_unstable();
        let mut touching = Touching::from(start);
        for (from, next) in ranges {
            touching.add(&range(*from, *next));
        }
        touching
    }

    #[test]
    fn ranges_that_touch_or_overlap_are_one() {
        for ranges in [
            &[(0, 0), (0, 10), (10, 20), (20, 30)][..],
            &[(0, 30)],
            &[(0, 20), (5, 10), (10, 30)],
            &[(0, 10), (0, 10), (3, 30), (7, 9)],
            &[(0, 10), (0, 20), (0, 30), (10, 20), (20, 30)],
        ] {
            let touching = touching(0, ranges);
            assert_eq!((touching.end, touching.gaps.len()), (30, 0), "{ranges:?}");
            assert_eq!(touching.last_record.map(|record| record.offset), Some(29), "{ranges:?}");
        }
    }

    #[test]
    fn a_gap_is_the_end() {
        let gapped = touching(0, &[(0, 0), (0, 10), (20, 30), (30, 40), (50, 60)]);
        assert_eq!((gapped.end, gapped.gaps.as_slice()), (10, &[(10, 20), (40, 50)][..]));
        assert_eq!(gapped.last_record.map(|record| record.offset), Some(9));
        assert!(gapped.is_final());
        // A range behind the gap that reaches back over it.
        let filled = touching(0, &[(0, 10), (5, 25), (20, 30)]);
        assert_eq!((filled.end, filled.gaps.len(), filled.is_final()), (30, 0, false));
        // Nothing touches the start.
        assert_eq!(touching(0, &[(1, 5)]).end, 0);
        assert_eq!(touching(5, &[]).end, 5);
    }

    #[test]
    fn a_start_on_record_has_a_range_that_ends_there() {
        let ranges = [(0, 0), (0, 10), (3, 12), (10, 20)];
        for (start, is_on_record) in [(0, true), (10, true), (11, false), (12, true), (20, true), (21, false)]
        {
            let touching = touching(start, &ranges);
            assert_eq!(touching.starts_on_record, is_on_record, "{start}");
            assert_eq!(touching.end, start.max(20), "{start}");
        }
        let record = touching(20, &ranges).last_record.unwrap();
        assert_eq!((record.offset, record.timestamp_ms, record.hash), (19, 1020, 5));
        let opening = Range { last_record_offset: NO_RECORD, ..range(7, 7) };
        let mut begun = Touching::from(7);
        begun.add(&opening);
        assert_eq!((begun.end, begun.last_record, begun.starts_on_record), (7, None, true));
    }

    #[test]
    fn named_gaps_are_bounded() {
        let ranges: Vec<_> = (0..1000).map(|number| (number * 2, number * 2 + 1)).collect();
        let touching = touching(0, &ranges);
        assert_eq!((touching.end, touching.gaps.len()), (1, GAPS_NAMED_MAX));
    }
}
