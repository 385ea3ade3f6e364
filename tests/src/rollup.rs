//! The rollup of a site.

use anyhow::{Context, Result};

use crate::settings::Value;
use crate::{Site, wait};

/// Dates of subscriptions, with what decides whether their sums count.
const DATES: &str = "
    SELECT
        customer, subscription, date,
        maxIf(at, kind = 'mark') AS newest_mark,
        maxIf(at, kind = 'header') AS scanned_at,
        maxIf(mark, kind = 'header') AS known_mark,
        maxIf(records, kind = 'header') AS wanted,
        length(arrayFilter(x -> x = scanned_at, groupArrayIf(at, kind = 'data'))) AS found
    FROM usage_daily FINAL
    GROUP BY customer, subscription, date";

impl Site {
    /// How many dates have a mark, and how many of those are clean.
    ///
    /// # Errors
    /// There is no answer.
    pub fn rolled_up(&self) -> Result<(u64, u64)> {
        let Some(Value::Number(margin)) = self.setting("rollup.margin_ms") else {
            anyhow::bail!("this site has no margin of its own");
        };
        let line = self.query(&format!(
            "SELECT count(), countIf(known_mark = newest_mark AND scanned_at > newest_mark + toIntervalMillisecond({margin})
                 AND found = wanted)
             FROM ({DATES}) WHERE newest_mark > 0 FORMAT TSV"
        ))?;
        let (dates, clean) = line.trim().split_once('\t').context("no tab")?;
        Ok((dates.parse()?, clean.parse()?))
    }

    /// Waits until every date with a mark is clean, and returns how many there are. Somebody has to roll up.
    ///
    /// # Errors
    /// It takes too long.
    pub fn wait_rolled_up(&self) -> Result<u64> {
        let all_clean = |seen: &(u64, u64)| seen.0 == seen.1;
        Ok(wait::until_is("all dates to be clean", || self.rolled_up(), all_clean)?.0)
    }
}
