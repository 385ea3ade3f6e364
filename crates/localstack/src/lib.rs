//! A real Apache Kafka and a real ClickHouse as child processes, for tests, the demo and benchmarks.
//!
//! ```no_run
//! # fn main() -> Result<(), meterhouse_localstack::Error> {
//! use meterhouse_localstack::{Stack, StackOptions};
//!
//! let stack = Stack::start(StackOptions::default())?; // free ports, a data folder of its own
//! let brokers = stack.kafka().bootstrap(); // "127.0.0.1:21234"
//! let url = stack.clickhouse().http_url(); // "http://127.0.0.1:21236"
//! stack.kafka().create_topic("usage-events", 8)?;
//! assert_eq!(stack.clickhouse().query("SELECT 1")?, "1\n");
//! stack.clickhouse().kill()?; // SIGKILL
//! stack.clickhouse().start()?; // the same data, the same ports
//! # let _ = (brokers, url);
//! # Ok(())
//! # }
//! ```
//!
//! Everything blocks: call it outside of an async runtime, or in `spawn_blocking`. Every method takes
//! `&self`, so one stack may live in a `static OnceLock<Stack>` and be shared by the tests of a binary.
//! A test that needs one server starts only that: [`Kafka::launch`], [`ClickHouse::launch`]. A program under test that
//! is to keep its address over restarts gets one from [`Port::free`].
//!
//! The servers end with their owner. Dropping one ends it at once and removes its data folder, unless
//! the folder was given; the same happens when the owner leaves without dropping it or is killed with
//! -9, because a supervisor (`localstack supervise`) holds the other end of a pipe. The supervisor is the
//! binary of this package, found beside the test binary in `target/<profile>/`. Cargo builds it with
//! `cargo build -p meterhouse-localstack`, and with `cargo test --workspace`.
//!
//! What is missing on disk is downloaded at the first start, into `.local/` at the top of the workspace
//! or into the folder named by `METERHOUSE_LOCAL_DIR`; see [`setup()`].

mod clickhouse;
mod clock;
mod error;
mod kafka;
mod paths;
mod ports;
mod process;
mod progress;
#[doc(hidden)]
pub mod protocol;
mod setup;
mod stack;
mod tools;
mod wire;

pub use clickhouse::{ClickHouse, ClickHouseOptions};
pub use clock::Clock;
pub use error::{Error, Result};
pub use kafka::{Kafka, KafkaOptions, ProxiedListener};
pub use paths::{local_dir, workspace_dir};
pub use ports::Port;
pub use setup::{Installed, install_once, setup};
pub use stack::{Stack, StackOptions};
