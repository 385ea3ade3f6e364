//! Everything that knows ClickHouse: the schema and its migrations, batches sorted by the table's
//! key and encoded once in the Native format, inserts that are durable when they are acknowledged,
//! and the reads of the history.
//!
//! A batch goes down this path:
//!
//! ```text
//! EventBatch::push -> EventBatch::seal (sort, encode) -> SealedEvents -> Store::write (as often as it takes)
//! ```

mod access;
mod audit;
mod cluster;
mod connect;
pub mod crash;
mod daily;
mod dictionary;
mod error;
mod events;
mod hash;
mod http;
mod identities;
mod insert;
mod ledger;
mod marks;
mod metrics;
mod migrate;
mod native;
mod parameters;
mod parts;
mod quarantine;
mod recent;
mod rejects;
mod schema;
mod sort;
mod sources;
mod spare;
mod subscription;
mod sweep;
mod texts;
mod tls;
mod usage;
mod write;
mod zone;

pub use access::{DatabaseUser, Role, access_statements};
pub use audit::{
    AccountedRange, Copies, DailyDifference, EventDifference, EvidenceSet, EvidenceSum, LedgerEnds,
    LedgerEpoch, MissingReplay, Positions, Slice, UnlistedCustomer, UnnamedUsage, UnquarantinedConflict,
};
pub use cluster::Cluster;
pub use connect::{ClickHouseConfig, Store};
pub use daily::{DateFilter, DatePage, DateState, MarkedDate, ServerTime, UsageDate};
pub use error::{Error, ErrorClass};
pub use events::EventBatch;
pub use hash::Evidence;
pub use insert::{EncodedBatch, Table};
pub use ledger::{LastRecord, LedgerRow, LedgerSummary, ResumePoint};
pub use marks::MarkRows;
pub use metrics::Metrics;
pub use migrate::{Migrated, Migration};
pub use parts::PartWriter;
pub use quarantine::{
    EventRow, ListedReject, Outcome, RejectFilter, RejectKey, RejectPlace, RejectState, Replay, ReplayCounts,
    ReplayOutcome, StoredReject,
};
pub use recent::RecentCopies;
pub use rejects::{RejectBatch, RejectScope, Rejected, RejectedRecord};
pub use schema::SchemaState;
pub use sources::{Source, Sources};
pub use subscription::{ALL_DAYS, ListedUsage, StoredUsage, SubscriptionRows, UsageFilter, WinningCopy};
pub use sweep::{
    Case, ConflictOutcome, EventCopy, HashRange, Quarantined, RowKey, Settlement, Standing, Tombstone,
    Unsettled, Verdict, Winners, seal_tombstones,
};
pub use tls::{ClientTls, TlsError};
pub use usage::Usage;
pub use write::SealedEvents;
