//! The body of a POST: an array of usages.

use std::sync::Arc;

use meterhouse_model::{Event, Reason, Reject, Rules, parse};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::parameters::time;
use super::refusal::Refusal;
use super::request::object;
use crate::writes::record;

/// Usages of a request.
const USAGES_MAX: usize = 1000;
/// The vendor's words for a usage outside of the subscription's life.
const OUT_OF_BOUNDS: &str = "Usage interval out of bounds";

/// A usage as it is sent, and, with two names, as an event says it. Values stay as they are written, so that they are judged
/// by the rules of events.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Usage<'b> {
    #[serde(skip_deserializing)]
    event_id: String,
    #[serde(skip_deserializing)]
    subscription_reference: &'b str,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    option_code: Option<&'b RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    usage_start: Option<&'b RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    usage_end: Option<&'b RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    units: Option<&'b RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    description: Option<&'b RawValue>,
}

#[derive(Serialize)]
struct Value<'b> {
    #[serde(rename = "Usages")]
    usages: Vec<Usage<'b>>,
}

/// Reads the body as events of a subscription, by the rules that ingest will judge them by. Their identities are
/// still to be given.
pub(super) fn read(
    body: &[u8],
    subscription: &str,
    rules: &Arc<Rules>,
    now_ms: i64,
) -> Result<Vec<Event<'static>>, Refusal> {
    let not_an_array = |_| Refusal::invalid("The body must be a JSON array of usages");
    let elements: Vec<&RawValue> = serde_json::from_slice(body).map_err(not_an_array)?;
    if !(1..=USAGES_MAX).contains(&elements.len()) {
        return Err(Refusal::invalid(format!(
            "The body must have 1 to {USAGES_MAX} usages, it has {}",
            elements.len()
        )));
    }
    let usages =
        elements.iter().enumerate().map(|(index, element)| usage(index, element.get(), subscription, rules));
    let value = Value { usages: usages.collect::<Result<_, _>>()? };
    let value = serde_json::to_vec(&value).map_err(|error| Refusal::invalid(error.to_string()))?;
    // The length of the record is another one in the end, and judged there.
    let rules = Rules { max_record_bytes: usize::MAX, ..Rules::clone(rules) };
    let events = parse(&record("", &value, now_ms), &rules).map_err(refusal)?;
    Ok(events.into_iter().map(Event::into_owned).collect())
}

fn usage<'b>(
    index: usize,
    element: &'b str,
    subscription: &'b str,
    rules: &Rules,
) -> Result<Usage<'b>, Refusal> {
    let mut usage: Usage<'b> =
        object(element.as_bytes()).map_err(|why| Refusal::invalid(format!("Usage {index}: {why}")))?;
    for (name, value) in [("UsageStart", usage.usage_start), ("UsageEnd", usage.usage_end)] {
        let text: Option<String> = value.and_then(|value| serde_json::from_str(value.get()).ok());
        if text.is_some_and(|text| time(&text, &rules.zone).is_none()) {
            let message = format!("Usage {index}: {name} must be a time in the format YYYY-MM-DD HH:MM:SS");
            return Err(Refusal::invalid(message));
        }
    }
    usage.event_id = index.to_string();
    usage.subscription_reference = subscription;
    Ok(usage)
}

/// A usage that the subscription has no place for.
pub(super) fn out_of_bounds(index: u16, of: usize) -> Refusal {
    if of == 1 {
        Refusal::invalid(OUT_OF_BOUNDS)
    } else {
        Refusal::invalid(format!("{OUT_OF_BOUNDS}: usage {index}"))
    }
}

fn refusal(reject: Reject) -> Refusal {
    let at = reject.index.unwrap_or_default();
    match reject.reason {
        Reason::UnknownSubscription => Refusal::NoSubscription,
        Reason::OutsideSubscription => Refusal::invalid(format!("{OUT_OF_BOUNDS}: usage {at}")),
        _ => Refusal::invalid(format!("Usage {at}: {}", reject.detail)),
    }
}

#[cfg(test)]
mod tests;
