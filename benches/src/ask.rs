//! Questions to the HTTP interface, over connections that stay open.

use anyhow::{Result, ensure};
use meterhouse_tests::{Service, Site};

use crate::fill::customer;

/// The last 24 months of a history, as the query of its address.
pub const MONTHS_24: &str = "?from_offset=24";

/// Asks for the history of a customer, which must have usage in it.
///
/// # Errors
/// There is no such answer.
pub fn history(agent: &ureq::Agent, site: &Site, service: &Service, number: u32, query: &str) -> Result<()> {
    let path = format!("/v1/billing/service_usage/history{query}");
    let request = agent
        .get(service.client().url(&path))
        .header("X-User-Agent", "bench")
        .header("X-Product-Name", "bench")
        .header("X-Customer", customer(number))
        .header("X-Client-Authorization", site.token());
    let body = request.call()?.body_mut().read_to_string()?;
    ensure!(body.contains("option-"), "no usage in {body}");
    Ok(())
}
