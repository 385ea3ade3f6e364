//! What a DELETE is about: criteria in the query, in a JSON body, or in both.
//!
//! Unlike elsewhere an unknown criterion is an error: without it more would be deleted than was meant.

use std::collections::BTreeMap;

use meterhouse_model::BillingZone;
use meterhouse_store::UsageFilter;
use serde::Deserialize;
use serde_json::Value;

use super::parameters::{interval, option_code};
use super::refusal::Refusal;
use super::{path, request};

const NAMES: [&str; 4] = ["UsageReference", "OptionCode", "IntervalStart", "IntervalEnd"];
const NONE: &str = "At least one of UsageReference, OptionCode, IntervalStart and IntervalEnd must be given";

/// Criteria in a body. One that is null is not given.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    usage_reference: Option<Value>,
    option_code: Option<Value>,
    interval_start: Option<Value>,
    interval_end: Option<Value>,
}

/// Reads the criteria. All that are given have to match.
pub(super) fn read(query: &str, body: &[u8], zone: &BillingZone) -> Result<UsageFilter, Refusal> {
    let mut criteria = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        add(&mut criteria, &name, value.into_owned())?;
    }
    if !body.trim_ascii().is_empty() {
        let wrong = |why| Refusal::invalid(format!("The body must be an object with criteria: {why}"));
        let body: Body = request::object(body).map_err(wrong)?;
        let given = [body.usage_reference, body.option_code, body.interval_start, body.interval_end];
        for (name, value) in NAMES.into_iter().zip(given) {
            if let Some(value) = value {
                add(&mut criteria, name, text(name, value)?)?;
            }
        }
    }
    if criteria.is_empty() {
        return Err(Refusal::invalid(NONE));
    }
    let given = |name: &str| criteria.get(name).map(String::as_str);
    let reference = given("UsageReference").map(path::reference).transpose()?;
    Ok(UsageFilter {
        ends: interval(given("IntervalStart"), given("IntervalEnd"), zone)?,
        option_code: given("OptionCode").map(option_code).transpose()?,
        renewal_order_reference: None,
        references: reference.map(|reference| vec![reference]),
    })
}

fn text(name: &str, value: Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Refusal::invalid(format!("{name} must be a string or an integer"))),
    }
}

fn add(criteria: &mut BTreeMap<String, String>, name: &str, value: String) -> Result<(), Refusal> {
    if !NAMES.contains(&name) {
        let shown: String = name.escape_debug().take(40).collect();
        return Err(Refusal::invalid(format!("{shown} is no criterion of a deletion")));
    }
    if criteria.insert(name.to_owned(), value).is_some() {
        return Err(Refusal::invalid(format!("{name} is given twice")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
