//! `from_offset` and `to_offset`.
//!
//! An integer is an optional minus sign and decimal digits: `5`, `05` and `-3` are, `+5`, ` 5`, `5.0`, `0x5` and the
//! empty text are not. An empty value is no missing one: taking it for that would widen the report behind the
//! client's back. An integer of any length is an integer, so a huge one is too large and not "no integer". A
//! parameter that is given twice is a list, and a list is no integer. Other parameters are ignored.

use meterhouse_query::{MAX_FROM_OFFSET, Range};
use serde::Serialize;

use crate::query::{GivenTwice, single};

/// The body of a 422.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct InvalidParameters {
    error: &'static str,
    details: Details,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    from_offset: Option<[Fault; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_offset: Option<[Fault; 1]>,
}

/// What is wrong with a parameter, in the words of the documented error keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "error", content = "options", rename_all = "snake_case")]
enum Fault {
    NotAnInteger,
    GreaterOrEqualTo { number: u32 },
    LessOrEqualTo { number: u32 },
}

/// Reads the query of a request, as it was sent. All wrong parameters are reported at once.
pub(super) fn parse(query: &str) -> Result<Range, InvalidParameters> {
    let from = offset(query, "from_offset", Some(MAX_FROM_OFFSET));
    // The end is held against the start only where that is a number to hold it against.
    let to = offset(query, "to_offset", from.ok().flatten());
    let details =
        Details { from_offset: from.err().map(|fault| [fault]), to_offset: to.err().map(|fault| [fault]) };
    let invalid = InvalidParameters { error: "Invalid parameters", details };
    match (from, to) {
        (Ok(from), Ok(to)) => Range::new(from, to).ok_or(invalid),
        _ => Err(invalid),
    }
}

fn offset(query: &str, name: &str, max: Option<u32>) -> Result<Option<u32>, Fault> {
    let value = single(query, &[name]).map_err(|GivenTwice| Fault::NotAnInteger)?;
    let Some(text) = value else { return Ok(None) };
    let number = months(&text)?;
    match max {
        Some(max) if number > max => Err(Fault::LessOrEqualTo { number: max }),
        _ => Ok(Some(number)),
    }
}

/// An integer of any length that is not negative. What is beyond `u32` becomes its largest value, which is 350 million
/// years back.
fn months(text: &str) -> Result<u32, Fault> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::NotAnInteger);
    }
    // Only digits: the one way to fail is that they are too many.
    let number = digits.parse().unwrap_or(u32::MAX);
    if negative && number > 0 { Err(Fault::GreaterOrEqualTo { number: 0 }) } else { Ok(number) }
}

#[cfg(test)]
mod tests;
