//! Which days of which subscriptions are somebody's.

use std::collections::BTreeMap;

use meterhouse_model::{Day, Ownership};

/// Billing days are at most so many dates away from the UTC date of the same instant: the local clock is never two days
/// off, and a zone may leave a day out.
const DAYS_APART: i32 = 2;

/// Subscriptions, each with its days, which are half-open.
#[derive(Debug)]
pub(super) struct Owned<'o> {
    days: BTreeMap<&'o str, Vec<(Day, Day)>>,
}

impl<'o> Owned<'o> {
    pub(super) fn of(ownerships: &'o [Ownership]) -> Self {
        let mut days: BTreeMap<&str, Vec<(Day, Day)>> = BTreeMap::new();
        for owned in ownerships {
            days.entry(&owned.subscription).or_default().push((owned.from_day, owned.to_day));
        }
        Self { days }
    }

    /// The subscriptions.
    pub(super) fn subscriptions(&self) -> Vec<&'o str> {
        self.days.keys().copied().collect()
    }

    /// Whether usage of a subscription on a billing day is included.
    pub(super) fn has(&self, subscription: &str, billing_day: Day) -> bool {
        self.of_subscription(subscription).iter().any(|(from, to)| (*from..*to).contains(&billing_day))
    }

    /// Whether usage of a UTC date may be on a billing day that is included.
    pub(super) fn may_have(&self, subscription: &str, utc_date: Day) -> bool {
        let (first, last) = (Day(utc_date.0 - DAYS_APART), Day(utc_date.0 + DAYS_APART));
        self.of_subscription(subscription).iter().any(|(from, to)| *from <= last && *to > first)
    }

    fn of_subscription(&self, subscription: &str) -> &[(Day, Day)] {
        self.days.get(subscription).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_half_open_and_dates_reach_beyond_them() {
        let owned = |from, to| Ownership { subscription: "s".into(), from_day: Day(from), to_day: Day(to) };
        let ownerships = [owned(10, 12), owned(30, 31)];
        let owned = Owned::of(&ownerships);
        let days =
            |is: &dyn Fn(&str, Day) -> bool| (0..40).filter(|&day| is("s", Day(day))).collect::<Vec<_>>();
        assert_eq!(days(&|s, day| owned.has(s, day)), [10, 11, 30]);
        assert_eq!(days(&|s, day| owned.may_have(s, day)), [8, 9, 10, 11, 12, 13, 28, 29, 30, 31, 32]);
        assert!(!owned.has("t", Day(10)) && !owned.may_have("t", Day(10)));
        assert_eq!(owned.subscriptions(), ["s"]);
    }
}
