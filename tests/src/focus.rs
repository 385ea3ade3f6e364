//! The FOCUS sample as usage events. `tests/data/focus/README.md` describes the mapping; this is the only place that
//! does it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use csv::StringRecord;
use meterhouse_localstack::workspace_dir;
use serde::Serialize;

use crate::Message;

/// What the file writes where it has no value.
const NULL: &str = "NULL";
/// The columns that are used.
const COLUMNS: [&str; COLUMN_COUNT] = [
    "Id",
    "BillingAccountId",
    "SubAccountId",
    "SkuId",
    "ServiceName",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ConsumedQuantity",
    "ChargeDescription",
    "ProviderName",
];
const COLUMN_COUNT: usize = 10;

/// The sample's records, and the catalog that gives their services back.
#[derive(Debug)]
pub struct Focus {
    /// A record for each row, in the file's order.
    pub messages: Vec<Message>,
    /// The services, as a CSV file for `catalog.path`.
    pub catalog: String,
    /// The billing accounts, each a customer, and whose cloud they use.
    pub customers: BTreeMap<String, String>,
}

/// A row's event. A quantity that is missing is left out, so that the record says what the row says.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    event_id: &'a str,
    customer: &'a str,
    subscription_reference: &'a str,
    option_code: &'a str,
    usage_start: String,
    usage_end: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<&'a str>,
    description: &'a str,
}

/// Where the sample is.
pub fn path() -> PathBuf {
    workspace_dir().join("tests/data/focus/focus_sample.csv")
}

/// Reads the sample.
///
/// # Errors
/// The file is not what it was.
pub fn read(path: &Path) -> Result<Focus> {
    let mut reader = csv::Reader::from_path(path).with_context(|| format!("read {}", path.display()))?;
    let header = reader.headers()?.clone();
    let place =
        |column| header.iter().position(|name| name == column).with_context(|| format!("no column {column}"));
    let places = COLUMNS.iter().map(|column| place(*column)).collect::<Result<Vec<_>>>()?;
    let rows: Vec<StringRecord> = reader.into_records().collect::<Result<_, _>>()?;
    let cells = |row: &'_ StringRecord| -> Vec<String> {
        places.iter().map(|place| row.get(*place).unwrap_or(NULL).to_owned()).collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let services = services(&rows);
    let mut focus = Focus { messages: Vec::new(), catalog: String::new(), customers: BTreeMap::new() };
    let mut catalog = BTreeMap::new();
    for row in &rows {
        let [id, account, subscription, sku, service, start, end, quantity, description, provider] =
            columns(row)?;
        let is_shared = services.get(sku).is_some_and(|services| services.len() > 1);
        let option_code = if is_shared { format!("{sku}/{service}") } else { sku.to_owned() };
        let event = Event {
            event_id: id,
            customer: account,
            subscription_reference: subscription,
            option_code: &option_code,
            usage_start: rfc_3339(start),
            usage_end: rfc_3339(end),
            units: (quantity != NULL).then_some(quantity),
            description,
        };
        focus.messages.push(Message::new(subscription, serde_json::to_vec(&event)?));
        focus.customers.insert(account.to_owned(), provider.to_owned());
        catalog.insert(option_code, service);
    }
    focus.catalog = catalog_file(&catalog)?;
    Ok(focus)
}

/// The services of each SKU: nearly always one.
fn services(rows: &[Vec<String>]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut services: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for [_, _, _, sku, service, ..] in rows.iter().filter_map(|row| columns(row).ok()) {
        services.entry(sku).or_default().insert(service);
    }
    services
}

fn columns(row: &[String]) -> Result<[&str; COLUMN_COUNT]> {
    let cells: Vec<&str> = row.iter().map(String::as_str).collect();
    cells.try_into().ok().context("a row of another length")
}

/// The sample's times are UTC; said so, they mean the same in every billing time zone.
fn rfc_3339(time: &str) -> String {
    format!("{}Z", time.replacen(' ', "T", 1))
}

fn catalog_file(services: &BTreeMap<String, &str>) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["code", "service"])?;
    for (code, service) in services {
        writer.write_record([code.as_str(), service])?;
    }
    String::from_utf8(writer.into_inner()?).context("the catalog is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_record_and_every_code_has_its_service() {
        let focus = read(&path()).unwrap();
        assert_eq!(focus.messages.len(), 1000);
        assert_eq!(focus.customers.len(), 3);
        let first = String::from_utf8(focus.messages[0].value.clone().unwrap()).unwrap();
        let expected = "{\"EventId\":\"11472\",\"Customer\":\"1234567890123\",\"SubscriptionReference\":\"51738928782\",\
            \"OptionCode\":\"G95FST5FTYV3JSRX\",\"UsageStart\":\"2024-09-18T22:00:00Z\",\
            \"UsageEnd\":\"2024-09-18T23:00:00Z\",\"Units\":\"2.000000000000000\",\
            \"Description\":\"$0.40 per million Amazon SQS standard requests in Tier1 in US West (Oregon)\"}";
        assert_eq!(first, expected);
        assert!(focus.catalog.contains("\nG95FST5FTYV3JSRX,Amazon Simple Queue Service\n"));
        assert!(focus.catalog.contains("\n9DEJHBACUYEYMVN8/Elastic Load Balancing,Elastic Load Balancing\n"));
        let services: BTreeSet<&str> =
            focus.catalog.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
        assert_eq!(services.len(), 33);
    }
}
