//! Dates that wait for a scan, in memory.

use std::collections::HashMap;

use meterhouse_store::{ServerTime, UsageDate};

/// Most dates: 100 MB or so. Others are found again by a look through everything.
const MOST: usize = 500_000;

/// Dates, each with the time from which on a scan can make it clean.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    due: HashMap<UsageDate, ServerTime>,
}

impl Backlog {
    pub(super) fn len(&self) -> usize {
        self.due.len()
    }

    /// Whether there is room for a page of all dates.
    pub(super) fn has_room(&self) -> bool {
        self.due.len() <= MOST / 2
    }

    /// Adds a date, or puts it off. False: there is no room for it.
    #[must_use]
    pub(super) fn add(&mut self, date: UsageDate, due: ServerTime) -> bool {
        let is_full = self.due.len() >= MOST;
        match self.due.get_mut(&date) {
            Some(known) => *known = due.max(*known),
            None if is_full => return false,
            None => {
                self.due.insert(date, due);
            }
        }
        true
    }

    pub(super) fn remove(&mut self, date: &UsageDate) {
        self.due.remove(date);
    }

    /// The dates that are due, in the order in which they are best scanned.
    pub(super) fn due(&self, now: ServerTime) -> Vec<UsageDate> {
        let mut due: Vec<&UsageDate> =
            self.due.iter().filter(|(_, at)| **at < now).map(|(date, _)| date).collect();
        due.sort_unstable_by(|a, b| a.scan_order().cmp(&b.scan_order()));
        due.into_iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use meterhouse_model::Day;

    use super::*;

    fn date(subscription: &str, day: i32) -> UsageDate {
        UsageDate { customer: "c".into(), subscription: subscription.into(), day: Day(day) }
    }

    #[test]
    fn dates_come_by_month_and_subscription_once_they_are_due() {
        let mut backlog = Backlog::default();
        for (date, due) in [(date("b", 3), 5), (date("a", 40), 1), (date("b", 2), 1), (date("a", 9), 1)] {
            assert!(backlog.add(date, ServerTime(due)));
        }
        assert_eq!(backlog.due(ServerTime(1)), []);
        assert_eq!(backlog.due(ServerTime(5)), [date("a", 9), date("b", 2), date("a", 40)]);
        assert!(backlog.add(date("a", 9), ServerTime(7)) && backlog.add(date("a", 9), ServerTime(2)));
        backlog.remove(&date("b", 2));
        assert_eq!(backlog.due(ServerTime(6)), [date("b", 3), date("a", 40)]);
    }

    #[test]
    fn a_full_backlog_takes_no_new_dates() {
        let mut backlog = Backlog::default();
        for day in 0..i32::try_from(MOST).unwrap() {
            assert!(backlog.add(date("s", day), ServerTime(0)));
        }
        assert!(!backlog.add(date("s", -1), ServerTime(0)) && backlog.add(date("s", 1), ServerTime(0)));
        assert_eq!((backlog.len(), backlog.has_room()), (MOST, false));
    }
}
