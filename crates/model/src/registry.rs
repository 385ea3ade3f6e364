//! The registry: whose usage a subscription's is, and from when until when.

use std::collections::{BTreeSet, HashMap};

use crate::instant::parse_rfc3339;
use crate::load::unless_wrong;
use crate::reject::quote;
use crate::table::{Layout, Row, read_csv, read_toml};
use crate::{BillingZone, Day, LoadError, Problem};

const LAYOUT: Layout = Layout {
    array: "subscription",
    columns: &["subscription", "customer", "start", "expires"],
    required: &["subscription", "customer"],
};

/// Subscriptions and their customers. It is applied when usage is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// Intervals of each subscription: ascending, without overlaps.
    subscriptions: HashMap<String, Vec<Interval>>,
    /// Subscriptions that each customer ever had.
    customers: HashMap<String, BTreeSet<String>>,
}

/// A time in which a subscription belongs to one customer. Half-open, in microseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// Whose the subscription is.
    pub customer: String,
    /// First instant; the least number where the beginning is open.
    pub start: i64,
    /// First instant that is not in it any more; the greatest number where the end is open.
    pub expires: i64,
}

/// Billing days on which a subscription belongs to a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The subscription.
    pub subscription: String,
    /// First day.
    pub from_day: Day,
    /// Day after the last.
    pub to_day: Day,
}

impl Registry {
    /// Reads columns `subscription`, `customer`, `start`, `expires`; the last two are RFC 3339, and open where empty. A
    /// subscription may have several rows that do not overlap.
    ///
    /// # Errors
    /// All that is wrong with the text, with its lines.
    pub fn from_csv(text: &str) -> Result<Self, LoadError> {
        Self::from_rows(read_csv(text, &LAYOUT))
    }

    /// Reads `[[subscription]]` tables with the names of [`Registry::from_csv`]'s columns as keys.
    ///
    /// # Errors
    /// All that is wrong with the text, with its lines.
    pub fn from_toml(text: &str) -> Result<Self, LoadError> {
        Self::from_rows(read_toml(text, &LAYOUT))
    }

    /// All subscriptions and their intervals, in no order.
    pub fn subscriptions(&self) -> impl Iterator<Item = (&str, &[Interval])> {
        self.subscriptions
            .iter()
            .map(|(subscription, intervals)| (subscription.as_str(), intervals.as_slice()))
    }

    /// Number of subscriptions.
    pub fn len(&self) -> usize {
        self.subscriptions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.subscriptions.is_empty()
    }

    /// The intervals of a subscription, ascending. None: it is not known.
    pub fn intervals(&self, subscription: &str) -> Option<&[Interval]> {
        self.subscriptions.get(subscription).map(Vec::as_slice)
    }

    /// Whether a subscription is alive from one instant to another, both in microseconds since the epoch. It may change
    /// hands in between, and a usage may end in the instant in which it expires.
    pub fn covers(&self, subscription: &str, start: i64, end: i64) -> bool {
        self.covers_as(|_| true, subscription, start, end)
    }

    /// The same, by the intervals of some customers alone.
    pub fn covers_as(
        &self,
        is_owner: impl Fn(&str) -> bool,
        subscription: &str,
        start: i64,
        end: i64,
    ) -> bool {
        let mut covered_to = start;
        let intervals = self.intervals(subscription).unwrap_or_default();
        for interval in intervals.iter().filter(|interval| is_owner(&interval.customer)) {
            if interval.start <= covered_to && covered_to <= interval.expires {
                covered_to = interval.expires;
                if end <= covered_to {
                    return true;
                }
            }
        }
        false
    }

    /// The subscriptions of a customer, by name, each with its days; several entries where it left and came back.
    ///
    /// A day belongs to the interval that holds its first instant, else to the first one that begins in it. Open ends
    /// reach from the first to the last billing day that there can be.
    pub fn owned(&self, customer: &str, zone: &BillingZone) -> Vec<Ownership> {
        let mut owned: Vec<Ownership> = Vec::new();
        for subscription in self.customers.get(customer).into_iter().flatten() {
            let intervals = self.intervals(subscription).unwrap_or_default();
            for (interval, (from_day, to_day)) in intervals.iter().zip(billing_days(intervals, zone)) {
                if interval.customer != customer || from_day >= to_day {
                    continue;
                }
                match owned.last_mut() {
                    Some(last) if last.subscription == *subscription && last.to_day == from_day => {
                        last.to_day = to_day;
                    }
                    _ => owned.push(Ownership { subscription: subscription.clone(), from_day, to_day }),
                }
            }
        }
        owned
    }

