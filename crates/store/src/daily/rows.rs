//! Rows of `usage_daily` as they are stored, and what they say once the newest of each key has won.
//!
//! Without FINAL: to choose among the few copies of a row takes less time here than there.

use std::{cmp::Reverse, time::Duration};

use clickhouse::types::Int256;
use meterhouse_model::{Day, Quantity};
use serde::Deserialize;

use super::{
    ServerTime, UsageDate,
    state::{Header, is_clean},
};
use crate::{Error, Store, dictionary::Dictionary};

/// One thread: a second one costs more than it saves for so few rows.
const THREADS: &str = "1";

/// Kinds of rows, by their numbers in the table.
const MARK: i8 = 0;
const HEADER: i8 = 1;
const DATA: i8 = 2;

/// A row as the server sends it.
#[derive(Debug, Deserialize, clickhouse::Row)]
struct SentRow<'a> {
    customer: &'a str,
    subscription: &'a str,
    /// Days since 1970, in UTC.
    date: i32,
    kind: i8,
    option_code: &'a str,
    /// Days since 1970.
    billing_day: i32,
    /// Nanoseconds.
    at: i64,
    total: Int256,
    records: u64,
    /// Microseconds.
    latest_end: i64,
    /// Nanoseconds.
    mark: i64,
}

/// A date, by the numbers of its names.
type Unit = (u32, u32, i32);

/// A row with numbers for names.
#[derive(Debug, Clone, Copy)]
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
        self.answer(async {
            let mut cursor = query.fetch::<SentRow<'_>>()?;
            while let Some(row) = cursor.next().await? {
                into.push(&row);
            }
            Ok(())
        })
        .await
    }
}

impl DailyRows {
    fn push(&mut self, sent: &SentRow<'_>) {
        let mut number = |name: &str| self.names.intern(name.as_bytes());
        let unit = (number(sent.customer), number(sent.subscription), sent.date);
        let option_code = number(sent.option_code);
        self.rows.push(DailyRow {
            unit,
            kind: sent.kind,
            option_code,
            billing_day: sent.billing_day,
            at: ServerTime(sent.at),
            total: Quantity::from_le_bytes(sent.total.to_le_bytes()),
            records: sent.records,
            latest_end: sent.latest_end,
            mark: ServerTime(sent.mark),
        });
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
