//! When generated usage ends.

use meterhouse_model::{BillingZone, Month};

const MICROS: i64 = 1_000_000;

/// Whole months of the billing time zone up to an instant, in seconds since the epoch.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    /// First instant of the first month. No usage ends at it: an interval that did would belong to the month before.
    start: i64,
    /// Latest instant at which usage ends.
    until: i64,
    /// First instants of all months but the first.
    edges: Vec<i64>,
}

impl Timeline {
    /// So many months, of which the last one holds the second before `until`.
    pub(super) fn new(zone: &BillingZone, months: u32, until: i64) -> Self {
        let last = zone.month_of((until - 1).saturating_mul(MICROS));
        let first = last.plus(1 - i64::from(months));
        let start_of = |month: Month| zone.month_start(month).div_euclid(MICROS);
        let edges = (1..i64::from(months)).map(|later| start_of(first.plus(later))).collect();
        Self { start: start_of(first), until, edges }
    }

    pub(super) fn start(&self) -> i64 {
        self.start
    }

    pub(super) fn until(&self) -> i64 {
        self.until
    }

    /// The end of one of `total` usages, which ascends with its position. The first ones of all later months end exactly
    /// at the edge between two months.
    pub(super) fn end(&self, position: u64, total: u64) -> i64 {
        let end = self.evenly(position, total);
        let before = if position == 0 { self.start } else { self.evenly(position - 1, total) };
        let edge = self.edges.get(self.edges.partition_point(|edge| *edge <= before));
        edge.copied().filter(|edge| *edge < end).unwrap_or(end)
    }

    /// An end that is so much earlier, but not before the first month.
    pub(super) fn earlier(&self, end: i64, seconds: i64) -> i64 {
        (end - seconds).max(self.start + 1)
    }

    fn evenly(&self, position: u64, total: u64) -> i64 {
        let span = u128::try_from(self.until - self.start).unwrap_or_default();
        let step = (span * u128::from(position + 1)).div_ceil(u128::from(total.max(1)));
        self.start + i64::try_from(step).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-10-16T12:00:00Z.
    const NOON: i64 = 1_792_152_000;

    #[test]
    fn months_are_whole_but_for_the_last() {
        let timeline = Timeline::new(&BillingZone::new("UTC").unwrap(), 3, NOON);
        assert_eq!(timeline.start(), 1_785_542_400); // 2026-08-01
        assert_eq!(timeline.edges, [1_788_220_800, 1_790_812_800]); // 2026-09-01, 2026-10-01
        let berlin = Timeline::new(&BillingZone::new("Europe/Berlin").unwrap(), 1, NOON);
        assert_eq!(berlin.start(), 1_790_812_800 - 7200);
    }

    #[test]
    fn an_instant_between_two_months_ends_the_earlier_one() {
        let timeline = Timeline::new(&BillingZone::new("UTC").unwrap(), 1, 1_790_812_800);
        assert_eq!(timeline.start(), 1_788_220_800);
    }

    #[test]
    fn ends_ascend_and_touch_every_edge() {
        let timeline = Timeline::new(&BillingZone::new("UTC").unwrap(), 3, NOON);
        for total in [1, 2, 100, 10_007] {
            let ends: Vec<i64> = (0..total).map(|position| timeline.end(position, total)).collect();
            assert!(ends.is_sorted());
            assert!(ends.iter().all(|end| (timeline.start + 1..=NOON).contains(end)));
            assert!(total < 100 || timeline.edges.iter().all(|edge| ends.contains(edge)));
        }
        assert_eq!(timeline.earlier(NOON, 1 << 40), timeline.start + 1);
    }
}
