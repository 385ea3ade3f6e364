//! What the ledger says, and what the tables hold, of the positions of a partition.

use serde::Deserialize;

use crate::{Error, Store};

/// A row of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clickhouse::Row)]
pub struct AccountedRange {
    /// The partition.
    pub partition: i32,
    /// Which beginning of it.
    pub epoch: u32,
    /// First position.
    pub from_position: i64,
    /// Position behind the last.
    pub next_position: i64,
    /// Records whose events are stored.
    pub stored: u64,
    /// Records in quarantine.
    pub rejected: u64,
    /// Positions without a record.
    pub holes: u64,
}

/// What a run of positions is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clickhouse::Row)]
struct RunRow {
    class: u8,
    from_position: i64,
    next_position: i64,
}

/// What the tables hold of a partition's positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    stored: Runs,
    rejected: Runs,
    both: Runs,
}

/// Ascending runs of positions, each with the number of positions before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Runs(Vec<(i64, i64, u64)>);

impl Runs {
    fn push(&mut self, from_position: i64, next_position: i64) {
        let before = self.0.last().map_or(0, |(from, next, before)| before + length(*from, *next));
        self.0.push((from_position, next_position, before));
    }

    /// Positions before this one.
    fn before(&self, position: i64) -> u64 {
        let following = self.0.partition_point(|(from, ..)| *from < position);
        let Some((from, next, before)) = following.checked_sub(1).and_then(|last| self.0.get(last)) else {
            return 0;
        };
        before + length(*from, position.min(*next))
    }

    fn within(&self, from: i64, next: i64) -> u64 {
        self.before(next).saturating_sub(self.before(from))
    }
}

fn length(from: i64, next: i64) -> u64 {
    u64::try_from(next - from).unwrap_or(0)
}

impl Positions {
    /// How many positions of a range are records with events.
    pub fn stored(&self, from: i64, next: i64) -> u64 {
        self.stored.within(from, next)
    }

    /// How many are records that were rejected when they were read.
    pub fn rejected(&self, from: i64, next: i64) -> u64 {
        self.rejected.within(from, next)
    }

    /// How many have events and are in quarantine all the same: a replay was interrupted, or they were read again under
    /// other rules.
    pub fn both(&self, from: i64, next: i64) -> u64 {
        self.both.within(from, next)
    }
}

impl Store {
    /// All ranges of a topic that the ledger holds, by partition, epoch and position.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn accounted_ranges(&self, topic: &str) -> Result<Vec<AccountedRange>, Error> {
        let query = self.for_audits().query_raw(include_str!("ledger.sql"));
        self.audit_rows(query.param("topic", topic)).await
    }

    /// What the tables hold of a range of positions.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn positions(
        &self,
        topic: &str,
        partition: i32,
        from_position: i64,
        next_position: i64,
    ) -> Result<Positions, Error> {
        let query = self
            .for_audits()
            .query_raw(include_str!("positions.sql"))
            .param("topic", topic)
            .param("partition", partition)
            .param("from_position", from_position)
            .param("next_position", next_position);
        let mut positions = Positions::default();
        for run in self.audit_rows::<RunRow>(query).await? {
            let runs = match run.class {
                0 => &mut positions.stored,
                1 => &mut positions.rejected,
                _ => &mut positions.both,
            };
            runs.push(run.from_position, run.next_position);
        }
        Ok(positions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_counted_within_any_range() {
        let mut runs = Runs::default();
        for (from, next) in [(2, 5), (7, 8), (10, 20)] {
            runs.push(from, next);
        }
        let held =
            |position: i64| [(2, 5), (7, 8), (10, 20)].iter().any(|(a, b)| (*a..*b).contains(&position));
        for from in 0..22 {
            for next in from..22 {
                let expected = (from..next).filter(|position| held(*position)).count() as u64;
                assert_eq!(runs.within(from, next), expected, "{from}..{next}");
            }
        }
    }
}
