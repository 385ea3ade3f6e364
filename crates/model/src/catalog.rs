//! The catalog: which service an option code is shown as, and what a unit costs.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::load::unless_wrong;
use crate::reject::quote;
use crate::table::{Layout, Row, read_csv, read_toml};
use crate::{Currency, LoadError, Problem, Units};

const LAYOUT: Layout = Layout {
    array: "option",
    columns: &["code", "service", "unit_price", "currency"],
    required: &["code", "service"],
};

/// Option codes and what is known of them. It is applied when usage is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    options: HashMap<String, CatalogOption>,
}

/// What is known of an option code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogOption {
    /// The service that its usage is shown as; several codes may share one.
    pub service: String,
    /// What a unit costs, where it is for sale.
    pub price: Option<Price>,
}

/// The price of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Exact, in units of the currency; below zero for a credit.
    pub unit_price: Units,
    /// What it is paid in.
    pub currency: Currency,
}

impl Catalog {
    /// Reads `[[option]]` tables with `code`, `service` and, both or none, `unit_price` and `currency`; all are strings.
    ///
    /// # Errors
    /// All that is wrong with the text, with its lines.
    pub fn from_toml(text: &str) -> Result<Self, LoadError> {
        Self::from_rows(read_toml(text, &LAYOUT))
    }

    /// Reads columns with the names of [`Catalog::from_toml`]'s keys.
    ///
    /// # Errors
    /// All that is wrong with the text, with its lines.
    pub fn from_csv(text: &str) -> Result<Self, LoadError> {
        Self::from_rows(read_csv(text, &LAYOUT))
    }

    /// What is known of an option code.
    pub fn option(&self, code: &str) -> Option<&CatalogOption> {
        self.options.get(code)
    }

    /// The service of an option code.
    pub fn service(&self, code: &str) -> Option<&str> {
        self.option(code).map(|option| option.service.as_str())
    }

    /// All option codes and what is known of them, in no order.
    pub fn options(&self) -> impl Iterator<Item = (&str, &CatalogOption)> {
        self.options.iter().map(|(code, option)| (code.as_str(), option))
    }

    /// Number of option codes.
    pub fn len(&self) -> usize {
        self.options.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.options.is_empty()
    }

    fn from_rows((rows, mut problems): (Vec<Row>, Vec<Problem>)) -> Result<Self, LoadError> {
        let mut options = HashMap::new();
        let mut lines: HashMap<&str, u64> = HashMap::new();
        for row in &rows {
            let code = row.name("code", &mut problems);
            let service = row.name("service", &mut problems);
            let price = price(row, &mut problems);
            let (Some(code), Some(service)) = (code, service) else { continue };
            match lines.entry(code) {
                Entry::Occupied(first) => {
                    let text =
                        format!("the code {} is given twice, first in line {}", quote(code), first.get());
                    problems.push(row.problem("code", text));
                }
                Entry::Vacant(place) => {
                    place.insert(row.line);
                    options.insert(code.to_owned(), CatalogOption { service: service.to_owned(), price });
                }
            }
        }
        unless_wrong(Self { options }, problems)
    }
}

fn price(row: &Row, problems: &mut Vec<Problem>) -> Option<Price> {
    let unit_price = row.get("unit_price").and_then(|text| match Units::parse(text) {
        Ok(units) => Some(units),
        Err(error) => {
            problems.push(row.problem("unit_price", format!("unit_price {}: {error}", quote(text))));
            None
        }
    });
    let currency = row.get("currency").and_then(|text| {
        let currency = Currency::from_code(text);
        if currency.is_none() {
            let problem = format!("currency {} is none of ISO 4217 with a smallest amount", quote(text));
            problems.push(row.problem("currency", problem));
        }
        currency
    });
    if row.get("unit_price").is_some() != row.get("currency").is_some() {
        let text = "unit_price and currency are given both or not at all".to_owned();
        problems.push(Problem { line: row.line, text });
    }
    Some(Price { unit_price: unit_price?, currency: currency? })
}
