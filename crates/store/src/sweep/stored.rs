//! A creation, read back from its row: for one whose record nobody else has any more.

use std::borrow::Cow;

use meterhouse_model::{Change, Day, Event, Identity, Units};
use serde::Deserialize;

use crate::{Error, EventCopy, Store};

const EVENT: &str = include_str!("event.sql");

#[derive(Debug, Deserialize, clickhouse::Row)]
struct Stored {
    customer: String,
    subscription: String,
    option_code: String,
    identity: String,
    usage_start: i64,
    usage_end: i64,
    billed_at: i64,
    billing_day: i32,
    units: i128,
    description: String,
    renewal_order_reference: u64,
    origin: String,
}

impl Store {
    /// A creation as its row has it, until a merge lets another copy take its place.
    ///
    /// # Errors
    /// No answer could be had.
    pub async fn stored_event(&self, copy: &EventCopy) -> Result<Option<Event<'static>>, Error> {
        let query = self
            .for_reads()
            .query_raw(EVENT)
            .param("reference", copy.identity_hash.usage_reference())
            .param("topic", &copy.topic)
            .param("partition", copy.partition)
            .param("offset", copy.offset)
            .param("index", copy.index)
            .param("record_time", copy.record_time);
        let stored: Option<Stored> = self.answer(query.fetch_optional()).await?;
        Ok(stored.and_then(|stored| stored.event(copy.index)))
    }
}

impl Stored {
    fn event(self, index: u16) -> Option<Event<'static>> {
        let text = |text: String| Cow::<'static, str>::Owned(text);
        Some(Event {
            identity: Identity::parse(&self.identity)?.into_owned(),
            subscription: text(self.subscription),
            option_code: text(self.option_code),
            customer: text(self.customer),
            description: text(self.description),
            index,
            start: self.usage_start,
            end: self.usage_end,
            billed_at: self.billed_at,
            billing_day: Day(self.billing_day),
            units: Units(self.units),
            renewal_order_reference: Some(self.renewal_order_reference).filter(|number| *number != 0),
            change: Change::Create,
            origin: Some(self.origin).filter(|origin| !origin.is_empty()).map(text),
        })
    }
}
