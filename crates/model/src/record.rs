//! A Kafka record, as far as a verdict depends on it.

/// A Kafka record, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Topic it was read from.
    pub topic: &'a str,
    /// Partition it was read from.
    pub partition: i32,
    /// Its offset in the partition.
    pub offset: i64,
    /// Its timestamp, in milliseconds since the epoch.
    pub timestamp_ms: Option<i64>,
    /// Its value.
    pub value: Option<&'a [u8]>,
    /// Its header `content-type`.
    pub content_type: Option<&'a [u8]>,
    /// Its headers of a CloudEvent in binary mode.
    pub cloud_event: CloudEventHeaders<'a>,
}

/// Headers by the Kafka protocol binding for CloudEvents 1.0, section 3.2.
#[derive(Debug, Clone, Copy, Default)]
pub struct CloudEventHeaders<'a> {
    /// `ce_specversion`: its presence makes the record a CloudEvent in binary mode.
    pub specversion: Option<&'a [u8]>,
    /// `ce_id`.
    pub id: Option<&'a [u8]>,
    /// `ce_source`.
    pub source: Option<&'a [u8]>,
    /// `ce_type`.
    pub event_type: Option<&'a [u8]>,
}
