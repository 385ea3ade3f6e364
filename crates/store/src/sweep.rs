//! The sweep's view of the tables: which identities have copies that differ, all that is known of these, and what was
//! done about them.
//!
//! ```text
//! unsettled (hashes) -> cases (copies and keys) -> Case::judge -> tombstones, quarantine -> settle
//! ```

mod case;
mod find;
mod key;
mod quarantine;
mod settle;
mod stored;
mod verdict;

pub(crate) use case::CopyRow;
pub use case::{Case, EventCopy};
pub use find::{HashRange, Unsettled};
pub use key::RowKey;
pub use quarantine::{ConflictOutcome, Quarantined, Winners};
pub use settle::{Settlement, Tombstone, seal_tombstones};
pub use verdict::{Standing, Verdict};
