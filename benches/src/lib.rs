//! Benchmarks, and what several of them share. What one event costs is in `benches/`, run by
//! `cargo bench -p meterhouse-benches`.

pub mod ask;
pub mod fill;
pub mod ground;
pub mod latency;
pub mod process;
pub mod results;
pub mod sample;
pub mod wait;
