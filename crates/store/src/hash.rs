//! Hashes that `identities` keeps of each copy of an event, and the ledger of a record. Rows hold them for ever, so what goes
//! into them never changes: XXH3 with 64 bits, over numbers in little-endian bytes.

use meterhouse_model::{Change, Event, IdentityHash, Record, Version};
use xxhash_rust::xxh3::xxh3_64;

use crate::events::utc_date;

/// Bytes of the members that go into the hash of an event's content.
const MEMBERS_BYTES: usize = 72;

/// What `identities` keeps of a copy of an event, besides where it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The hash of the event's identity.
    pub identity: IdentityHash,
    /// The hash of what it states.
    pub content: u64,
    /// The hash of its row's sort key.
    pub key: u64,
    /// Its version.
    pub version: Version,
}

impl Evidence {
    /// The evidence of a copy of an event that was read from a record.
    pub fn of(event: &Event<'_>, record: &Record<'_>) -> Self {
        let mut text = Vec::new();
        event.identity.write_to(&mut text);
        let identity = IdentityHash::of(&event.subscription, &text);
        let (customer, option_code) =
            (xxh3_64(event.customer.as_bytes()), xxh3_64(event.option_code.as_bytes()));
        Self {
            identity,
            content: content_hash(event, customer, option_code),
            key: key_hash(&KeyHashes {
                customer,
                subscription: xxh3_64(event.subscription.as_bytes()),
                utc_date: utc_date(event.billed_at),
                option_code,
                identity: xxh3_64(&text),
            }),
            version: event.version(record),
        }
    }
}

/// The hash of all that an event states: its members and the action, not where it was read from. Copies with the same one
/// state the same usage. The first creation of an HTTP request also states the request.
///
/// The hashes of customer and option code are given, since a batch has them at hand.
pub(crate) fn content_hash(event: &Event<'_>, customer: u64, option_code: u64) -> u64 {
    let mut bytes = [0; 80];
    let mut rest = bytes.as_mut_slice();
    let parts: [&[u8]; 8] = [
        &customer.to_le_bytes(),
        &option_code.to_le_bytes(),
        &event.start.to_le_bytes(),
        &event.end.to_le_bytes(),
        &event.units.0.to_le_bytes(),
        &xxh3_64(event.description.as_bytes()).to_le_bytes(),
        &event.renewal_order_reference.unwrap_or_default().to_le_bytes(),
        &(u64::from(event.revision()) << 1 | u64::from(event.is_deleted())).to_le_bytes(),
    ];
    for part in parts {
        let (place, behind) = rest.split_at_mut(part.len());
        place.copy_from_slice(part);
        rest = behind;
    }
    // Another request is another content, also where it has as many usages, or the same ones and more.
    let is_first = event.change == Change::Create && event.index == 0;
    match event.request().filter(|_| is_first) {
        None => xxh3_64(&bytes[..MEMBERS_BYTES]),
        Some(request) => {
            rest.copy_from_slice(&xxh3_64(request.as_bytes()).to_le_bytes());
            xxh3_64(&bytes)
        }
    }
}

/// The hash of the sort key of an event's row in `usage_events`, from the hashes of its texts.
///
/// It holds the identity by other means than [`IdentityHash`] does: of two identities that share that one, the keys differ.
pub(crate) fn key_hash(key: &KeyHashes) -> u64 {
    let mut bytes = [0; 40];
    let date = u64::from(key.utc_date.cast_unsigned());
    let parts = [key.customer, date, key.option_code, key.subscription, key.identity];
    for (place, part) in bytes.chunks_exact_mut(8).zip(parts) {
        place.copy_from_slice(&part.to_le_bytes());
    }
    xxh3_64(&bytes)
}

/// The parts of a sort key, texts as their hashes.
pub(crate) struct KeyHashes {
    pub(crate) customer: u64,
    pub(crate) subscription: u64,
    pub(crate) utc_date: i32,
    pub(crate) option_code: u64,
    pub(crate) identity: u64,
}

/// The hash of a record's key and value. A part that is null is another one than an empty one.
///
/// It is computed for every record, so no part is copied: the hashes of the parts are hashed.
pub(crate) fn record_hash(key: Option<&[u8]>, value: Option<&[u8]>) -> u64 {
    let length = |part: Option<&[u8]>| part.map_or(u64::MAX, |bytes| bytes.len() as u64);
    let mut bytes = [0; 32];
    let parts =
        [length(key), xxh3_64(key.unwrap_or_default()), length(value), xxh3_64(value.unwrap_or_default())];
    for (place, part) in bytes.chunks_exact_mut(8).zip(parts) {
        place.copy_from_slice(&part.to_le_bytes());
    }
    xxh3_64(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_differ_have_different_hashes() {
        let parts: [Option<&[u8]>; 5] = [None, Some(b""), Some(b"a"), Some(b"ab"), Some(&[0; 1000])];
        let hashes: Vec<u64> =
            parts.iter().flat_map(|key| parts.iter().map(|value| record_hash(*key, *value))).collect();
        let distinct: std::collections::BTreeSet<u64> = hashes.iter().copied().collect();
        assert_eq!(distinct.len(), hashes.len());
        // Rows hold it for ever.
        assert_eq!(record_hash(Some(b"S"), Some(b"{}")), 2_805_645_445_265_475_509);
    }
}
