//! Which months a report covers.

/// Most months back that a report may be asked to start at.
///
/// A report without a start may reach further back: to the customer's first usage.
pub const MAX_FROM_OFFSET: u32 = 24;

/// Months of a report, counted back from the current month: 0 is the current month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    from_offset: Option<u32>,
    to_offset: Option<u32>,
}

impl Range {
    /// A range from one month to another, both included.
    ///
    /// Without `from_offset` it starts at the month of the first usage, without `to_offset` it ends at the month of the
    /// last. `None` if `from_offset` is above [`MAX_FROM_OFFSET`]: nobody may ask for millions of empty months.
    pub fn new(from_offset: Option<u32>, to_offset: Option<u32>) -> Option<Self> {
        let bounded = from_offset.is_none_or(|months| months <= MAX_FROM_OFFSET);
        bounded.then_some(Self { from_offset, to_offset })
    }

    /// First and last month as indexes (see `Month::index`), given the current month and those of the first and the
    /// last usage. The last may be before the first: then the report is empty.
    pub(crate) fn resolve(self, current: i64, first_used: i64, last_used: i64) -> (i64, i64) {
        let back = |months: u32| current - i64::from(months);
        (self.from_offset.map_or(first_used, back), self.to_offset.map_or(last_used, back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_win_over_usage() {
        let cases = [
            (None, None, (90, 97)),
            (Some(3), None, (97, 97)),
            (None, Some(1), (90, 99)),
            (Some(24), Some(0), (76, 100)),
            (Some(1), None, (99, 97)),
        ];
        for (from, to, expected) in cases {
            let range = Range::new(from, to).unwrap();
            assert_eq!(range.resolve(100, 90, 97), expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn the_start_is_bounded_and_no_offset_overflows() {
        assert_eq!(Range::new(Some(MAX_FROM_OFFSET + 1), None), None);
        let range = Range::new(None, Some(u32::MAX)).unwrap();
        assert_eq!(range.resolve(100, 90, 97), (90, 100 - i64::from(u32::MAX)));
    }
}
