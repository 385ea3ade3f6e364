//! The order of the copies of one event, packed into one number.

use crate::{Change, Event, Record};

/// Which copy of an event counts: the one with the highest version.
///
/// Two bits of kind on top, then fields that are filled so that the winner's are higher (`~`: the lower wins); values
/// beyond a field's limit count as the limit:
///
/// | kind | fields and their bits |
/// | --- | --- |
/// | `00` creation | 0:1, ~timestamp in ms:45, ~partition:20, ~offset:50, ~index:10 |
/// | `01` change | 0:14, revision:31, deletion:1, ~partition:20, ~offset:50, ~index:10 |
///
/// Every change wins over every creation. Of creations the first in Kafka's order wins, of changes the highest revision,
/// then a deletion, then the first. The kinds `10` and `11` are not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u128);

const CHANGE: u128 = 1 << 126;

const TIMESTAMP_BITS: u32 = 45;
const PARTITION_BITS: u32 = 20;
const OFFSET_BITS: u32 = 50;
const INDEX_BITS: u32 = 10;
const REVISION_BITS: u32 = 31;
const POSITION_BITS: u32 = PARTITION_BITS + OFFSET_BITS + INDEX_BITS;

impl Version {
    /// The version of a creation. A record without a timestamp counts as the earliest of all.
    pub fn creation(timestamp_ms: Option<i64>, partition: i32, offset: i64, index: u16) -> Self {
        let fields = Fields(0).descending(timestamp_ms.unwrap_or_default(), TIMESTAMP_BITS);
        Self(fields.position(partition, offset, index).0)
    }

    /// The version of an amendment or a deletion.
    pub fn change(revision: u32, delete: bool, partition: i32, offset: i64, index: u16) -> Self {
        let fields = Fields(0).ascending(i64::from(revision), REVISION_BITS).ascending(i64::from(delete), 1);
        Self(CHANGE | fields.position(partition, offset, index).0)
    }

    /// The least version of all changes at a revision, or of all changes for 0: what is below comes before them.
    pub const fn before_revision(revision: u32) -> Self {
        Self(CHANGE | (revision as u128) << (1 + POSITION_BITS))
    }

    /// The least version of all deletions at a revision: the amendments at that revision are below.
    pub const fn before_deletion(revision: u32) -> Self {
        Self(Self::before_revision(revision).0 | 1 << POSITION_BITS)
    }

    /// Whether the copy states the event for the first time.
    pub fn is_creation(self) -> bool {
        self.0 < CHANGE
    }

    /// Revision of a change, 0 for a creation.
    pub fn revision(self) -> u32 {
        let fields = self.0 >> (1 + POSITION_BITS);
        let revision = fields & ((1 << REVISION_BITS) - 1);
        if self.is_creation() { 0 } else { u32::try_from(revision).unwrap_or(u32::MAX) }
    }
}

impl Event<'_> {
    /// The version of this copy of the event, which was read from the record.
    ///
    /// Creations from the HTTP API (those with an `Origin`) all count as the earliest: the API looks an identity up
    /// before it writes, and the clocks of two API processes decide nothing.
    pub fn version(&self, record: &Record<'_>) -> Version {
        let &Record { partition, offset, .. } = record;
        match self.change {
            Change::Create => {
                let timestamp_ms = if self.origin.is_some() { None } else { record.timestamp_ms };
                Version::creation(timestamp_ms, partition, offset, self.index)
            }
            Change::Amend(revision) => Version::change(revision, false, partition, offset, self.index),
            Change::Delete(revision) => Version::change(revision, true, partition, offset, self.index),
        }
    }
}

/// Fields written one after the other, the first on top.
struct Fields(u128);

impl Fields {
    fn ascending(self, value: i64, bits: u32) -> Self {
        let limit = (1_i64 << bits) - 1;
        Self(self.0 << bits | u128::from(value.clamp(0, limit).unsigned_abs()))
    }

    fn descending(self, value: i64, bits: u32) -> Self {
        let limit = (1_i64 << bits) - 1;
        self.ascending(limit - value.clamp(0, limit), bits)
    }

    fn position(self, partition: i32, offset: i64, index: u16) -> Self {
        self.descending(i64::from(partition), PARTITION_BITS)
            .descending(offset, OFFSET_BITS)
            .descending(i64::from(index), INDEX_BITS)
    }
}