    /// The days on which a subscription belongs to somebody, from the first to the one after the last: ascending, by the
    /// rule of [`Registry::owned`].
    pub fn owned_days(&self, subscription: &str, zone: &BillingZone) -> Vec<(Day, Day)> {
        self.days_owned_by(|_| true, subscription, zone)
    }

    /// The same, of some customers alone.
    pub fn days_owned_by(
        &self,
        is_owner: impl Fn(&str) -> bool,
        subscription: &str,
        zone: &BillingZone,
    ) -> Vec<(Day, Day)> {
        let intervals = self.intervals(subscription).unwrap_or_default();
        let owned = intervals.iter().zip(billing_days(intervals, zone));
        let owned =
            owned.filter(|(interval, (from_day, to_day))| from_day < to_day && is_owner(&interval.customer));
        owned.map(|(_, days)| days).collect()
    }

    fn from_rows((rows, mut problems): (Vec<Row>, Vec<Problem>)) -> Result<Self, LoadError> {
        let mut lined: HashMap<&str, Vec<(Interval, u64)>> = HashMap::new();
        for row in &rows {
            if let Some((subscription, interval)) = interval(row, &mut problems) {
                lined.entry(subscription).or_default().push((interval, row.line));
            }
        }
        let mut registry = Self::default();
        for (subscription, mut lined) in lined {
            lined.sort_by_key(|(interval, line)| (interval.start, *line));
            // The one that reaches furthest, and its line: it may overlap with others than the next one.
            let mut furthest = (i64::MIN, 0);
            for (interval, line) in &lined {
                if interval.start < furthest.0 {
                    let (line, other) = (furthest.1.max(*line), furthest.1.min(*line));
                    let text = format!("{} overlaps with its row in line {other}", quote(subscription));
                    problems.push(Problem { line, text });
                }
                furthest = furthest.max((interval.expires, *line));
            }
            let intervals: Vec<Interval> = lined.into_iter().map(|(interval, _)| interval).collect();
            for interval in &intervals {
                registry
                    .customers
                    .entry(interval.customer.clone())
                    .or_default()
                    .insert(subscription.to_owned());
            }
            registry.subscriptions.insert(subscription.to_owned(), intervals);
        }
        unless_wrong(registry, problems)
    }
}

/// The days of each of a subscription's intervals, from the first to the one after the last. An interval inside a day
/// that is another's has none.
fn billing_days(intervals: &[Interval], zone: &BillingZone) -> impl Iterator<Item = (Day, Day)> {
    let mut taken_to = Day(i32::MIN);
    intervals.iter().map(move |interval| {
        let begun = zone.day_of(interval.start);
        let first_whole = first_day_from(interval.start, zone);
        let from_day = if begun >= taken_to { begun } else { first_whole };
        let to_day = first_day_from(interval.expires, zone);
        taken_to = taken_to.max(to_day);
        (from_day.max(Day::FIRST), to_day.min(Day::END))
    })
}

/// The first day that starts at an instant or later.
fn first_day_from(micros: i64, zone: &BillingZone) -> Day {
    let day = zone.day_of(micros);
    if zone.day_start(day) >= micros { day } else { Day(day.0.saturating_add(1)) }
}

fn interval<'r>(row: &'r Row, problems: &mut Vec<Problem>) -> Option<(&'r str, Interval)> {
    let subscription = row.name("subscription", problems);
    let customer = row.name("customer", problems);
    let mut instant = |column, open| match row.get(column).map(|text| (text, parse_rfc3339(text))) {
        None => Some(open),
        Some((_, Ok(micros))) => Some(micros),
        Some((text, Err(_))) => {
            let text = format!("{column} {} is not an RFC 3339 time with an offset", quote(text));
            problems.push(row.problem(column, text));
            None
        }
    };
    let start = instant("start", i64::MIN);
    let expires = instant("expires", i64::MAX);
    let (start, expires) = (start?, expires?);
    if start >= expires {
        problems.push(row.problem("expires", "expires is not later than start".to_owned()));
        return None;
    }
    Some((subscription?, Interval { customer: customer?.to_owned(), start, expires }))
}
