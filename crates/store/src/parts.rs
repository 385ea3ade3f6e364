//! A batch that the database refuses, written in parts: the same bytes, of which the server takes some records.

use std::fmt::Write;

use crate::write::Begun;
use crate::{Error, SealedEvents, Store};

const EVENTS: &str = include_str!("parts/events.sql");
const IDENTITIES: &str = include_str!("parts/identities.sql");

/// Partition and offset of a record.
type Position = (i32, i64);

/// Writes the events of a batch that the database accepts, in the same order as [`Store::write`].
pub struct PartWriter<'s> {
    store: &'s Store,
    sealed: &'s SealedEvents,
    begun: Option<Begun>,
}

impl Store {
    /// Begins to write a batch in parts.
    pub fn write_parts<'s>(&'s self, sealed: &'s SealedEvents) -> PartWriter<'s> {
        PartWriter { store: self, sealed, begun: None }
    }
}

impl PartWriter<'_> {
    /// Inserts the events of all records from one position to another, both included. After an error some of them may be
    /// there: insert them again.
    ///
    /// # Errors
    /// [`Error::class`] says whether another attempt can help; of a part that is refused all or nothing is there.
    pub async fn insert(&mut self, first: Position, last: Position) -> Result<(), Error> {
        self.mark_if_old().await?;
        let parameters = [
            ("first_partition", first.0.to_string()),
            ("first_offset", first.1.to_string()),
            ("last_partition", last.0.to_string()),
            ("last_offset", last.1.to_string()),
        ];
        // What follows the format's name is data, be it a line's end.
        let inserted = self.store.insert_by(&self.sealed.events, EVENTS.trim_end(), &parameters).await;
        if inserted.is_err() {
            self.begun = None;
        }
        inserted
    }

    /// Writes what follows the events: evidence of all but the refused records, and a second mark, since
    /// parts take long.
    ///
    /// # Errors
    /// [`Error::class`] says whether another attempt can help.
    pub async fn finish(&self, refused: &[Position]) -> Result<(), Error> {
        let parameters = [("refused", array(refused))];
        let identities = async {
            match &self.sealed.identities {
                Some(batch) => self.store.insert_by(batch, IDENTITIES.trim_end(), &parameters).await,
                None => Ok(()),
            }
        };
        let marks = self.sealed.marks.all();
        tokio::try_join!(identities, self.store.insert(&marks))?;
        self.store.insert_if_any(self.sealed.suspects.as_ref()).await
    }

    /// Rows begin to be inserted as soon behind their mark as they do in one piece.
    async fn mark_if_old(&mut self) -> Result<(), Error> {
        if !self.begun.as_ref().is_some_and(|begun| self.store.may_follow(begun)) {
            self.begun = Some(self.store.mark(self.sealed).await?);
        }
        Ok(())
    }
}

/// The positions as ClickHouse writes an array of tuples.
fn array(positions: &[Position]) -> String {
    let mut text = String::from("[");
    for (number, (partition, offset)) in positions.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        // To write into a String cannot fail.
        let _ = write!(text, "{comma}({partition},{offset})");
    }
    text.push(']');
    text
}
