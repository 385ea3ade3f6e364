//! Reading and writing single usages over HTTP.

mod apart;
mod keys;
mod left_behind;
mod list;
mod model;
mod moved;
mod own_writes;
mod refused;
mod serial;
mod write;

use anyhow::Result;
use meterhouse_tests::usages::Usages;
use meterhouse_tests::{Service, Site, Token};

const TOKEN: &str = "mh_usages";

/// A site with a token that may do everything, and one that the site reads histories with.
fn site(name: &str) -> Result<(Site, Service, Usages)> {
    let site = Site::new(name)?;
    site.write_credentials(&[Token::new("mh_test"), Token::for_usages(TOKEN, &["*"])])?;
    site.write_subscriptions(
        "subscription,customer,start,expires\n83FE4FEF2,1000941,2018-01-01T00:00:00Z,\nS,c,2026-01-01T00:00:00Z,\n",
    )?;
    let service = site.serve()?;
    let usages = Usages::new(service.client(), TOKEN);
    Ok((site, service, usages))
}
