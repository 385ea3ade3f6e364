//! The one way on which rows get into `usage_events`: mark, insert, mark.
//!
//! The evidence of an event is never there without the event: it would be taken for the first copy of what comes later,
//! even where the database refuses the event's row for good. So it follows the events, beside the second mark.
//!
//! A date with a mark is not clean until a scan has begun more than a margin later, and is read from the events
//! themselves until then. The margin is longer than two time limits of an insert, so:
//!
//! - The first mark keeps answers from stepping back. A scan that began before the rows were there can only end up in a
//!   header that is not clean, since rows that were read live must not vanish again.
//! - The second mark keeps rows from being overlooked, however late they came: a process that was stopped between its
//!   mark and its insert, or a server whose clock was put forward meanwhile, may let a scan in between pass for clean.
//!   Nothing counts as stored before the second mark is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{EncodedBatch, Error, Sources, Store, crash};

/// Usage events with all that has to be written beside them. Cloning shares the bytes.
#[derive(Debug, Clone)]
pub struct SealedEvents {
    /// The dates that get rows.
    pub marks: EncodedBatch,
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
        self.mark(sealed).await?;
        crash::point("rows_due");
        self.insert(&sealed.events).await?;
        crash::point("events_inserted");
        let identities = async {
            self.insert_if_any(sealed.identities.as_ref()).await?;
            crash::point("identities_inserted");
            Ok::<(), Error>(())
        };
        tokio::try_join!(identities, self.insert(&sealed.marks))?;
        crash::point("second_mark_inserted");
        // The sweep looks for what a suspect names: it has to be there.
        self.insert_if_any(sealed.suspects.as_ref()).await
    }

    pub(crate) async fn insert_if_any(&self, batch: Option<&EncodedBatch>) -> Result<(), Error> {
        match batch {
            Some(batch) => self.insert(batch).await,
            None => Ok(()),
        }
    }

    /// Writes the first mark. Rows may follow for as long as an insert may take.
    pub(crate) async fn mark(&self, sealed: &SealedEvents) -> Result<(), Error> {
        let marking = Instant::now();
        self.insert(&sealed.marks).await?;
        crash::point("first_mark_inserted");
        check_fresh(marking.elapsed(), self.insert_timeout)
    }
}

/// Refuses to insert rows so long after their mark that they may come later than the margin.
fn check_fresh(age: Duration, limit: Duration) -> Result<(), Error> {
    if age > limit { Err(Error::TimedOut(limit)) } else { Ok(()) }
}
