//! No answer holds anything of somebody whom the credentials are not for.

use std::collections::BTreeSet;

use anyhow::Result;
use meterhouse_tests::usages::Usages;
use meterhouse_tests::{Reply, Service, Token};

use super::{BILL, OWNED, PRIMES, by_merchant, history_headers, merchant, owners, site, token};

/// Whom the credentials of a name are for.
const PRINCIPALS: [(&str, &[&str]); 6] = [
    ("crimson", &["crimson"]),
    ("emerald", &["emerald"]),
    ("azure", &["azure"]),
    ("two", &["crimson", "emerald"]),
    ("all", &["*"]),
    ("none", &[]),
];

/// Fails unless an answer names none of the customers that it should not know of.
fn names_only(reply: &Reply, allowed: &BTreeSet<&str>) {
    for (name, _) in PRIMES.iter().filter(|(name, _)| !allowed.contains(name)) {
        assert!(!reply.body.contains(name), "{name} in {reply:?}");
    }
}

fn allowed(customers: &[&str]) -> BTreeSet<&'static str> {
    let is_allowed = |name: &str| customers.contains(&"*") || customers.contains(&name);
    PRIMES.iter().map(|(name, _)| *name).filter(|name| is_allowed(name)).collect()
}

/// Every history that anybody could ask for.
fn check_histories(service: &Service, principal: &str, customers: &[&str]) -> Result<()> {
    let allowed = allowed(customers);
    for (customer, _) in PRIMES {
        let authorization = ("X-Client-Authorization", principal);
        let headers = [&history_headers(customer)[..], &[authorization]].concat();
        let reply = service.client().send("GET", super::HISTORY, &headers, "")?;
        names_only(&reply, &allowed);
        if !allowed.contains(customer) {
            assert_eq!(reply.status, 401, "{principal} asks for {customer}: {reply:?}");
            continue;
        }
        assert_eq!(reply.status, 200, "{principal} asks for {customer}: {reply:?}");
        // What nobody owns is in nobody's history, whatever the name.
        let expected = Some(customer).filter(|name| *name != "nobody");
        assert_eq!(owners(&reply)?, expected.into_iter().collect(), "{principal} asks for {customer}");
    }
    Ok(())
}

/// The bill, of principals with one customer.
fn check_bill(service: &Service, principal: &str, customers: &[&str]) -> Result<()> {
    let authorization = format!("Bearer {principal}");
    let reply = service.client().send("GET", BILL, &[("Authorization", &authorization)], "")?;
    names_only(&reply, &allowed(customers));
    if let [customer] = customers
        && *customer != "*"
    {
        assert_eq!((reply.status, owners(&reply)?), (200, [*customer].into()), "bill of {principal}");
    } else {
        assert_eq!((reply.status, reply.json()?["errors"][0]["code"].as_u64()), (403, Some(10403)));
    }
    Ok(())
}

/// The usages of every subscription.
fn check_lists(usages: &Usages, principal: &str, customers: &[&str]) -> Result<()> {
    let allowed = allowed(customers);
    for (subscription, owned) in OWNED {
        let expected: BTreeSet<&str> = owned.iter().copied().filter(|name| allowed.contains(name)).collect();
        let reply = usages.list(subscription, "?Page=1&Limit=100")?;
        names_only(&reply, &allowed);
        if expected.is_empty() {
            assert_eq!(reply.status, 404, "{principal} lists {subscription}: {reply:?}");
        } else {
            assert_eq!(reply.status, 200, "{principal} lists {subscription}: {reply:?}");
            assert_eq!(owners(&reply)?, expected, "{principal} lists {subscription}");
        }
    }
    Ok(())
}

#[test]
fn every_number_is_of_a_customer_whom_the_credentials_are_for() -> Result<()> {
    let tokens = PRINCIPALS.map(|(name, customers)| token(name, customers));
    let merchants = PRINCIPALS.map(|(name, customers)| merchant(name).table(customers, ""));
    let (site, service) = site("access_leaks", &(Token::file(&tokens) + &merchants.concat()))?;
    // First from the events, then from sums by day.
    for _ in 0..2 {
        for (principal, customers) in PRINCIPALS {
            check_histories(&service, principal, customers)?;
            check_bill(&service, principal, customers)?;
            check_lists(&Usages::new(service.client(), principal), principal, customers)?;
            check_lists(&by_merchant(&service, principal)?, principal, customers)?;
        }
        site.wait_rolled_up()?;
    }
    Ok(())
}
