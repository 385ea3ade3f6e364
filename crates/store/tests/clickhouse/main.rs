//! The store against a real ClickHouse.
//!
//! Needs the supervisor's program: `cargo build -p meterhouse-localstack`.

mod answers;
mod columns;
mod cuts;
mod database;
mod encoding;
mod errors;
mod faults;
mod limits;
mod migrate;
mod million;
mod profiles;
mod rejects;
mod sample;
mod schema;
mod stored;
mod usage;
mod versions;
mod zone;
