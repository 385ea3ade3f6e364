//! The one way on which rows get into `usage_events`: mark, insert, and mark again if that took long.
//!
//! The evidence of an event is never there without the event: it would be taken for the first copy of what comes later,
//! even where the database refuses the event's row for good. So it follows the events.
//!
//! A date with a mark is not clean until a scan has begun more than a margin later, and is read from the events
//! themselves until then. The margin is longer than two time limits of an insert, so:
//!
//! - The mark keeps answers from stepping back, since rows that were read live must not vanish again, and rows from being
//!   overlooked: a scan that began before they were there can only end up in a header that is not clean.
//! - A date that has had its mark a moment ago needs no other: its rows count from that one on, as those of the batch before.
//! - The second mark is for rows that came later than that, of a process that was stopped between its mark and its insert,
//!   say: a scan in between may have passed for clean. Nothing counts as stored before it is there. Most writes take far
//!   less than that, by their own clock and by the server's, and need none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{EncodedBatch, Error, MarkRows, ServerTime, Sources, Store, crash};

/// Beyond that, rows mark their dates again. Other processes may have a shorter margin than the time limit here allows for.
const LATE: Duration = Duration::from_secs(10);
/// The part of a time for which marks are fresh: most of it is for the rows.
const FRESH: u32 = 3;

/// Usage events with all that has to be written beside them. Cloning shares the bytes.
#[derive(Debug, Clone)]
pub struct SealedEvents {
    /// The dates that get rows.
    pub marks: MarkRows,
    /// The rows themselves.
    pub events: EncodedBatch,
    /// The evidence of each copy that was read. Tombstones have none.
    pub identities: Option<EncodedBatch>,
    /// Identities of which the sweep is to look at first.
    pub suspects: Option<EncodedBatch>,
    /// How many of the events are known to be copies of others.
    pub duplicates: u64,
    /// Where they come from.
    pub sources: Arc<Sources>,
}

impl Store {
    /// Writes events once. When it returns, they are on disk and no sum overlooks them. After an error they may be there
    /// in part or whole: write the same again, rows replace themselves.
    ///
    /// # Errors
    /// [`Error::class`] says whether another attempt can help.
    pub async fn write(&self, sealed: &SealedEvents) -> Result<(), Error> {
        let begun = self.mark(sealed).await?;
        crash::point("rows_due");
        self.insert(&sealed.events).await?;
        crash::point("events_inserted");
        let identities = async {
            self.insert_if_any(sealed.identities.as_ref()).await?;
            crash::point("identities_inserted");
            Ok::<(), Error>(())
        };
        tokio::try_join!(identities, self.mark_late(sealed, &begun))?;
        crash::point("events_written");
        // The sweep looks for what a suspect names: it has to be there.
        self.insert_if_any(sealed.suspects.as_ref()).await
    }

    pub(crate) async fn insert_if_any(&self, batch: Option<&EncodedBatch>) -> Result<(), Error> {
        match batch {
            Some(batch) => self.insert(batch).await,
            None => Ok(()),
        }
    }

    /// Notes customers, and writes the marks that are not there yet. Rows begin to follow within half a time limit, so that they are there within
    /// two of them.
    pub(crate) async fn mark(&self, sealed: &SealedEvents) -> Result<Begun, Error> {
        let marked = async {
            let begun = self.begin().await?;
            if let Some(missing) = self.fresh_marks.missing(begun, &sealed.marks) {
                self.insert(&missing).await?;
                self.fresh_marks.add(begun, &sealed.marks);
            }
            Ok::<Begun, Error>(begun)
        };
        let (begun, ()) = tokio::try_join!(marked, self.note_customers(&sealed.marks))?;
        crash::point("first_mark_inserted");
        if self.may_follow(&begun) { Ok(begun) } else { Err(Error::TimedOut(self.insert_timeout / 2)) }
    }

    /// Notes which customers the rows name. A pair stays, so it is written by a process about once.
    async fn note_customers(&self, marks: &MarkRows) -> Result<(), Error> {
        if let Some(missing) = self.noted_customers.missing(marks) {
            self.insert(&missing).await?;
            self.noted_customers.add(marks);
        }
        Ok(())
    }

    /// The time from which on the rows of a write count: now, or that of marks which are fresh.
    async fn begin(&self) -> Result<Begun, Error> {
        let now = Begun { here: Instant::now(), server: self.server_time().await? };
        let age_max = LATE.min(self.insert_timeout / 2) / FRESH;
        Ok(self.fresh_marks.begun(now, age_max))
    }

    /// Whether rows may still begin to be inserted behind their mark.
    pub(crate) fn may_follow(&self, begun: &Begun) -> bool {
        begun.here.elapsed() <= self.insert_timeout / 2
    }

    /// Writes the second mark where rows came late.
    async fn mark_late(&self, sealed: &SealedEvents, begun: &Begun) -> Result<(), Error> {
        let server = self.server_time().await?;
        // The answer may have taken long: that counts, too.
        let now = Begun { here: Instant::now(), server };
        let limit = self.insert_timeout.min(LATE);
        if begun.is_late(&now, limit) { self.insert(&sealed.marks.all()).await } else { Ok(()) }
    }
}

/// When the marks of a write began, by two clocks: ours stands still where this machine does, the server's may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) here: Instant,
    pub(crate) server: ServerTime,
}

impl Begun {
    /// Whether more time than the limit has passed by one of the clocks, or the server's runs back.
    pub(crate) fn is_late(&self, now: &Self, limit: Duration) -> bool {
        now.here.saturating_duration_since(self.here) > limit
            || now.server < self.server
            || now.server > self.server.plus(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_late_by_either_clock() {
        let limit = Duration::from_secs(3);
        let begun = Begun { here: Instant::now(), server: ServerTime(1_000_000_000_000) };
        let late = |here_ms: u64, server_ms: i64| {
            let here = begun.here + Duration::from_millis(here_ms);
            let server = ServerTime(begun.server.0 + server_ms * 1_000_000);
            begun.is_late(&Begun { here, server }, limit)
        };
        assert!(!late(0, 0) && !late(3000, 3000));
        assert!(late(3001, 100), "the process stood still, or the server's clock was set back");
        assert!(late(100, 3001), "this machine stood still, or the server's clock was set forward");
        assert!(late(100, -1), "it was set back");
    }
}
