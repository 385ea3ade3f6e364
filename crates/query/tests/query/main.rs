//! Histories and the rollup's worker on a real ClickHouse.
//!
//! Needs the supervisor's program: `cargo build -p meterhouse-localstack`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod history;
mod random;
mod rollup;
mod site;
mod steps;
