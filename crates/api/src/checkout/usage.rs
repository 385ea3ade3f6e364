//! A usage in the documented shape.

use meterhouse_model::{BillingZone, Event, Units};
use meterhouse_store::ListedUsage;
use serde::Serialize;
use serde_json::value::RawValue;

/// What is saved: seven members.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SavedUsage {
    usage_reference: u64,
    subscription_reference: String,
    option_code: String,
    /// In the billing time zone, without a fraction.
    usage_start: String,
    usage_end: String,
    units: Box<RawValue>,
    description: String,
}

/// What is listed: one more.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Item {
    #[serde(flatten)]
    usage: SavedUsage,
    renewal_order_reference: Option<u64>,
}

impl SavedUsage {
    /// `None`: there is no way for a number not to be JSON.
    pub(super) fn of(event: &Event<'_>, zone: &BillingZone) -> Option<Self> {
        Some(Self {
            usage_reference: event.identity_hash().usage_reference(),
            subscription_reference: event.subscription.to_string(),
            option_code: event.option_code.to_string(),
            usage_start: zone.local_text(event.start),
            usage_end: zone.local_text(event.end),
            units: number(event.units)?,
            description: event.description.to_string(),
        })
    }
}

impl Item {
    /// As [`SavedUsage::of`].
    pub(super) fn of(usage: ListedUsage, subscription: &str, zone: &BillingZone) -> Option<Self> {
        let saved = SavedUsage {
            usage_reference: usage.usage_reference,
            subscription_reference: subscription.to_owned(),
            usage_start: zone.local_text(usage.start),
            usage_end: zone.local_text(usage.end),
            units: number(usage.units)?,
            option_code: usage.option_code,
            description: usage.description,
        };
        Some(Self { usage: saved, renewal_order_reference: usage.renewal_order_reference })
    }
}

/// The exact number: an integer where it is whole.
fn number(units: Units) -> Option<Box<RawValue>> {
    let text = units.whole().map_or_else(|| units.to_string(), |whole| whole.to_string());
    RawValue::from_string(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_exact_numbers() {
        for (text, shown) in [
            ("15", "15"),
            ("15.0", "15"),
            ("0", "0"),
            ("12.5", "12.5"),
            ("-0.25", "-0.25"),
            ("-3e2", "-300"),
            ("0.000000000000000001", "0.000000000000000001"),
            ("99999999999999999999.999999999999999999", "99999999999999999999.999999999999999999"),
        ] {
            assert_eq!(number(Units::parse(text).unwrap()).unwrap().get(), shown);
        }
    }
}
