//! The pipeline between a real Kafka and a real ClickHouse, and where brokers answer with errors.
//!
//! Needs the supervisor's program: `cargo build -p meterhouse-localstack`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ledger;
mod lookup;
mod other_logs;
mod outages;
mod records;
mod running;
mod shutdown;
mod site;
mod transactions;
