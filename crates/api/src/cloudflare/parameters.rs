//! `page`, `per_page`, `order`, and the filters `occurred_at`, `type` and `action`.
//!
//! The document spells one of them `occured_at`, the vendor's clients `occurred_at`: both do, as a filter and as an order.
//! A parameter that is given twice is wrong, and so is an empty one: to ignore it would widen the answer behind the
//! client's back. Other parameters are ignored.

use chrono::{DateTime, Utc};

use super::envelope::Error;
use crate::query::{GivenTwice, single};

/// Longest type or action, in characters.
const NAME_CHARS_MAX: usize = 30;
const PAGE_DEFAULT: u64 = 1;
const PER_PAGE_DEFAULT: u64 = 20;
const PER_PAGE_MIN: u64 = 5;
const PER_PAGE_MAX: u64 = 50;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameters {
    /// Counted from 1.
    pub(super) page: u64,
    pub(super) per_page: u64,
    pub(super) order: Order,
    pub(super) filter: Filter,
}

/// What the items are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Kind,
    /// Newest first.
    OccurredAt,
    Action,
}

/// What all items have to match, exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) occurred_at: Option<DateTime<Utc>>,
    pub(super) kind: Option<String>,
    pub(super) action: Option<String>,
}

/// A wrong parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    PerPage,
    Page,
    Order,
    OccurredAt,
    Kind,
    Action,
}

impl Fault {
    pub(super) fn error(&self) -> Error {
        let (code, message) = match self {
            Self::PerPage => (11000, "per_page variable must be a number between 5 and 50"),
            Self::Page => (11001, "page variable must be a number from 1 on"),
            Self::Order => (11002, "order variable must be type, occurred_at or action"),
            Self::OccurredAt => (11003, "occurred_at variable must be a time like 2014-03-01T12:21:59.3456Z"),
            Self::Kind => (11004, "type variable must have 1 to 30 characters"),
            Self::Action => (11005, "action variable must have 1 to 30 characters"),
        };
        Error::new(code, message)
    }
}

/// Reads the query of a request, as it was sent. All wrong parameters are reported at once.
pub(super) fn parse(query: &str) -> Result<Parameters, Vec<Fault>> {
    let mut reader = Reader { query, faults: Vec::new() };
    let page = reader.value(&["page"], Fault::Page, |text| number(text, 1, u64::MAX));
    let per_page =
        reader.value(&["per_page"], Fault::PerPage, |text| number(text, PER_PAGE_MIN, PER_PAGE_MAX));
    let order = reader.value(&["order"], Fault::Order, order_of);
    let filter = Filter {
        occurred_at: reader.value(&["occurred_at", "occured_at"], Fault::OccurredAt, time),
        kind: reader.value(&["type"], Fault::Kind, name),
        action: reader.value(&["action"], Fault::Action, name),
    };
    if !reader.faults.is_empty() {
        return Err(reader.faults);
    }
    Ok(Parameters {
        page: page.unwrap_or(PAGE_DEFAULT),
        per_page: per_page.unwrap_or(PER_PAGE_DEFAULT),
        order: order.unwrap_or(Order::OccurredAt),
        filter,
    })
}

/// Reads parameters, and collects which of them are wrong.
struct Reader<'q> {
    query: &'q str,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    /// The value of the parameter with one of the names, if it is there.
    fn value<T>(&mut self, names: &[&str], fault: Fault, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = match single(self.query, names) {
            Ok(text) => read(&text?),
            Err(GivenTwice) => None,
        };
        if value.is_none() {
            self.faults.push(fault);
        }
        value
    }
}

/// A whole number: the document's type is "number", and clients whose type for it is a float send `2.0`. What is beyond 64
/// bits is a page behind the last.
fn number(text: &str, min: u64, max: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_whole = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    let is_number = is_whole && !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| whole.parse().unwrap_or(u64::MAX))?;
    (min..=max).contains(&number).then_some(number)
}

fn order_of(text: &str) -> Option<Order> {
    match text {
        "type" => Some(Order::Kind),
        "occured_at" | "occurred_at" => Some(Order::OccurredAt),
        "action" => Some(Order::Action),
        _ => None,
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

fn name(text: &str) -> Option<String> {
    (1..=NAME_CHARS_MAX).contains(&text.chars().count()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
