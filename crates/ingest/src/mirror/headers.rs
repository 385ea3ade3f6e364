//! The headers of a mirrored record: those that Kafka Connect gives to records of its dead letter queues, so that tools
//! know them, and our own.

use meterhouse_model::Reason;
use meterhouse_store::Rejected;

/// What the names of Kafka Connect begin with.
const CONNECT: &str = "__connect.errors.";
const OURS: &str = "meterhouse.";

/// Whether a record that has this header was mirrored before, and then published again as it was: it gets new ones.
pub(super) fn is_ours(name: &[u8]) -> bool {
    name.starts_with(CONNECT.as_bytes()) || name.starts_with(OURS.as_bytes())
}

/// All headers, with texts as Kafka Connect writes them. There is no stack trace to give.
pub(super) fn of(row: &Rejected<'_>) -> impl Iterator<Item = (String, Vec<u8>)> {
    let refused = row.reason == Reason::RefusedByStore.as_str();
    // The names of Kafka Connect's stages.
    let (stage, class) =
        if refused { ("TASK_PUT", "meterhouse.store") } else { ("VALUE_CONVERTER", "meterhouse.model") };
    let connect = [
        ("topic", String::from_utf8_lossy(row.topic).into_owned()),
        ("partition", row.partition.to_string()),
        ("offset", row.offset.to_string()),
        ("connector.name", "meterhouse".to_owned()),
        ("task.id", "0".to_owned()),
        ("stage", stage.to_owned()),
        ("class.name", class.to_owned()),
        ("exception.class.name", format!("meterhouse.{}", row.reason)),
        ("exception.message", row.detail.to_owned()),
    ];
    let ours = [("reason", row.reason.to_owned()), ("raw_length", row.raw_length.to_string())];
    let connect = connect.into_iter().map(|(name, value)| (format!("{CONNECT}{name}"), value.into_bytes()));
    connect.chain(ours.into_iter().map(|(name, value)| (format!("{OURS}{name}"), value.into_bytes())))
}
