//! Everything that knows Kafka.

mod producer;
mod properties;

pub use producer::{Producer, ProducerError, Written};
pub use properties::check_property;
