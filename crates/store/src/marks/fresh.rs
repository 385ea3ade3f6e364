//! Marks that this process wrote a moment ago: rows that follow soon enough behind them need no others.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

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
    marks: HashSet<u128>,
}

impl FreshMarks {
    /// When the present marks began. `None`: longer ago than this, or there are too many.
    pub(crate) fn begun(&self, age_max: Duration) -> Option<Begun> {
        self.generation()
            .as_ref()
            .filter(|fresh| fresh.begun.age() <= age_max && fresh.marks.len() <= MARKS_MAX)
            .map(|fresh| fresh.begun)
    }

    /// Forgets all marks. Those that are written from now on are fresh.
    pub(crate) fn renew(&self, begun: Begun) {
        *self.generation() = Some(Generation { begun, marks: HashSet::new() });
    }

    /// The marks that are not there yet. `None`: all of them are.
    pub(crate) fn missing(&self, begun: Begun, marks: &MarkRows) -> Option<EncodedBatch> {
        match &*self.generation() {
            Some(fresh) if fresh.begun == begun => marks.only(|row| !fresh.marks.contains(&xxh3_128(row))),
            _ => Some(marks.all()),
        }
    }

    /// Keeps in mind that marks are there which were written since a time.
    pub(crate) fn add(&self, begun: Begun, marks: &MarkRows) {
        // Others may have begun anew: these are too old for them.
        if let Some(fresh) = self.generation().as_mut().filter(|fresh| fresh.begun == begun) {
            fresh.marks.extend(marks.rows().map(xxh3_128));
        }
    }

    fn generation(&self) -> MutexGuard<'_, Option<Generation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

    fn begun(ago: Duration) -> Begun {
        Begun::at(Instant::now().checked_sub(ago).unwrap(), ServerTime(0))
    }

    #[test]
    fn marks_are_missing_until_they_are_there() {
        let (fresh, now) = (FreshMarks::default(), begun(Duration::ZERO));
        fresh.renew(now);
        assert_eq!(missing(&fresh, now, &["a", "bc"]), Some((2, "abc".into())));
        fresh.add(now, &rows(&["a", "bc"]));
        assert_eq!(missing(&fresh, now, &["bc", "a"]), None);
        assert_eq!(missing(&fresh, now, &["ab", "bc", "c"]), Some((2, "abc".into())));
    }

    #[test]
    fn they_are_fresh_for_a_time() {
        let (fresh, age_max) = (FreshMarks::default(), Duration::from_secs(3));
        assert_eq!(fresh.begun(age_max), None);
        for (ago, is_fresh) in [(2, true), (4, false)] {
            let begun = begun(Duration::from_secs(ago));
            fresh.renew(begun);
            assert_eq!(fresh.begun(age_max), is_fresh.then_some(begun));
        }
    }

    #[test]
    fn marks_of_before_count_no_more() {
        let (fresh, old, new) = (FreshMarks::default(), begun(Duration::from_secs(1)), begun(Duration::ZERO));
        fresh.renew(old);
        fresh.add(old, &rows(&["a"]));
        fresh.renew(new);
        // One that began with the old ones has written them now.
        fresh.add(old, &rows(&["b"]));
        assert_eq!(missing(&fresh, new, &["a", "b"]), Some((2, "ab".into())));
        assert_eq!(missing(&fresh, old, &["a"]), Some((1, "a".into())));
    }

    #[test]
    fn too_many_are_forgotten() {
        let (fresh, now) = (FreshMarks::default(), begun(Duration::ZERO));
        fresh.renew(now);
        let many = MarkRows {
            bytes: Bytes::from(vec![7; 4 * (MARKS_MAX + 1)]),
            ends: (1..=MARKS_MAX + 1).collect(),
        };
        fresh.add(now, &many);
        assert_eq!(fresh.begun(Duration::from_secs(60)), Some(now), "each is the same one");
        let numbers = (0..=u32::try_from(MARKS_MAX).unwrap()).flat_map(u32::to_le_bytes);
        let many = MarkRows {
            bytes: numbers.collect::<Vec<u8>>().into(),
            ends: (1..=MARKS_MAX + 1).map(|row| 4 * row).collect(),
        };
        fresh.add(now, &many);
        assert_eq!(fresh.begun(Duration::from_secs(60)), None);
    }
}
