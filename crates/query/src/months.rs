//! The rules of the monthly report: from sums by option code and month to months of services. No IO.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meterhouse_model::{Catalog, Month, Quantity};
use meterhouse_store::Usage;

use crate::Range;

/// A month of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthUsage {
    /// The billing month.
    pub month: Month,
    /// Every service that the customer has ever used, by name, also those without usage in this month.
    pub services: Vec<ServiceUsage>,
}

/// Usage of one service in one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUsage {
    /// The catalog's name of the service, or the option code that the catalog lacks.
    pub service: Arc<str>,
    /// Exact sum of the units of all its option codes.
    pub usage: Quantity,
}

/// A sum that does not fit into 256 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SumTooLarge;

/// Sums by month and service, of the customer's whole life.
type Sums = BTreeMap<i64, BTreeMap<Arc<str>, Quantity>>;

/// Lists the months of the range.
///
/// `usage` is everything that the customer has ever used, in any order; a sum with no records behind it is no usage.
/// Months ascend, services are sorted by name, bytewise. There are no months without any usage at all, nor when the
/// range ends before it starts.
pub(crate) fn months(
    usage: &[Usage],
    catalog: &Catalog,
    range: Range,
    current: Month,
) -> Result<Vec<MonthUsage>, SumTooLarge> {
    let (sums, services) = sum_by_service(usage, catalog)?;
    let (Some(first_used), Some(last_used)) = (sums.first_key_value(), sums.last_key_value()) else {
        return Ok(Vec::new());
    };
    let (first, last) = range.resolve(current.index(), *first_used.0, *last_used.0);
    let nothing = BTreeMap::new();
    let month = |index: i64| {
        let used = sums.get(&index).unwrap_or(&nothing);
        let usage_of = |service: &Arc<str>| used.get(service).copied().unwrap_or(Quantity::ZERO);
        let services = services
            .iter()
            .map(|service| ServiceUsage { service: Arc::clone(service), usage: usage_of(service) });
        MonthUsage { month: Month::from_index(index), services: services.collect() }
    };
    Ok((first..=last).map(month).collect())
}

fn sum_by_service(usage: &[Usage], catalog: &Catalog) -> Result<(Sums, BTreeSet<Arc<str>>), SumTooLarge> {
    let mut sums = Sums::new();
    let mut services: BTreeSet<Arc<str>> = BTreeSet::new();
    for used in usage.iter().filter(|used| used.records > 0) {
        let name = catalog.service(&used.option_code).unwrap_or(&used.option_code);
        let service = match services.get(name) {
            Some(service) => Arc::clone(service),
            None => Arc::from(name),
        };
        services.insert(Arc::clone(&service));
        let sum = sums.entry(used.month.index()).or_default().entry(service).or_insert(Quantity::ZERO);
        *sum = sum.checked_add(used.total).ok_or(SumTooLarge)?;
    }
    Ok((sums, services))
}

#[cfg(test)]
mod tests;
