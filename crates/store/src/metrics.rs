//! Metrics of the store.

use prometheus::{HistogramOpts, HistogramVec, Registry};

/// Seconds; an insert with fsync takes some 10 ms at least.
const INSERT_BUCKETS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// What the store counts.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Time of one attempt to insert a batch, by table and outcome (`ok`, or the class of the error).
    pub insert_seconds: HistogramVec,
}

impl Metrics {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A metric of the same name is registered already.
    pub fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let insert_seconds = HistogramVec::new(
            HistogramOpts::new(
                "meterhouse_insert_seconds",
                "Time of one attempt to insert a batch into ClickHouse, in seconds.",
            )
            .buckets(INSERT_BUCKETS.to_vec()),
            &["table", "outcome"],
        )?;
        registry.register(Box::new(insert_seconds.clone()))?;
        Ok(Self { insert_seconds })
    }
}
