//! From a message of librdkafka to what the model judges and quarantine keeps.

use meterhouse_model::{CloudEventHeaders, Record};
use meterhouse_store::RejectedRecord;

use crate::message::Message;

/// The record, as far as a verdict depends on it.
pub(crate) fn record<'m>(topic: &'m str, message: Message<'m>) -> Record<'m> {
    let (content_type, cloud_event) = cloud_event_headers(message.headers());
    Record {
        topic,
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp_ms(),
        value: message.value(),
        content_type,
        cloud_event,
    }
}

/// The header `content-type` and those of a CloudEvent in binary mode. One that is given twice counts as given first.
pub(crate) fn cloud_event_headers<'m>(
    headers: impl Iterator<Item = (&'m [u8], &'m [u8])>,
) -> (Option<&'m [u8]>, CloudEventHeaders<'m>) {
    let mut content_type = None;
    let mut cloud_event = CloudEventHeaders::default();
    for (name, value) in headers {
        let header = match name {
            b"content-type" => &mut content_type,
            b"ce_specversion" => &mut cloud_event.specversion,
            b"ce_id" => &mut cloud_event.id,
            b"ce_source" => &mut cloud_event.source,
            b"ce_type" => &mut cloud_event.event_type,
            _ => continue,
        };
        header.get_or_insert(value);
    }
    (content_type, cloud_event)
}

/// The rest of a record that is not usable.
pub(crate) fn rejected(message: Message<'_>) -> RejectedRecord {
    RejectedRecord {
        key: message.key().map(<[u8]>::to_vec),
        headers: message.headers().map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
    }
}
