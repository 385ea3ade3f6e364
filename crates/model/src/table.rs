//! Files that are tables, as CSV or as TOML: rows of named texts that remember their lines.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use csv::{ReaderBuilder, StringRecord, Trim};
use toml::de::{DeTable, DeValue};

use crate::Problem;
use crate::reject::quote;
use crate::rules::has_control;

/// Bytes that a name in a file has at most, as in events.
const NAME_BYTES_MAX: usize = 128;

/// What a file must look like.
pub(crate) struct Layout {
    /// TOML: name of the array of tables.
    pub(crate) array: &'static str,
    /// Columns or keys that may occur.
    pub(crate) columns: &'static [&'static str],
    /// CSV: columns that must occur.
    pub(crate) required: &'static [&'static str],
}

/// A row of a file.
pub(crate) struct Row {
    /// Its first line, from 1.
    pub(crate) line: u64,
    cells: BTreeMap<&'static str, Cell>,
}

struct Cell {
    line: u64,
    text: String,
}

impl Row {
    /// A text that may be missing, or empty, which is the same.
    pub(crate) fn get(&self, column: &'static str) -> Option<&str> {
        self.cells.get(column).map(|cell| cell.text.as_str()).filter(|text| !text.is_empty())
    }

    /// A name of 1 to 128 bytes without control characters. Another one is a problem.
    pub(crate) fn name(&self, column: &'static str, problems: &mut Vec<Problem>) -> Option<&str> {
        let Some(name) = self.get(column) else {
            problems.push(Problem { line: self.line, text: format!("{column} is missing") });
            return None;
        };
        if name.len() > NAME_BYTES_MAX || has_control(name) {
            let text = format!("{column} has more than {NAME_BYTES_MAX} bytes or control characters");
            problems.push(self.problem(column, text));
            return None;
        }
        Some(name)
    }

    /// A problem with a cell.
    pub(crate) fn problem(&self, column: &'static str, text: String) -> Problem {
        Problem { line: self.cells.get(column).map_or(self.line, |cell| cell.line), text }
    }
}

/// Reads CSV with a line of column names, in any order. Spaces around a value do not count, but no quote may follow one.
pub(crate) fn read_csv(text: &str, layout: &Layout) -> (Vec<Row>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(text.as_bytes());
    let columns = match reader.headers() {
        Ok(header) => csv_columns(header, layout, &mut problems),
        Err(error) => {
            problems.push(Problem { line: 1, text: error.to_string() });
            return (Vec::new(), problems);
        }
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                problems.push(Problem { line, text: error.to_string() });
                continue;
            }
        };
        let line = record.position().map_or(1, csv::Position::line);
        if let Some(text) = record.iter().find(|text| text.starts_with('"')) {
            // Behind a space a quote would be part of the value, which nobody means.
            let text = format!("a quote stands behind a space: {}", quote(text));
            problems.push(Problem { line, text });
            continue;
        }
        if record.len() != columns.len() {
            let text = format!("the row has {} values, there are {} columns", record.len(), columns.len());
            problems.push(Problem { line, text });
            continue;
        }
        let named = columns.iter().zip(&record);
        let cells =
            named.filter_map(|(column, text)| Some(((*column)?, Cell { line, text: text.to_owned() })));
        rows.push(Row { line, cells: cells.collect() });
    }
    (rows, problems)
}

/// The column of each place. None: an unknown one.
fn csv_columns(
    header: &StringRecord,
    layout: &Layout,
    problems: &mut Vec<Problem>,
) -> Vec<Option<&'static str>> {
    let line = header.position().map_or(1, csv::Position::line);
    let mut problem = |text: String| problems.push(Problem { line, text });
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for name in header {
        let column = layout.columns.iter().copied().find(|column| *column == name);
        if column.is_none() {
            problem(format!("there is no column {}: known are {}", quote(name), layout.columns.join(", ")));
        } else if !seen.insert(name) {
            problem(format!("the column {name} is given twice"));
        }
        columns.push(column);
    }
    for missing in layout.required.iter().filter(|column| !seen.contains(**column)) {
        problem(format!("the column {missing} is missing"));
    }
    columns
}

/// Reads TOML with one array of tables.
pub(crate) fn read_toml(text: &str, layout: &Layout) -> (Vec<Row>, Vec<Problem>) {
    let line_of = |span: Range<usize>| line_at(text, span.start);
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| Problem { line: error.span().map_or(1, line_of), text: error.message().to_owned() })
        .collect();
    if !problems.is_empty() {
        return (Vec::new(), problems);
    }
    let mut rows = Vec::new();
    for (key, value) in document.get_ref() {
        let line = line_of(key.span());
        let (name, array) = (layout.array, value.get_ref().as_array());
        let Some(tables) = array.filter(|_| key.get_ref() == name) else {
            let text = format!("only [[{name}]] is known, not {}", quote(key.get_ref()));
            problems.push(Problem { line, text });
            continue;
        };
        for table in tables.iter() {
            let line = line_of(table.span());
            match table.get_ref().as_table() {
                Some(cells) => rows.push(toml_row(line, cells, layout, &line_of, &mut problems)),
                None => problems.push(Problem { line, text: format!("{name} must hold tables") }),
            }
        }
    }
    (rows, problems)
}

fn toml_row(
    line: u64,
    table: &DeTable<'_>,
    layout: &Layout,
    line_of: &dyn Fn(Range<usize>) -> u64,
    problems: &mut Vec<Problem>,
) -> Row {
    let mut row = Row { line, cells: BTreeMap::new() };
    for (key, value) in table {
        let line = line_of(key.span());
        let Some(column) = layout.columns.iter().find(|column| **column == key.get_ref().as_ref()) else {
            let text =
                format!("there is no key {}: known are {}", quote(key.get_ref()), layout.columns.join(", "));
            problems.push(Problem { line, text });
            continue;
        };
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            _ => {
                problems.push(Problem { line, text: format!("{column} must be a string, in quotes") });
                continue;
            }
        };
        row.cells.insert(column, Cell { line, text });
    }
    row
}

/// The line of a byte, from 1.
fn line_at(text: &str, offset: usize) -> u64 {
    let before = text.as_bytes().iter().take(offset);
    1 + before.filter(|byte| **byte == b'\n').count() as u64
}
