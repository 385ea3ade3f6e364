//! The query of a list of usages. Messages are the vendor's where its document has them.
//!
//! A parameter that is given twice is wrong, and so is an empty one. Other parameters are ignored.

use meterhouse_model::{BillingZone, TimeError, parse_instant};
use meterhouse_store::UsageFilter;

use super::refusal::Refusal;
use crate::query::{GivenTwice, single};

const PAGE_DEFAULT: u64 = 1;
const LIMIT_DEFAULT: u64 = 10;
const LIMIT_MAX: u64 = 100;
/// Longest option code in bytes: that of an event's `OptionCode` member.
const OPTION_BYTES_MAX: usize = 128;
/// Length of `YYYY-MM-DD HH:MM:SS`, the only form of a time.
const TIME_LENGTH: usize = 19;

const WRONG_PAGE: &str = "The Page parameter must be a positive integer higher than or equal to 1.";
const WRONG_LIMIT: &str = "The Limit parameter must be a positive integer lower than 100";
const HALF_INTERVAL: &str = "Both 'IntervalStart' and 'IntervalEnd' parameters must be provided";
const WRONG_START: &str = "'IntervalStart' must be provided in the following format:YYYY-MM-DD HH:MM:SS";
const WRONG_END: &str = "'IntervalEnd' must be provided in the following format:YYYY-MM-DD HH:MM:SS";
const WRONG_RENEWAL: &str = "If provided, 'RenewalOrderReference' must be a positive integer.";
const WRONG_OPTION: &str = "If provided, 'OptionCode' must be an option code.";

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameters {
    /// Counted from 1.
    pub(super) page: u64,
    pub(super) limit: u64,
    pub(super) filter: UsageFilter,
}

/// Reads the query of a request, as it was sent. The first parameter that is wrong is the answer.
pub(super) fn parse(query: &str, zone: &BillingZone) -> Result<Parameters, Refusal> {
    let value = |name: &str, message| single(query, &[name]).map_err(|GivenTwice| Refusal::invalid(message));
    let page = value("Page", WRONG_PAGE)?.map(|text| positive(&text).ok_or(Refusal::invalid(WRONG_PAGE)));
    let limit = value("Limit", WRONG_LIMIT)?
        .map(|text| positive(&text).filter(|limit| *limit <= LIMIT_MAX).ok_or(Refusal::invalid(WRONG_LIMIT)));
    let (page, limit) = (page.transpose()?, limit.transpose()?);
    let (start, end) = (value("IntervalStart", WRONG_START)?, value("IntervalEnd", WRONG_END)?);
    let ends = interval(start.as_deref(), end.as_deref(), zone)?;
    let renewal = value("RenewalOrderReference", WRONG_RENEWAL)?
        .map(|text| positive(&text).ok_or(Refusal::invalid(WRONG_RENEWAL)));
    let option_code = value("OptionCode", WRONG_OPTION)?.map(|text| option_code(&text)).transpose()?;
    Ok(Parameters {
        page: page.unwrap_or(PAGE_DEFAULT),
        limit: limit.unwrap_or(LIMIT_DEFAULT),
        filter: UsageFilter {
            ends,
            option_code,
            renewal_order_reference: renewal.transpose()?,
            references: None,
        },
    })
}

/// An option code that a usage can have. Another one would match nothing, and be longer than the database takes.
pub(super) fn option_code(text: &str) -> Result<String, Refusal> {
    let is_possible =
        (1..=OPTION_BYTES_MAX).contains(&text.len()) && !text.contains(|letter: char| letter.is_control());
    if is_possible { Ok(text.to_owned()) } else { Err(Refusal::invalid(WRONG_OPTION)) }
}

/// A closed interval of ends of usage, in microseconds since the epoch: both ends are given, or none.
pub(super) fn interval(
    start: Option<&str>,
    end: Option<&str>,
    zone: &BillingZone,
) -> Result<Option<(i64, i64)>, Refusal> {
    match (start, end) {
        (None, None) => Ok(None),
        (Some(start), Some(end)) => {
            let start = time(start, zone).ok_or(Refusal::invalid(WRONG_START))?;
            Ok(Some((start, time(end, zone).ok_or(Refusal::invalid(WRONG_END))?)))
        }
        _ => Err(Refusal::invalid(HALF_INTERVAL)),
    }
}

/// The instant of a local time in the one form that there is. A year in which nothing can be used is as far as can be.
pub(super) fn time(text: &str, zone: &BillingZone) -> Option<i64> {
    if text.len() != TIME_LENGTH {
        return None;
    }
    match parse_instant(text, zone) {
        Ok(micros) => Some(micros),
        Err(TimeError::Range) if text < "1970-02" => Some(i64::MIN),
        Err(TimeError::Range) => Some(i64::MAX),
        Err(_) => None,
    }
}

/// A whole number from 1 on; what is beyond 64 bits is as large as can be.
fn positive(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX)).filter(|number| *number >= 1)
}

#[cfg(test)]
mod tests;
