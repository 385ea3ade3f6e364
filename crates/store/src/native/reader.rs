//! Reads a block that [`super::BlockWriter`] wrote.

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
    /// Reads a block. Nothing is returned for bytes that are none of ours.
    pub(crate) fn read(bytes: &'b [u8]) -> Option<Self> {
        let mut rest = bytes;
        let (columns, rows) = (read_varint(&mut rest)?, read_varint(&mut rest)?);
        let column = |rest: &mut &'b [u8]| {
            let name = read_text(rest)?;
            let data_type = read_text(rest)?;
            Some((name, Column::read(data_type, rows, rest)?))
        };
        let columns = (0..columns).map(|_| column(&mut rest)).collect::<Option<_>>()?;
        rest.is_empty().then_some(Self { rows, columns })
    }

    /// A number of a column, from its little-endian bytes.
    pub(crate) fn number<const WIDTH: usize>(&self, column: &str, row: usize) -> Option<[u8; WIDTH]> {
        match self.columns.get(column)? {
            Column::Fixed { width, bytes } if *width == WIDTH => {
                bytes.get(row * WIDTH..(row + 1) * WIDTH)?.try_into().ok()
            }
            _ => None,
        }
    }

    /// A text of a column.
    pub(crate) fn text(&self, column: &str, row: usize) -> Option<&'b str> {
        let bytes = match self.columns.get(column)? {
            Column::Fixed { .. } => return None,
            Column::Strings(values) => values.get(row)?,
            Column::LowCardinality { keys, width, symbols } => {
                let mut symbol = [0; 8];
                symbol[..*width].copy_from_slice(symbols.get(row * width..(row + 1) * width)?);
                keys.get(usize::from_le_bytes(symbol))?
            }
        };
        std::str::from_utf8(bytes).ok()
    }
}

impl<'b> Column<'b> {
    fn read(data_type: &str, rows: usize, rest: &mut &'b [u8]) -> Option<Self> {
        let width = match data_type.split('(').next()? {
            "String" => return Some(Self::Strings(read_strings(rows, rest)?)),
            "LowCardinality" => return Self::read_low_cardinality(rows, rest),
            "UInt8" => 1,
            "UInt16" => 2,
            "Int32" | "UInt32" | "Date32" => 4,
            "Int64" | "UInt64" | "DateTime64" => 8,
            "UInt128" | "Decimal" => 16,
            _ => return None,
        };
        Some(Self::Fixed { width, bytes: take(rest, rows * width)? })
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
