//! Events of a record, read back out of an encoded batch: for a record that nobody else has any more.

use meterhouse_model::{Change, Day, Event, Identity, Units};

use crate::SealedEvents;
use crate::native::Block;

impl SealedEvents {
    /// The events that a record brought, in their order. Nothing is returned where the batch has none of it.
    pub fn events_of(&self, partition: i32, offset: i64) -> Option<Vec<Event<'_>>> {
        let block = Block::read(&self.events.bytes)?;
        let is_wanted = |row: &usize| {
            block.number("partition", *row).map(i32::from_le_bytes) == Some(partition)
                && block.number("offset", *row).map(i64::from_le_bytes) == Some(offset)
        };
        let rows = (0..block.rows).filter(is_wanted);
        let mut events = rows.map(|row| event(&block, row)).collect::<Option<Vec<_>>>()?;
        events.sort_by_key(|event| event.index);
        (!events.is_empty()).then_some(events)
    }
}

fn event<'b>(block: &Block<'b>, row: usize) -> Option<Event<'b>> {
    let instant = |column| block.number(column, row).map(i64::from_le_bytes);
    let revision = u32::from_le_bytes(block.number("revision", row)?);
    let [is_deleted] = block.number("is_deleted", row)?;
    let renewal = u64::from_le_bytes(block.number("renewal_order_reference", row)?);
    let origin = block.text("origin", row)?;
    Some(Event {
        subscription: block.text("subscription", row)?.into(),
        option_code: block.text("option_code", row)?.into(),
        customer: block.text("customer", row)?.into(),
        description: block.text("description", row)?.into(),
        identity: Identity::parse(block.text("identity", row)?)?,
        index: u16::from_le_bytes(block.number("index", row)?),
        start: instant("usage_start")?,
        end: instant("usage_end")?,
        billed_at: instant("billed_at")?,
        billing_day: Day(i32::from_le_bytes(block.number("billing_day", row)?)),
        units: Units(i128::from_le_bytes(block.number("units", row)?)),
        renewal_order_reference: (renewal != 0).then_some(renewal),
        change: match (revision, is_deleted) {
            (0, _) => Change::Create,
            (revision, 0) => Change::Amend(revision),
            (revision, _) => Change::Delete(revision),
        },
        origin: (!origin.is_empty()).then(|| origin.into()),
    })
}
