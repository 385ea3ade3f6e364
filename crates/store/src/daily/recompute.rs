//! Scans of dates.

use meterhouse_model::Month;

use super::{DateState, MarkedDate, ServerTime, UsageDate, rows::DailyRows};
use crate::{
    Error, Store,
    parameters::{NUMBER_BYTES, parts},
};

const RECOMPUTE: &str = include_str!("recompute.sql");
const OF_DATES: &str = include_str!("of_dates.sql");

/// Cuts dates so that each part fits into one statement and lies in one month, `most` in each. They are given in the order of
/// [`UsageDate::scan_order`].
pub(crate) fn scan_parts<T>(
    dates: &[T],
    most: usize,
    date: impl Fn(&T) -> &UsageDate + Copy,
) -> impl Iterator<Item = &[T]> {
    let month = move |item: &T| Month::of(date(item).day);
    dates
        .chunk_by(move |a, b| month(a) == month(b))
        .flat_map(move |dates| dates.chunks(most.max(1)))
        .flat_map(move |dates| parts(dates, move |item| parameter_bytes(date(item))))
}

fn parameter_bytes(date: &UsageDate) -> usize {
    date.customer.len().max(date.subscription.len()).max(NUMBER_BYTES)
}

impl MarkedDate {
    /// Cuts dates into lists for [`Store::recompute`]: each fits into one statement and lies in one month, and none has more
    /// than `most`. They are given in the order of [`UsageDate::scan_order`].
    pub fn scans(dates: &[Self], most: usize) -> impl Iterator<Item = &[Self]> {
        scan_parts(dates, most, |marked| &marked.date)
    }
}

impl Store {
    /// The server's time.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn server_time(&self) -> Result<ServerTime, Error> {
        let query = self.for_reads().query("SELECT toUnixTimestamp64Nano(now64(9))");
        Ok(ServerTime(self.answer(query.fetch_one()).await?))
    }

    /// Recomputes the sums of dates, a list of [`MarkedDate::scans`], from their events. `scan` is the server's time,
    /// asked for after the marks were read, and for this attempt alone. After an error part of the rows may be there, or
    /// may come later: they are void.
    ///
    /// Dates whose newest mark is another one by then, or no margin older than `scan`, are not clean afterwards.
    ///
    /// # Errors
    /// [`Error::class`] says whether another attempt can help.
    pub async fn recompute(&self, dates: &[MarkedDate], scan: ServerTime) -> Result<(), Error> {
        let marks: Vec<i64> = dates.iter().map(|marked| marked.mark.0).collect();
        // All copies of a row are of one UTC date, which fixes the partition.
        let client = self.for_inserts().with_setting("do_not_merge_across_partitions_select_final", "1");
        let query = with_dates(client.query_raw(RECOMPUTE), dates.iter().map(|marked| &marked.date))
            .param("marks", marks)
            .param("scan", scan.0);
        self.acknowledgement(query.execute()).await
    }

    /// What is stored of dates; those of which nothing is are left out.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn date_states(
        &self,
        dates: &[UsageDate],
        margin: std::time::Duration,
    ) -> Result<Vec<DateState>, Error> {
        let mut rows = DailyRows::default();
        for part in parts(dates, parameter_bytes) {
            let query = with_dates(self.reads_of_days().query_raw(OF_DATES), part.iter());
            self.daily_rows(query, &mut rows).await?;
        }
        rows.settle();
        Ok(rows.dates().map(|date| date.state(rows.date(&date), margin)).collect())
    }
}

fn with_dates<'d>(
    query: clickhouse::query::Query,
    dates: impl Iterator<Item = &'d UsageDate> + Clone,
) -> clickhouse::query::Query {
    let customers: Vec<&str> = dates.clone().map(|date| date.customer.as_str()).collect();
    let subscriptions: Vec<&str> = dates.clone().map(|date| date.subscription.as_str()).collect();
    let days: Vec<i32> = dates.map(|date| date.day.0).collect();
    query.param("customers", customers).param("subscriptions", subscriptions).param("days", days)
}
