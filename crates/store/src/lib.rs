//! Everything that knows ClickHouse: the schema and its migrations, batches sorted by the table's
//! key and encoded once in the Native format, inserts that are durable when they are acknowledged,
//! and the reads of the history.
//!
//! A batch goes down this path:
//!
//! ```text
//! EventBatch::push -> EventBatch::seal (sort, encode) -> SealedEvents -> Store::write (as often as it takes)
//! ```

mod connect;
mod dictionary;
mod error;
mod events;
mod hash;
mod http;
mod identities;
mod insert;
mod marks;
mod metrics;
mod migrate;
mod native;
mod parts;
mod quarantine;
mod rejects;
mod schema;
mod sort;
mod sources;
mod usage;
mod write;
mod zone;

pub use connect::{ClickHouseConfig, Store};
pub use error::{Error, ErrorClass};
pub use events::EventBatch;
pub use insert::{EncodedBatch, Table};
pub use metrics::Metrics;
pub use migrate::Migration;
pub use parts::PartWriter;
pub use quarantine::{
    EventCopy, EventHashes, EventRow, ListedReject, Outcome, RejectFilter, RejectKey, RejectPlace,
    RejectState, Replay, ReplayCounts, ReplayOutcome, StoredReject,
};
pub use rejects::{RejectBatch, RejectScope, Rejected, RejectedRecord};
pub use schema::SchemaState;
pub use sources::{Source, Sources};
pub use usage::Usage;
pub use write::SealedEvents;
