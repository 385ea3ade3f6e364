//! Benchmarks. What one event costs is in `benches/`, run by `cargo bench -p meterhouse-benches`.
