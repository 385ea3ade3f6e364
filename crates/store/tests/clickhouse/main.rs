//! The store against a real ClickHouse.
//!
//! Needs the supervisor's program: `cargo build -p meterhouse-localstack`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod answers;
mod audit;
mod awkward;
mod columns;
mod cuts;
mod daily;
mod database;
mod encoding;
mod errors;
mod faults;
mod ledger;
mod marks;
mod migrate;
mod parts;
mod profiles;
mod rejects;
mod sample;
mod schema;
mod stored;
mod subscription;
mod sweep;
mod usage;
mod versions;
mod zone;
