//! Writes one block in ClickHouse's Native format: the fastest there is for the server to read, since a
//! column's bytes are its memory. Format: columns count, rows count (LEB128), then for each column its name, its
//! type and its data.

mod answer;
mod reader;

pub(crate) use reader::Block;

use crate::dictionary::Dictionary;

/// A block under construction. Every column must be given exactly the announced number of rows, one at least.
pub(crate) struct BlockWriter {
    bytes: Vec<u8>,
    rows: usize,
}

/// Numbers that are copied together: a check for room before each of them would cost more than the copy.
const TOGETHER: usize = 64;
/// Version of the serialization of LowCardinality keys: a dictionary for each block.
const LOW_CARDINALITY_VERSION: u64 = 1;
/// The block brings its own keys, and they are all that it needs.
const LOW_CARDINALITY_OWN_KEYS: u64 = 1 << 9 | 1 << 10;

impl BlockWriter {
    pub(crate) fn new(columns: usize, rows: usize, capacity: usize) -> Self {
        Self::in_buffer(columns, rows, Vec::with_capacity(capacity))
    }

    /// The same in an empty buffer.
    pub(crate) fn in_buffer(columns: usize, rows: usize, mut bytes: Vec<u8>) -> Self {
        write_varint(&mut bytes, columns);
        write_varint(&mut bytes, rows);
        Self { bytes, rows }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn header(&mut self, name: &str, data_type: &str) {
        write_string(&mut self.bytes, name.as_bytes());
        write_string(&mut self.bytes, data_type.as_bytes());
    }

    /// A column of numbers of fixed width, each given as its little-endian bytes.
    pub(crate) fn fixed<const WIDTH: usize>(
        &mut self,
        name: &str,
        data_type: &str,
        mut values: impl Iterator<Item = [u8; WIDTH]>,
    ) {
        self.header(name, data_type);
        self.bytes.reserve(WIDTH * self.rows);
        let mut together = [[0; WIDTH]; TOGETHER];
        loop {
            let mut count = 0;
            for (place, value) in together.iter_mut().zip(&mut values) {
                *place = value;
                count += 1;
            }
            self.bytes.extend_from_slice(together[..count].as_flattened());
            if count < TOGETHER {
                return;
            }
        }
    }

    /// A column of strings.
    pub(crate) fn strings<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a [u8]>) {
        self.header(name, "String");
        for value in values {
            write_string(&mut self.bytes, value);
        }
    }

    /// A column of strings that repeat: the dictionary once, then its numbers.
    pub(crate) fn low_cardinality(
        &mut self,
        name: &str,
        dictionary: &Dictionary,
        symbols: impl Iterator<Item = u32>,
    ) {
        self.header(name, "LowCardinality(String)");
        self.bytes.extend_from_slice(&LOW_CARDINALITY_VERSION.to_le_bytes());
        let (code, width) = index_type(dictionary.len());
        self.bytes.extend_from_slice(&(LOW_CARDINALITY_OWN_KEYS | code).to_le_bytes());
        self.bytes.extend_from_slice(&(dictionary.len() as u64).to_le_bytes());
        for symbol in (0u32..).take(dictionary.len()) {
            write_string(&mut self.bytes, dictionary.get(symbol));
        }
        self.bytes.extend_from_slice(&(self.rows as u64).to_le_bytes());
        for symbol in symbols {
            self.bytes.extend_from_slice(&symbol.to_le_bytes()[..width]);
        }
    }

    /// A column of arrays of pairs of strings, such as the headers of a record.
    pub(crate) fn pairs<'a>(
        &mut self,
        name: &str,
        data_type: &str,
        rows: impl Iterator<Item = &'a [(Vec<u8>, Vec<u8>)]> + Clone,
    ) {
        self.header(name, data_type);
        let mut end = 0u64;
        for row in rows.clone() {
            end += row.len() as u64;
            self.bytes.extend_from_slice(&end.to_le_bytes());
        }
        for (first, _) in rows.clone().flatten() {
            write_string(&mut self.bytes, first);
        }
        for (_, second) in rows.flatten() {
            write_string(&mut self.bytes, second);
        }
    }
}

/// Code and width in bytes of the smallest unsigned integer that numbers the keys.
fn index_type(keys: usize) -> (u64, usize) {
    match keys {
        0..=0x100 => (0, 1),
        0x101..=0x1_0000 => (1, 2),
        _ => (2, 4),
    }
}

/// A string as the server reads it, also in RowBinary.
pub(crate) fn write_string(bytes: &mut Vec<u8>, value: &[u8]) {
    write_varint(bytes, value.len());
    bytes.extend_from_slice(value);
}

#[expect(clippy::cast_possible_truncation, reason = "the low seven bits are what LEB128 takes at a time")]
fn write_varint(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
