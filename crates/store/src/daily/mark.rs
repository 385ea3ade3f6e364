//! Marking dates anew, so that all that was stored of them is void.

use meterhouse_model::{Day, Month};

use super::{DateFilter, ServerTime};
use crate::{Error, Store};

/// The same time as that of every other mark.
const MARK: &str = concat!(include_str!("../insert/marks.sql"), include_str!("with_rows.sql"));
const CUSTOMERS: &str = concat!(
    "INSERT INTO subscription_customers SELECT DISTINCT subscription, customer FROM ",
    include_str!("with_rows.sql")
);
const MONTHS: &str = include_str!("months.sql");

impl Store {
    /// Marks all dates of a range that have events, or anything in `usage_daily`: from then on they are read from the events
    /// themselves, until they have been scanned again. Notes once more whom they name. Returns a time that none of
    /// these marks is later than.
    ///
    /// # Errors
    /// Some dates may not be marked yet.
    pub async fn mark_again(&self, filter: &DateFilter) -> Result<ServerTime, Error> {
        let query = filter.bind(self.for_reads().query_raw(MONTHS));
        let months: Vec<i32> = self.answer(query.fetch_all()).await?;
        // A month at a time: a statement has a time limit.
        for first_day in months.into_iter().map(Day) {
            let last_day = Day(Month::of(first_day).plus(1).first_day().0 - 1);
            let of_month = DateFilter {
                from: filter.from.max(first_day),
                to: filter.to.min(last_day),
                ..filter.clone()
            };
            for statement in [CUSTOMERS, MARK] {
                let insert = of_month.bind(self.for_inserts().query_raw(statement));
                self.acknowledgement(insert.execute()).await?;
            }
        }
        // Marks may be ahead of a clock that was set back.
        let newest =
            self.for_reads().query("SELECT toUnixTimestamp64Nano(greatest(now64(9), max(at))) FROM touched");
        Ok(ServerTime(self.answer(newest.fetch_one()).await?))
    }
}
