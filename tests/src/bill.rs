//! The bill as a client of the HTTP interface gets it, page after page.

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Client;
use crate::oracle::BillItem;

/// The path of the bill.
pub const PATH: &str = "/client/v4/user/billing/history";

/// A successful answer. Amounts keep their digits.
#[derive(Debug, Deserialize)]
pub struct Page {
    /// The items of the page.
    pub result: Vec<Item>,
    /// Where it is in the whole.
    pub result_info: Info,
}

/// An item with all of its members.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "they are those of the document")]
pub struct Item {
    pub id: String,
    pub r#type: String,
    pub action: String,
    pub description: String,
    pub occurred_at: String,
    pub amount: Box<RawValue>,
    pub currency: String,
    pub zone: Zone,
}

/// What an item is about.
#[derive(Debug, Deserialize)]
pub struct Zone {
    /// The subscription.
    pub name: String,
}

/// The numbers of a page.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "they are those of the document")]
pub struct Info {
    pub page: u64,
    pub per_page: u64,
    pub count: u64,
    pub total_count: u64,
    pub total_pages: u64,
}

/// A page of the bill of a token's customer, with a query such as `?page=2`.
///
/// # Errors
/// There is no answer, or another one than 200.
pub fn page(client: &Client, token: &str, query: &str) -> Result<Page> {
    let bearer = format!("Bearer {token}");
    let reply = client.send("GET", &format!("{PATH}{query}"), &[("Authorization", &bearer)], "")?;
    ensure!(reply.status == 200, "bill: {} {}", reply.status, reply.body);
    Ok(serde_json::from_str(&reply.body)?)
}

/// All items of the bill of a token's customer, in the order of the oracle.
///
/// # Errors
/// There is no answer, or another one than 200.
pub fn all_items(client: &Client, token: &str) -> Result<Vec<BillItem>> {
    let mut items = Vec::new();
    for number in 1.. {
        let page = page(client, token, &format!("?per_page=50&page={number}"))?;
        if page.result.is_empty() {
            break;
        }
        items.extend(page.result.into_iter().map(BillItem::from));
    }
    items.sort();
    Ok(items)
}

impl From<Item> for BillItem {
    fn from(item: Item) -> Self {
        Self {
            zone: item.zone.name,
            currency: item.currency,
            amount: item.amount.get().to_owned(),
            kind: item.r#type,
            occurred_at: item.occurred_at,
            description: item.description,
        }
    }
}
