//! What the sweep writes: rows that take events away from keys, and what it has seen to.

use bytes::Bytes;
use meterhouse_model::{IdentityHash, Version};

use crate::{
    EncodedBatch, Error, EventBatch, EventCopy, RowKey, SealedEvents, Store, Table, native::BlockWriter,
};

/// Takes an event away from a key, where another copy counts on another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The key.
    pub row: RowKey,
    /// The copy that counts: the row stands in its place, with its coordinates and version.
    pub winner: EventCopy,
}

/// A state of an identity's copies that somebody has seen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// Hash of the identity.
    pub identity_hash: IdentityHash,
    /// How many copies there were. There never get fewer, so this tells one state from another.
    pub copies: u64,
    /// Highest version among them.
    pub version: Version,
}

/// Encodes tombstones, with the marks of their dates. `None` where there are none.
pub fn seal_tombstones<'t>(tombstones: impl IntoIterator<Item = &'t Tombstone>) -> Option<SealedEvents> {
    let mut batch = EventBatch::default();
    for tombstone in tombstones {
        batch.push_tombstone(tombstone);
    }
    batch.seal_tombstones()
}

impl Store {
    /// Notes what was seen to, which comes last: whoever has noted it has done it.
    ///
    /// # Errors
    /// Some may be noted: doing it again does no harm.
    pub async fn settle(&self, settlements: &[Settlement]) -> Result<(), Error> {
        if settlements.is_empty() {
            return Ok(());
        }
        self.insert(&encode(settlements)).await
    }
}

fn encode(settlements: &[Settlement]) -> EncodedBatch {
    let rows = settlements.len();
    let mut block = BlockWriter::new(3, rows, size_of_val(settlements));
    block.fixed("identity_hash", "UInt64", settlements.iter().map(|s| s.identity_hash.0.to_le_bytes()));
    block.fixed("copies", "UInt64", settlements.iter().map(|s| s.copies.to_le_bytes()));
    block.fixed("version", "UInt128", settlements.iter().map(|s| s.version.0.to_le_bytes()));
    let bytes = Bytes::from(block.finish());
    EncodedBatch { table: Table::Settlements, rows, bytes, columns: "identity_hash, copies, version" }
}
