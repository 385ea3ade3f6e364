//! Which records the events of a batch come from.

mod rows;

/// The records of a batch's events, a vector for each column.
#[derive(Debug, Default)]
pub struct Sources {
    pub(crate) partition: Vec<i32>,
    pub(crate) offset: Vec<i64>,
    pub(crate) record_time: Vec<i64>,
    pub(crate) revision: Vec<u32>,
    pub(crate) is_deleted: Vec<u8>,
}

/// A record and the number of events that it brought, by what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its timestamp, in milliseconds since the epoch, 0 where it has none.
    pub record_time: i64,
    /// Creations.
    pub created: u64,
    /// Amendments.
    pub amended: u64,
    /// Deletions.
    pub deleted: u64,
}

impl Source {
    /// Partition and offset.
    pub fn position(&self) -> (i32, i64) {
        (self.partition, self.offset)
    }
}

impl Sources {
    /// The records in the order of partition and offset.
    pub fn records(&self) -> Vec<Source> {
        let mut events: Vec<Source> = (0..self.offset.len()).map(|row| self.event(row)).collect();
        events.sort_unstable_by_key(Source::position);
        events.dedup_by(|event, record| {
            let is_same = event.position() == record.position();
            if is_same {
                record.created += event.created;
                record.amended += event.amended;
                record.deleted += event.deleted;
            }
            is_same
        });
        events
    }

    fn event(&self, row: usize) -> Source {
        let is_deletion = self.is_deleted[row] != 0;
        let is_change = self.revision[row] != 0;
        Source {
            partition: self.partition[row],
            offset: self.offset[row],
            record_time: self.record_time[row],
            created: u64::from(!is_change),
            amended: u64::from(is_change && !is_deletion),
            deleted: u64::from(is_deletion),
        }
    }
}
