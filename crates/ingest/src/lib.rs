//! Everything that knows Kafka: the pipeline from a topic to the store, and a producer.
//!
//! ```text
//! poll thread: MessageQueue::take -> Batch::push (parse, judge) -> close by rows, bytes or age
//! tokio:         -> Batch::seal (sort, encode) -> Writer (insert until acknowledged, then into the ledger)
//! poll thread:     -> commit offsets
//! ```
//!
//! Whatever is on its way may be dropped at any moment and read again: rows have an identity and replace themselves,
//! and the ledger, which says where to read on, holds a range only once all of it is stored.

mod assignment;
mod backoff;
mod batch;
mod config;
mod group;
mod log_check;
mod lookup;
mod message;
mod metrics;
mod mirror;
mod pipeline;
mod probe;
mod producer;
mod progress;
mod properties;
mod reader;
mod rebuild;
mod record;
mod recount;
mod refuse;
mod resume;
mod sweep;
mod topic;
mod topic_id;
mod topic_producer;
mod value;
mod writer;

pub use config::{BatchLimits, KafkaConfig};
pub use lookup::{FoundRecord, RecordLookup};
pub use metrics::Metrics;
pub use pipeline::{Error, Reporter, ingest};
pub use probe::KafkaProbe;
pub use producer::{Producer, ProducerError, Written};
pub use properties::{check_property, is_fixed_property};
pub use recount::{Recount, Span, recount};
pub use sweep::{SWEEP_CHECK, SweepConfig, SweepMetrics, sweep};
pub use topic::{PartitionLog, partition_logs};
pub use topic_id::topic_id;
pub use topic_producer::TopicProducer;
pub use value::record_value;
