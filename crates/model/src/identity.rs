//! What an event is identified by, together with its subscription.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

/// Bytes that an identity's text has at most.
const TEXT_BYTES_MAX: usize = 1024;
/// Bytes that a name of each kind has at most.
pub(crate) const EVENT_ID_BYTES_MAX: usize = 128;
pub(crate) const SOURCE_BYTES_MAX: usize = 512;
pub(crate) const CLOUD_EVENT_ID_BYTES_MAX: usize = 256;
const TOPIC_BYTES_MAX: usize = 249;

/// Bits of a usage reference: JSON numbers are exact up to 2^53.
const REFERENCE_BITS: u32 = 53;

/// The identity of an event within its subscription.
///
/// Its text is tagged and length-prefixed, so that no two identities share one; lengths count bytes:
/// `e:3:e-1`, `c:10:/my/source,4:id-1,0`, `k:12:usage-events,3,12345,1790000000000,0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity<'a> {
    /// The producer's `EventId`.
    EventId(Cow<'a, str>),
    /// Source and id of a CloudEvent, and the index of the event in its data.
    CloudEvent {
        /// The attribute `source`.
        source: Cow<'a, str>,
        /// The attribute `id`.
        id: Cow<'a, str>,
        /// Place in `Usages`, else 0.
        index: u16,
    },
    /// Where the event stands in Kafka.
    Coordinates {
        /// Topic of the record.
        topic: Cow<'a, str>,
        /// Partition of the record.
        partition: i32,
        /// Offset of the record.
        offset: i64,
        /// Timestamp of the record, -1 where it has none.
        timestamp_ms: i64,
        /// Place in `Usages`, else 0.
        index: u16,
    },
}

impl Identity<'_> {
    /// Appends the text.
    pub fn write_to(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::EventId(id) => {
                bytes.extend_from_slice(b"e:");
                write_text(bytes, id);
            }
            Self::CloudEvent { source, id, index } => {
                bytes.extend_from_slice(b"c:");
                write_text(bytes, source);
                bytes.push(b',');
                write_text(bytes, id);
                write_numbers(bytes, [i64::from(*index)]);
            }
            Self::Coordinates { topic, partition, offset, timestamp_ms, index } => {
                bytes.extend_from_slice(b"k:");
                write_text(bytes, topic);
                write_numbers(bytes, [i64::from(*partition), *offset, *timestamp_ms, i64::from(*index)]);
            }
        }
    }

    /// Reads the text of an identity, exactly as [`Identity::write_to`] writes it.
    pub fn parse(text: &str) -> Option<Identity<'_>> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let (tag, rest) = text.split_once(':')?;
        let identity = match tag {
            "e" => {
                let (id, rest) = split_text(rest, EVENT_ID_BYTES_MAX)?;
                rest.is_empty().then_some(())?;
                Identity::EventId(id.into())
            }
            "c" => {
                let (source, rest) = split_text(rest, SOURCE_BYTES_MAX)?;
                let (id, rest) = split_text(rest.strip_prefix(',')?, CLOUD_EVENT_ID_BYTES_MAX)?;
                let [index] = split_numbers(rest)?;
                Identity::CloudEvent { source: source.into(), id: id.into(), index: number(index)? }
            }
            "k" => {
                let (topic, rest) = split_text(rest, TOPIC_BYTES_MAX)?;
                let [partition, offset, timestamp_ms, index] = split_numbers(rest)?;
                Identity::Coordinates {
                    topic: topic.into(),
                    partition: number(partition)?,
                    offset: number(offset)?,
                    timestamp_ms: number(timestamp_ms)?,
                    index: number(index)?,
                }
            }
            _ => return None,
        };
        Some(identity)
    }

    /// The same identity, without borrows.
    pub fn into_owned(self) -> Identity<'static> {
        match self {
            Self::EventId(id) => Identity::EventId(owned(id)),
            Self::CloudEvent { source, id, index } => {
                Identity::CloudEvent { source: owned(source), id: owned(id), index }
            }
            Self::Coordinates { topic, partition, offset, timestamp_ms, index } => {
                Identity::Coordinates { topic: owned(topic), partition, offset, timestamp_ms, index }
            }
        }
    }
}

impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes);
        f.write_str(&String::from_utf8_lossy(&bytes))
    }
}

/// Hash of a subscription and an identity in it. Rows keep it: it never changes. Two identities may share one, if rarely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityHash(pub u64);

impl IdentityHash {
    /// The hash of an identity's text within its subscription.
    pub fn of(subscription: &str, identity: &[u8]) -> Self {
        let mut bytes: SmallVec<[u8; 256]> = SmallVec::new();
        for part in [subscription.as_bytes(), identity] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        Self(xxh3_64(&bytes))
    }

    /// The integer by which the HTTP APIs name a usage, from 1 to 2^53 - 1. It tells the usages of one subscription apart
    /// but for collisions.
    pub fn usage_reference(self) -> u64 {
        (self.0 & ((1 << REFERENCE_BITS) - 1)).max(1)
    }
}

pub(crate) fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    write_number(bytes, text.len() as u64);
    bytes.push(b':');
    bytes.extend_from_slice(text.as_bytes());
}

fn write_numbers<const N: usize>(bytes: &mut Vec<u8>, numbers: [i64; N]) {
    for number in numbers {
        bytes.push(b',');
        if number < 0 {
            bytes.push(b'-');
        }
        write_number(bytes, number.unsigned_abs());
    }
}

fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    let start = bytes.len();
    loop {
        bytes.push(b"0123456789"[(number % 10) as usize]);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    bytes[start..].reverse();
}

/// A length-prefixed text of 1 to so many bytes, and what follows it.
fn split_text(text: &str, bytes_max: usize) -> Option<(&str, &str)> {
    let (length, rest) = text.split_once(':')?;
    let length: usize = number(length)?;
    if !(1..=bytes_max).contains(&length) {
        return None;
    }
    rest.split_at_checked(length)
}

/// So many numbers, each after a comma, and nothing else.
fn split_numbers<const N: usize>(text: &str) -> Option<[&str; N]> {
    let numbers: SmallVec<[&str; 4]> = text.strip_prefix(',')?.split(',').collect();
    numbers.as_slice().try_into().ok()
}

/// A number in the one form in which it is written.
fn number<T: FromStr + ToString>(text: &str) -> Option<T> {
    let number: T = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
