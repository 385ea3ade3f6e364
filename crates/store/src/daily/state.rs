//! Whether a date's rows in `usage_daily` are all that there is to know.

use std::time::Duration;

use super::{ServerTime, UsageDate, rows::DateRows};

/// What is stored of a date besides its sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateState {
    /// The date.
    pub date: UsageDate,
    /// Newest mark. None: somebody has removed it.
    pub mark: Option<ServerTime>,
    /// When the newest scan began. None: there was none yet.
    pub scanned_at: Option<ServerTime>,
    /// Whether its sums are those of the events.
    pub is_clean: bool,
}

/// The header of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// When its scan began.
    pub(crate) at: ServerTime,
    /// How many data rows it wrote.
    pub(crate) records: u64,
    /// The newest mark that it knew of.
    pub(crate) mark: ServerTime,
}

impl DateState {
    /// The first instant at which a scan can make the date clean.
    pub fn due_at(&self, margin: Duration) -> Option<ServerTime> {
        // A header from the future, of a clock that was set back since, stands above every scan until then.
        let after_mark = self.mark?.plus(margin);
        Some(self.scanned_at.map_or(after_mark, |scanned_at| after_mark.max(scanned_at)))
    }
}

/// Whether a scan saw everything: it knew the newest mark, began more than the margin later, and all of its rows are there.
pub(crate) fn is_clean(
    mark: Option<ServerTime>,
    header: Option<Header>,
    data_rows: u64,
    margin: Duration,
) -> bool {
    let (Some(mark), Some(header)) = (mark, header) else { return false };
    header.mark == mark && header.at > mark.plus(margin) && header.records == data_rows
}

impl DateRows<'_> {
    /// The state of the date, under its name.
    pub(crate) fn state(&self, date: UsageDate, margin: Duration) -> DateState {
        DateState {
            date,
            mark: self.mark,
            scanned_at: self.header.map(|header| header.at),
            is_clean: self.clean(margin).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARGIN: Duration = Duration::from_nanos(10);

    #[test]
    fn only_a_whole_scan_that_knew_the_newest_mark_and_waited_long_enough_counts() {
        let mark = ServerTime(100);
        let whole = Header { at: ServerTime(111), records: 2, mark };
        let wrong = [
            (None, Some(whole), 2),
            (Some(mark), None, 0),
            (Some(mark), Some(whole), 1),
            (Some(mark), Some(whole), 3),
            (Some(ServerTime(101)), Some(whole), 2),
            (Some(ServerTime(99)), Some(whole), 2),
            (Some(mark), Some(Header { at: ServerTime(110), ..whole }), 2),
            (Some(mark), Some(Header { at: ServerTime(0), ..whole }), 2),
        ];
        assert!(is_clean(Some(mark), Some(whole), 2, MARGIN));
        for (mark, header, rows) in wrong {
            assert!(!is_clean(mark, header, rows, MARGIN), "{mark:?} {header:?} {rows}");
        }
    }
}
