//! What the tests of the whole service, and the demo, are made of.
//!
//! Everything here looks at the service from outside: the `meterhouse` program, Kafka, ClickHouse, HTTP. No crate of the
//! service is used, so nothing can be wrong in the same way on both sides.
//!
//! - [`shared`] starts one Kafka and one ClickHouse for all tests of a binary; tests that kill a server launch their own.
//! - A [`Site`] is what one test has of them: a topic, a consumer group, a database, and a configuration.
//! - A [`Service`] is one `meterhouse` process of a site, which can be killed, paused and ended.
//! - A [`Publisher`] writes any [`Message`], a [`Usage`] or anything else; [`kafka::read_log`] reads a topic as it is.
//! - The [`oracle`] says what the history of such a log must be, [`check`] compares.
//! - [`serial`] says whether changes that were made at once fit one order.
//! - [`focus`] makes records of the FOCUS sample, [`fixtures`] of the files under `schemas/`.
//!
//! Nothing sleeps for a fixed time: [`wait::until`] polls, and says what it has waited for if it takes too long.

pub mod audit;
pub mod bill;
mod binary;
pub mod certificates;
pub mod chaos;
pub mod check;
pub mod clickhouse;
pub mod clients;
pub mod crash;
mod credentials;
mod disk;
pub mod fixtures;
pub mod focus;
pub mod guides;
mod http;
pub mod kafka;
mod merchant;
mod metrics;
mod mix;
pub mod oracle;
mod owned;
mod poller;
mod prometheus;
mod proxy;
mod publish;
mod quarantine;
mod rollup;
mod scratch;
pub mod serial;
mod service;
mod settings;
mod shards;
mod site;
pub mod texts;
pub mod tls;
pub mod topic;
mod usage;
pub mod usages;
pub mod wait;

use std::sync::OnceLock;

use meterhouse_localstack::{Stack, StackOptions};

pub use binary::meterhouse;
pub use credentials::Token;
pub use disk::Disk;
pub use http::{Client, Reply};
pub use merchant::Merchant;
pub use metrics::{Family, Metrics, families};
pub use mix::{Kinds, Mix};
pub use owned::owned;
pub use poller::{Poller, Seen};
pub use prometheus::Prometheus;
pub use proxy::{Mode, Proxy};
pub use publish::{Message, Publisher};
pub use quarantine::{Place, StoredReject};
pub use scratch::scratch_dir;
pub use service::Service;
pub use settings::Value;
pub use shards::{CLUSTER, Shards};
pub use site::Site;
pub use usage::Usage;

/// The servers of all tests of this process, which end with it.
///
/// # Panics
/// They do not start: no test can go on.
#[expect(clippy::panic, reason = "every test that asks would have to fail with the same words")]
pub fn shared() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| Stack::start(StackOptions::default()).unwrap_or_else(|error| panic!("{error}")))
}
