//! The rules of the bill: from sums by subscription, option code and month to priced items. No IO.

use std::collections::BTreeMap;

use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, RoundingMode};
use meterhouse_model::{Catalog, Currency, Month, Quantity, Units};
use meterhouse_store::Usage;
use sha2::{Digest, Sha256};

/// Digits after the point of [`Quantity`] and [`Units`].
const SCALE: i64 = 18;
/// Bytes of an item's id.
const ID_BYTES: usize = 16;

/// What a subscription has used of a service in a month, priced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// 32 hexadecimal digits, the same for ever for a customer, subscription, service, currency and month.
    pub id: String,
    /// Subscription.
    pub subscription: String,
    /// The catalog's name of the service.
    pub service: String,
    /// Billing month.
    pub month: Month,
    /// Exact sum of the units, of all option codes of the service with a price in this currency.
    pub units: BigDecimal,
    /// Units times their prices, rounded half to even to the currency's smallest amount. Below zero it is a credit.
    pub amount: BigDecimal,
    /// What it is paid in.
    pub currency: Currency,
    /// Latest end of the month's usage, in microseconds since the epoch.
    pub occurred_at: i64,
}

impl Charge {
    /// Whether the customer gets money for it.
    pub fn is_credit(&self) -> bool {
        self.amount.sign() == Sign::Minus
    }
}

/// What one item is about.
type Key = (String, String, Currency, Month);

/// The exact sums of an item. No usage ends before 1970.
#[derive(Default)]
struct Sum {
    units: BigDecimal,
    amount: BigDecimal,
    latest_end: i64,
}

/// Prices the usage of a customer. What has no price is no item, nor is a sum with no records behind it.
///
/// An item is of one subscription, service, currency and month. They come in this order, names bytewise.
pub(crate) fn charges(customer: &str, usage: &[Usage], catalog: &Catalog) -> Vec<Charge> {
    let mut sums: BTreeMap<Key, Sum> = BTreeMap::new();
    for used in usage.iter().filter(|used| used.records > 0) {
        let Some(option) = catalog.option(&used.option_code) else { continue };
        let Some(price) = &option.price else { continue };
        let units = of_quantity(used.total);
        let amount = &units * of_units(price.unit_price);
        let key = (used.subscription.clone(), option.service.clone(), price.currency, used.month);
        sums.entry(key).or_default().add(&units, &amount, used.latest_end);
    }
    sums.into_iter().map(|(key, sum)| sum.into_charge(customer, key)).collect()
}

impl Sum {
    fn add(&mut self, units: &BigDecimal, amount: &BigDecimal, latest_end: i64) {
        self.units += units;
        self.amount += amount;
        self.latest_end = self.latest_end.max(latest_end);
    }

    fn into_charge(self, customer: &str, (subscription, service, currency, month): Key) -> Charge {
        let digits = i64::from(currency.minor_digits());
        Charge {
            id: id(customer, &subscription, &service, currency, month),
            units: self.units,
            amount: self.amount.with_scale_round(digits, RoundingMode::HalfEven),
            occurred_at: self.latest_end,
            subscription,
            service,
            currency,
            month,
        }
    }
}

/// Each name with its length in front: no two items have the same text.
fn id(customer: &str, subscription: &str, service: &str, currency: Currency, month: Month) -> String {
    let mut hash = Sha256::new();
    for name in [customer, subscription, service, currency.code(), &month.to_string()] {
        hash.update(format!("{}:{name}", name.len()));
    }
    hex::encode(&hash.finalize()[..ID_BYTES])
}

fn of_quantity(quantity: Quantity) -> BigDecimal {
    BigDecimal::new(BigInt::from_signed_bytes_le(&quantity.to_le_bytes()), SCALE)
}

fn of_units(units: Units) -> BigDecimal {
    BigDecimal::new(BigInt::from(units.0), SCALE)
}

#[cfg(test)]
mod tests;
