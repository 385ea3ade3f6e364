//! Reads blocks that [`super::BlockWriter`] or a server wrote. The bytes are borrowed, and nothing is copied.

use std::collections::HashMap;

/// The columns of a block, by name.
pub(crate) struct Block<'b> {
    pub(crate) rows: usize,
    columns: HashMap<&'b str, Column<'b>>,
}

/// The values of a column.
enum Column<'b> {
    Fixed { width: usize, bytes: &'b [u8] },
    Strings(Vec<&'b [u8]>),
    LowCardinality { keys: Vec<&'b [u8]>, width: usize, symbols: &'b [u8] },
}

impl<'b> Block<'b> {
    /// Reads a block, the only one. Nothing is returned for bytes that are none.
    pub(crate) fn read(bytes: &'b [u8]) -> Option<Self> {
        let mut rest = bytes;
        let block = Self::read_next(&mut rest)?;
        rest.is_empty().then_some(block)
    }

    /// Reads the next one of several blocks.
    pub(crate) fn read_next(rest: &mut &'b [u8]) -> Option<Self> {
        let (columns, rows) = (read_varint(rest)?, read_varint(rest)?);
        let column = |_| {
            let name = read_text(rest)?;
            let data_type = read_text(rest)?;
            Some((name, Column::read(data_type, rows, rest)?))
        };
        let columns = (0..columns).map(column).collect::<Option<_>>()?;
        Some(Self { rows, columns })
    }

    /// The numbers of a column, as their little-endian bytes.
    pub(crate) fn numbers<const WIDTH: usize>(&self, column: &str) -> Option<&'b [[u8; WIDTH]]> {
        match self.columns.get(column)? {
            Column::Fixed { width, bytes } if *width == WIDTH => Some(bytes.as_chunks().0),
            _ => None,
        }
    }

    /// The texts of a column.
    pub(crate) fn texts(&self, column: &str) -> Option<Vec<&'b [u8]>> {
        let column = self.columns.get(column)?;
        (0..self.rows).map(|row| column.text(row)).collect()
    }

    /// A number of a column, as its little-endian bytes.
    pub(crate) fn number<const WIDTH: usize>(&self, column: &str, row: usize) -> Option<[u8; WIDTH]> {
        self.numbers(column)?.get(row).copied()
    }

    /// A text of a column.
    pub(crate) fn text(&self, column: &str, row: usize) -> Option<&'b str> {
        std::str::from_utf8(self.columns.get(column)?.text(row)?).ok()
    }
}

impl<'b> Column<'b> {
    fn read(data_type: &str, rows: usize, rest: &mut &'b [u8]) -> Option<Self> {
        let width = match data_type.split('(').next()? {
            "String" => return Some(Self::Strings(read_strings(rows, rest)?)),
            "LowCardinality" => return Self::read_low_cardinality(rows, rest),
            "UInt8" | "Enum8" => 1,
            "UInt16" => 2,
            "Int32" | "UInt32" | "Date32" => 4,
            "Int64" | "UInt64" | "DateTime64" => 8,
            "Decimal" if data_type == "Decimal(76, 18)" => 32,
            "UInt128" | "Decimal" => 16,
            _ => return None,
        };
        Some(Self::Fixed { width, bytes: take(rest, rows * width)? })
    }

    fn text(&self, row: usize) -> Option<&'b [u8]> {
        match self {
            Self::Fixed { .. } => None,
            Self::Strings(values) => values.get(row).copied(),
            Self::LowCardinality { keys, width, symbols } => {
                let mut symbol = [0; 8];
                symbol[..*width].copy_from_slice(symbols.get(row * width..(row + 1) * width)?);
                keys.get(usize::from_le_bytes(symbol)).copied()
            }
        }
    }

    fn read_low_cardinality(rows: usize, rest: &mut &'b [u8]) -> Option<Self> {
        take(rest, size_of::<u64>())?;
        // The lowest byte of the flags is the code of the symbols' type.
        let width = 1 << take(rest, size_of::<u64>())?[0];
        let keys = read_length(rest)?;
        let keys = read_strings(keys, rest)?;
        take(rest, size_of::<u64>())?;
        Some(Self::LowCardinality { keys, width, symbols: take(rest, rows * width)? })
    }
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    Some(taken)
}

fn read_length(rest: &mut &[u8]) -> Option<usize> {
    let bytes = take(rest, size_of::<u64>())?;
    usize::try_from(u64::from_le_bytes(bytes.try_into().ok()?)).ok()
}

fn read_strings<'b>(count: usize, rest: &mut &'b [u8]) -> Option<Vec<&'b [u8]>> {
    (0..count)
        .map(|_| {
            let length = read_varint(rest)?;
            take(rest, length)
        })
        .collect()
}

fn read_text<'b>(rest: &mut &'b [u8]) -> Option<&'b str> {
    let length = read_varint(rest)?;
    std::str::from_utf8(take(rest, length)?).ok()
}

fn read_varint(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
