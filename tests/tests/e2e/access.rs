//! Who may see and do what: credentials of every kind, against every route, with usage of several customers.
//!
//! All units of a customer are multiples of a prime of its own. So whatever number an answer shows tells whose usage is
//! in it, and a sum over usage of two is a multiple of neither.

mod answers;
mod foreign;
mod injection;
mod leaks;
mod merchants;
mod table;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};
use meterhouse_tests::usages::Usages;
use meterhouse_tests::{Merchant, Reply, Service, Site, Token, Usage};
use serde_json::Value;

const HISTORY: &str = "/v1/billing/service_usage/history";
const BILL: &str = meterhouse_tests::bill::PATH;
const SUBSCRIPTIONS: &str = "/rest/6.0/subscriptions";

const PERMITS: [&str; 4] =
    ["Billing:Api:ServiceUsageHistory:Show", "#billing:read", "usages:read", "usages:write"];

/// Customers, each with its prime; what nobody owns has one, too.
const PRIMES: [(&str, u64); 4] = [("crimson", 1009), ("emerald", 2003), ("azure", 3001), ("nobody", 4001)];

/// Subscriptions, each with those who have usage of it. `shared` goes from crimson to emerald; the registry knows nothing of azure.
const OWNED: [(&str, &[&str]); 5] = [
    ("C-crimson", &["crimson"]),
    ("E-emerald", &["emerald"]),
    ("A-azure", &["azure"]),
    ("N-nobody", &["nobody"]),
    ("shared", &["crimson", "emerald", "azure"]),
];

const REGISTRY: &str = "subscription,customer,start,expires\nC-crimson,crimson,2026-01-01T00:00:00Z,\n\
                        E-emerald,emerald,2026-01-01T00:00:00Z,\nshared,crimson,2026-01-01T00:00:00Z,2026-10-10T00:00:00Z\n\
                        shared,emerald,2026-10-10T00:00:00Z,\n";
/// A whole number is an amount.
const CATALOG: &str = "code,service,unit_price,currency\ncpu,compute,1,JPY\n";

/// The multiple of a customer's prime.
fn units(customer: &str, times: u64) -> u64 {
    let prime = PRIMES.iter().find(|(name, _)| *name == customer).map_or(0, |(_, prime)| *prime);
    prime * times
}

/// Usage of a customer that its record does not name.
fn unnamed(subscription: &str, customer: &str, day: &str, times: u64) -> Usage {
    let usage = Usage::default().without("Customer").with("SubscriptionReference", subscription);
    let usage = usage.with_json("Units", &units(customer, times).to_string());
    usage.with("Description", &format!("of {customer}")).on(day)
}

/// A site with usage of them all, and a service that has stored it.
fn site(name: &str, credentials: &str) -> Result<(Site, Service)> {
    let site = Site::new(name)?;
    site.write_catalog(CATALOG)?;
    site.write_subscriptions(REGISTRY)?;
    write_credentials(&site, credentials)?;
    let service = site.serve()?;
    let named =
        |subscription, day, times| unnamed(subscription, "azure", day, times).with("Customer", "azure");
    let usages = [
        unnamed("C-crimson", "crimson", "2026-09-03", 2),
        unnamed("C-crimson", "crimson", "2026-10-03", 3),
        unnamed("C-crimson", "crimson", "2026-10-04", 5).with("OptionCode", "extra"),
        unnamed("E-emerald", "emerald", "2026-09-03", 2),
        unnamed("E-emerald", "emerald", "2026-10-03", 3),
        named("A-azure", "2026-10-03", 2),
        unnamed("N-nobody", "nobody", "2026-10-03", 2),
        unnamed("shared", "crimson", "2026-10-05", 7),
        unnamed("shared", "emerald", "2026-10-15", 7),
        named("shared", "2026-10-20", 7),
    ];
    site.publisher()?.publish(&usages.map(|usage| usage.message()))?;
    site.wait_consumed()?;
    Ok((site, service))
}

fn write_credentials(site: &Site, credentials: &str) -> Result<()> {
    fs::write(site.dir().join("credentials.toml"), credentials).context("write credentials.toml")
}

/// A token with every permit.
fn token(text: &str, customers: &[&str]) -> Token {
    let permits = PERMITS.map(str::to_owned).to_vec();
    Token { permits, ..Token::for_usages(text, customers) }
}

/// A merchant with a code, and a secret of its own.
fn merchant(code: &str) -> Merchant {
    Merchant::new(code, &format!("secret of {code}"))
}

/// A client for usages as customers have them, by the merchant with this code.
fn by_merchant(service: &Service, code: &str) -> Result<Usages> {
    Ok(Usages::with(service.client(), merchant(code).header()?))
}

/// Whose usage is in the numbers of an answer. Fails where one is not of exactly one customer.
fn owners(reply: &Reply) -> Result<BTreeSet<&'static str>> {
    let owner = |number: u64| {
        let mut owners = PRIMES.iter().filter(|(_, prime)| number.is_multiple_of(*prime));
        match (owners.next(), owners.next()) {
            (Some((name, _)), None) => Ok(*name),
            _ => bail!("{number} is of nobody, or of several: {reply:?}"),
        }
    };
    let mut numbers = Vec::new();
    add_numbers(&reply.json()?, &mut numbers)?;
    // The services that a customer has used are listed in every month.
    numbers.into_iter().filter(|number| *number != 0).map(owner).collect()
}

/// Adds all quantities and amounts of an answer, of any family, which are whole here.
fn add_numbers(value: &Value, numbers: &mut Vec<u64>) -> Result<()> {
    let members = match value {
        Value::Array(items) => return items.iter().try_for_each(|item| add_numbers(item, numbers)),
        Value::Object(members) => members,
        _ => return Ok(()),
    };
    for (name, value) in members {
        let text = match (name.as_str(), value) {
            ("usage", Value::String(text)) => text.trim_end_matches(".0").to_owned(),
            ("Units" | "amount", number) => number.to_string(),
            // Service, units and month.
            ("description", Value::String(text)) => text.split(' ').nth(1).unwrap_or_default().to_owned(),
            _ => {
                add_numbers(value, numbers)?;
                continue;
            }
        };
        numbers.push(text.parse().with_context(|| format!("{name} is {value}"))?);
    }
    Ok(())
}

/// What a request for a history has to say beside its token.
fn history_headers(customer: &str) -> [(&str, &str); 3] {
    [("X-User-Agent", "tests"), ("X-Product-Name", "tests"), ("X-Customer", customer)]
}
