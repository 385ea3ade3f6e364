//! Rows of `usage_daily` as they are stored, and what they say once the newest of each key has won.
//!
//! Without FINAL: to choose among the few copies of a row takes less time here than there.

use std::{cmp::Reverse, time::Duration};

use meterhouse_model::{Day, Quantity};

use super::{
    ServerTime, UsageDate,
    state::{Header, is_clean},
};
use crate::{Error, Store, dictionary::Dictionary, native::Block};

/// One thread: a second one costs more than it saves for so few rows.
const THREADS: &str = "1";

/// Kinds of rows, by their numbers in the table.
const MARK: i8 = 0;
const HEADER: i8 = 1;
const DATA: i8 = 2;

/// A date, by the numbers of its names.
type Unit = (u32, u32, i32);

/// A row with numbers for names.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DailyRow {
    unit: Unit,
    kind: i8,
    option_code: u32,
    billing_day: i32,
    at: ServerTime,
    total: Quantity,
    records: u64,
    latest_end: i64,
    mark: ServerTime,
}

/// What is stored of some dates.
#[derive(Debug, Default)]
pub(crate) struct DailyRows {
    names: Dictionary,
    rows: Vec<DailyRow>,
}

/// What is stored of one date.
#[derive(Debug)]
pub(crate) struct DateRows<'r> {
    unit: Unit,
    pub(crate) mark: Option<ServerTime>,
    pub(crate) header: Option<Header>,
    data: &'r [DailyRow],
}

/// Usage of one option code on one billing day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DaySum<'r> {
    pub(crate) subscription: &'r str,
    pub(crate) option_code: &'r str,
    pub(crate) billing_day: Day,
    pub(crate) total: Quantity,
    pub(crate) records: u64,
    /// Latest end of a usage, in microseconds since the epoch.
    pub(crate) latest_end: i64,
}

impl Store {
    /// The client for reads of `usage_daily`.
    pub(crate) fn reads_of_days(&self) -> clickhouse::Client {
        self.for_reads().with_setting("max_threads", THREADS)
    }

    /// Reads all rows that a statement names. Add more before [`DailyRows::settle`].
    pub(crate) async fn daily_rows(
        &self,
        query: clickhouse::query::Query,
        into: &mut DailyRows,
    ) -> Result<(), Error> {
        self.read_blocks(query, |block| into.push_all(block)).await
    }
}

impl DailyRows {
    /// Adds the rows of a block, column by column.
    fn push_all(&mut self, block: &Block<'_>) -> Option<()> {
        let first = self.rows.len();
        self.rows.resize(first + block.rows, DailyRow::default());
        let (names, rows) = (&mut self.names, &mut self.rows[first..]);
        fill_names(rows, block, "customer", names, |row, name| row.unit.0 = name)?;
        fill_names(rows, block, "subscription", names, |row, name| row.unit.1 = name)?;
        fill_names(rows, block, "option_code", names, |row, name| row.option_code = name)?;
        fill(rows, block, "date", |row, bytes| row.unit.2 = i32::from_le_bytes(bytes))?;
        fill(rows, block, "kind", |row, bytes| row.kind = i8::from_le_bytes(bytes))?;
        fill(rows, block, "billing_day", |row, bytes| row.billing_day = i32::from_le_bytes(bytes))?;
        fill(rows, block, "at", |row, bytes| row.at = ServerTime(i64::from_le_bytes(bytes)))?;
        fill(rows, block, "units", |row, bytes| row.total = Quantity::from_le_bytes(bytes))?;
        fill(rows, block, "records", |row, bytes| row.records = u64::from_le_bytes(bytes))?;
        fill(rows, block, "latest_end", |row, bytes| row.latest_end = i64::from_le_bytes(bytes))?;
        fill(rows, block, "mark", |row, bytes| row.mark = ServerTime(i64::from_le_bytes(bytes)))
    }

    /// Leaves the newest row of each key, as a merge would.
    pub(crate) fn settle(&mut self) {
        let key = |row: &DailyRow| (row.unit, row.kind, row.option_code, row.billing_day);
        self.rows.sort_unstable_by_key(|row| (key(row), Reverse(row.at)));
        self.rows.dedup_by_key(|row| key(row));
    }

    /// The dates, in no particular order. The rows must be settled.
    pub(crate) fn dates(&self) -> impl Iterator<Item = DateRows<'_>> {
        self.rows.chunk_by(|a, b| a.unit == b.unit).map(|rows| {
            let newest = |kind: i8| rows.iter().find(|row| row.kind == kind);
            let header = |row: &DailyRow| Header { at: row.at, records: row.records, mark: row.mark };
            let data = rows.partition_point(|row| row.kind < DATA);
            DateRows {
                unit: rows[0].unit,
                mark: newest(MARK).map(|row| row.at),
                header: newest(HEADER).map(header),
                data: &rows[data..],
            }
        })
    }

    /// The name of a date.
    pub(crate) fn date(&self, rows: &DateRows<'_>) -> UsageDate {
        let (customer, subscription, day) = rows.unit;
        let name = |number| self.names.text(number).to_owned();
        UsageDate { customer: name(customer), subscription: name(subscription), day: Day(day) }
    }

    /// The subscription of a date.
    pub(crate) fn subscription(&self, rows: &DateRows<'_>) -> &str {
        self.names.text(rows.unit.1)
    }

    /// A data row with its names.
    pub(crate) fn sum(&self, row: &DailyRow) -> DaySum<'_> {
        DaySum {
            subscription: self.names.text(row.unit.1),
            option_code: self.names.text(row.option_code),
            billing_day: Day(row.billing_day),
            total: row.total,
            records: row.records,
            latest_end: row.latest_end,
        }
    }
}

/// Gives each row its number of a column.
fn fill<const WIDTH: usize>(
    rows: &mut [DailyRow],
    block: &Block<'_>,
    column: &str,
    set: impl Fn(&mut DailyRow, [u8; WIDTH]),
) -> Option<()> {
    for (row, number) in rows.iter_mut().zip(block.numbers(column)?) {
        set(row, *number);
    }
    Some(())
}

/// Gives each row the number of its text in a column.
fn fill_names(
    rows: &mut [DailyRow],
    block: &Block<'_>,
    column: &str,
    names: &mut Dictionary,
    set: impl Fn(&mut DailyRow, u32),
) -> Option<()> {
    // Rows are sorted: most have the text of the one before.
    let mut last = None;
    for (row, text) in rows.iter_mut().zip(block.texts(column)?) {
        let number = match last {
            Some((before, number)) if before == text => number,
            _ => names.intern(std::str::from_utf8(text).ok()?.as_bytes()),
        };
        last = Some((text, number));
        set(row, number);
    }
    Some(())
}

impl<'r> DateRows<'r> {
    /// The UTC date.
    pub(crate) fn day(&self) -> Day {
        Day(self.unit.2)
    }

    /// The sums of the date, if they are all that there is to know.
    pub(crate) fn clean(&self, margin: Duration) -> Option<impl Iterator<Item = &'r DailyRow> + use<'r>> {
        let data = self.data;
        let of_scan = |at: ServerTime| data.iter().filter(move |row| row.at == at);
        let scanned_at = self.header?.at;
        let count = of_scan(scanned_at).count() as u64;
        is_clean(self.mark, self.header, count, margin).then(|| of_scan(scanned_at))
    }
}
