//! The one way on which rows get into `usage_events`: mark, insert, mark.
//!
//! A date with a mark is not clean until a scan has begun more than a margin later, and is read from the events
//! themselves until then. The margin is longer than two time limits of an insert, so:
//!
//! - The first mark keeps answers from stepping back. A scan that began before the rows were there can only end up in a
//!   header that is not clean, since rows that were read live must not vanish again.
//! - The second mark keeps rows from being overlooked, however late they came: a process that was stopped between its
//!   mark and its insert, or a server whose clock was put forward meanwhile, may let a scan in between pass for clean.
//!   Nothing counts as stored before the second mark is there.

use std::time::{Duration, Instant};

use crate::{EncodedBatch, Error, Store, crash};

/// Usage events with all that has to be written beside them. Cloning shares the bytes.
#[derive(Debug, Clone)]
pub struct SealedEvents {
    /// The dates that get rows.
    pub marks: EncodedBatch,
    /// The rows themselves.
    pub events: EncodedBatch,
    /// The evidence of each.
    pub identities: EncodedBatch,
}

impl Store {
    /// Writes events once. When it returns, they are on disk and no sum overlooks them. After an error they may be there
    /// in part or whole: write the same again, rows replace themselves.
    ///
    /// # Errors
    /// [`Error::class`] says whether another attempt can help.
    pub async fn write(&self, sealed: &SealedEvents) -> Result<(), Error> {
        let marking = Instant::now();
        self.insert(&sealed.marks).await?;
        crash::point("first_mark_inserted");
        check_fresh(marking.elapsed(), self.insert_timeout)?;
        let events = async {
            self.insert(&sealed.events).await?;
            crash::point("events_inserted");
            Ok::<(), Error>(())
        };
        let identities = async {
            self.insert(&sealed.identities).await?;
            crash::point("identities_inserted");
            Ok::<(), Error>(())
        };
        tokio::try_join!(events, identities)?;
        self.insert(&sealed.marks).await?;
        crash::point("second_mark_inserted");
        Ok(())
    }
}

/// Refuses to insert rows so long after their mark that they may come later than the margin.
fn check_fresh(age: Duration, limit: Duration) -> Result<(), Error> {
    if age > limit { Err(Error::TimedOut(limit)) } else { Ok(()) }
}
