//! One item of a bill, in the documented shape.

use chrono::{DateTime, Utc};
use meterhouse_query::Charge;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// What all items are for.
const ACTION: &str = "usage";
/// Longest description, in characters.
const DESCRIPTION_CHARS_MAX: usize = 255;

/// An item. All members are required.
#[derive(Debug, Serialize)]
pub(super) struct Item {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) action: &'static str,
    description: String,
    #[serde(serialize_with = "with_its_fraction")]
    pub(super) occurred_at: DateTime<Utc>,
    /// A JSON number of any length: a float would round it.
    amount: Box<RawValue>,
    currency: &'static str,
    zone: Zone,
}

#[derive(Debug, Serialize)]
struct Zone {
    name: String,
}

impl Item {
    /// None for what cannot be shown, which there is not: an amount that is no number, a time beyond all calendars.
    pub(super) fn of(charge: &Charge) -> Option<Self> {
        let units = charge.units.normalized().to_plain_string();
        let description = format!("{}: {units} units in {}", charge.service, charge.month);
        Some(Self {
            id: charge.id.clone(),
            kind: if charge.is_credit() { "credit" } else { "charge" },
            action: ACTION,
            description: description.chars().take(DESCRIPTION_CHARS_MAX).collect(),
            occurred_at: DateTime::from_timestamp_micros(charge.occurred_at)?,
            amount: RawValue::from_string(charge.amount.to_plain_string()).ok()?,
            currency: charge.currency.code(),
            zone: Zone { name: charge.subscription.clone() },
        })
    }
}

/// RFC 3339 in UTC, with as many digits as there are.
fn with_its_fraction<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    let fraction = format!("{:06}", time.timestamp_subsec_micros());
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    serializer.collect_str(&format_args!("{}{point}{fraction}Z", time.format("%Y-%m-%dT%H:%M:%S")))
}

#[cfg(test)]
mod tests;
