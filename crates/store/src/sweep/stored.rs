//! A creation, read back from its row: for one whose record nobody else has any more.

use meterhouse_model::{Change, Event};

use crate::{
    Error, EventCopy, Store, StoredUsage,
    subscription::{WHOLE, WholeRow},
};

const EVENT: &str = include_str!("event.sql");

impl Store {
    /// A creation as its row has it, until a merge lets another copy take its place.
    ///
    /// # Errors
    /// No answer could be had.
    pub async fn stored_event(&self, copy: &EventCopy) -> Result<Option<Event<'static>>, Error> {
        let query = self
            .for_reads()
            .query_raw(&[WHOLE, EVENT].concat())
            .param("reference", copy.identity_hash.usage_reference())
            .param("topic", &copy.topic)
            .param("partition", copy.partition)
            .param("offset", copy.offset)
            .param("index", copy.index)
            .param("record_time", copy.record_time);
        let row: Option<WholeRow> = self.answer(query.fetch_optional()).await?;
        let stored = row.and_then(|row| StoredUsage::try_from(row).ok());
        Ok(stored.map(|stored| Event { index: copy.index, change: Change::Create, ..stored.event }))
    }
}
