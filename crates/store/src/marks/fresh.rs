//! Marks that this process wrote a moment ago: rows that follow soon enough behind them need no others.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_128;

use super::MarkRows;
use crate::{EncodedBatch, write::Begun};

/// More are forgotten, all at once: their dates are marked again.
const MARKS_MAX: usize = 100_000;

/// The marks of one short time, of all that write by one connection.
#[derive(Debug, Default)]
pub(crate) struct FreshMarks(Mutex<Option<Generation>>);

/// All of its marks count as if they were as old as the first one: rows behind a later one have less time than they could.
#[derive(Debug)]
struct Generation {
    begun: Begun,
    /// Hashes of their rows.
    marks: HashTable<u128>,
}

impl Generation {
    fn has(&self, mark: u128) -> bool {
        self.marks.find(bucket(mark), |known| *known == mark).is_some()
    }
}

impl FreshMarks {
    /// When the present marks began, as long as that is no longer ago than this by either clock. Else all are forgotten, and
    /// those that are written from now on are fresh.
    pub(crate) fn begun(&self, now: Begun, age_max: Duration) -> Begun {
        let mut generation = self.generation();
        match &*generation {
            Some(fresh) if !fresh.begun.is_late(&now, age_max) && fresh.marks.len() <= MARKS_MAX => {
                fresh.begun
            }
            _ => {
                *generation = Some(Generation { begun: now, marks: HashTable::new() });
                now
            }
        }
    }

    /// The marks that are not there yet. `None`: all of them are.
    pub(crate) fn missing(&self, begun: Begun, marks: &MarkRows) -> Option<EncodedBatch> {
        match &*self.generation() {
            Some(fresh) if fresh.begun == begun => marks.only(|row| !fresh.has(xxh3_128(row))),
            _ => Some(marks.all()),
        }
    }

    /// Keeps in mind that marks are there which were written since a time.
    pub(crate) fn add(&self, begun: Begun, marks: &MarkRows) {
        // Others may have begun anew: these are too old for them.
        if let Some(fresh) = self.generation().as_mut().filter(|fresh| fresh.begun == begun) {
            for mark in marks.rows().map(xxh3_128) {
                fresh
                    .marks
                    .entry(bucket(mark), |known| *known == mark, |known| bucket(*known))
                    .or_insert(mark);
            }
        }
    }

    fn generation(&self) -> MutexGuard<'_, Option<Generation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// They are hashes already: a part of one is as good as another hash.
#[expect(clippy::cast_possible_truncation, reason = "a part is what is wanted")]
fn bucket(mark: u128) -> u64 {
    mark as u64
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;

    use super::*;
    use crate::ServerTime;

    fn rows(texts: &[&'static str]) -> MarkRows {
        let ends = texts.iter().scan(0, |end, text| {
            *end += text.len();
            Some(*end)
        });
        MarkRows { bytes: Bytes::from(texts.concat()), ends: ends.collect() }
    }

    /// The rows that are missing, one behind the other.
    fn missing(fresh: &FreshMarks, begun: Begun, texts: &[&'static str]) -> Option<(usize, Bytes)> {
        fresh.missing(begun, &rows(texts)).map(|batch| (batch.rows, batch.bytes))
    }

    const AGE_MAX: Duration = Duration::from_secs(3);

    /// So many seconds later by our clock, and by the server's.
    fn later(begun: Begun, here: u64, server: i64) -> Begun {
        Begun {
            here: begun.here + Duration::from_secs(here),
            server: ServerTime(begun.server.0 + server * 1_000_000_000),
        }
    }

    fn fresh() -> (FreshMarks, Begun) {
        let (fresh, begun) =
            (FreshMarks::default(), Begun { here: Instant::now(), server: ServerTime(1 << 60) });
        assert_eq!(fresh.begun(begun, AGE_MAX), begun);
        (fresh, begun)
    }

    #[test]
    fn marks_are_missing_until_they_are_there() {
        let (fresh, begun) = fresh();
        assert_eq!(missing(&fresh, begun, &["a", "bc"]), Some((2, "abc".into())));
        fresh.add(begun, &rows(&["a", "bc"]));
        assert_eq!(missing(&fresh, begun, &["bc", "a"]), None);
        assert_eq!(missing(&fresh, begun, &["ab", "bc", "c"]), Some((2, "abc".into())));
    }

    #[test]
    fn they_are_fresh_for_a_time_by_both_clocks() {
        let cases = [
            ((3, 3), true),
            ((4, 3), false),
            // This machine stood still, or the server's clock was set forward.
            ((1, 4), false),
            // It was set back.
            ((1, -1), false),
        ];
        for ((here, server), is_fresh) in cases {
            let (fresh, begun) = fresh();
            let now = later(begun, here, server);
            assert_eq!(fresh.begun(now, AGE_MAX), if is_fresh { begun } else { now }, "{here} {server}");
        }
    }

    #[test]
    fn marks_of_before_count_no_more() {
        let (fresh, old) = fresh();
        fresh.add(old, &rows(&["a"]));
        let new = fresh.begun(later(old, 4, 4), AGE_MAX);
        // One that began with the old ones has written them now.
        fresh.add(old, &rows(&["b"]));
        assert_eq!(missing(&fresh, new, &["a", "b"]), Some((2, "ab".into())));
        assert_eq!(missing(&fresh, old, &["a"]), Some((1, "a".into())));
    }

    #[test]
    fn too_many_are_forgotten() {
        let (fresh, begun) = fresh();
        let numbered = |count: usize| MarkRows {
            bytes: (0..count).flat_map(usize::to_le_bytes).collect::<Vec<u8>>().into(),
            ends: (1..=count).map(|row| size_of::<usize>() * row).collect(),
        };
        let now = later(begun, 1, 1);
        fresh.add(begun, &numbered(MARKS_MAX));
        assert_eq!(fresh.begun(now, AGE_MAX), begun);
        fresh.add(begun, &numbered(MARKS_MAX + 1));
        assert_eq!(fresh.begun(now, AGE_MAX), now);
    }
}
