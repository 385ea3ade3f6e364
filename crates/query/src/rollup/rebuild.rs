//! `rollup rebuild`: throws away what is stored of some dates, and recomputes it.

use std::time::Duration;

use meterhouse_store::{DateFilter, DateState, Error, ErrorClass, ServerTime, Store, UsageDate, crash};

use super::metrics::RollupMetrics;
use super::pause_after;
use super::scanner::Scanner;

/// Pause between two looks at what is left.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Failures in a row that are put up with.
const MOST_FAILURES: u32 = 6;

/// How far a rebuild has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many dates are marked, and exact from now on: they are read from the events until they have been scanned.
    Marked(usize),
    /// So many dates are left.
    Left(usize),
}

/// Why a rebuild has not ended well. What is marked stays marked, and is exact.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The store does not answer, or refuses.
    #[error("{0}")]
    Store(#[from] Error),
    /// Scans of a clock that was wrong stand above every scan of now.
    #[error(
        "{0} dates hold sums of a scan that began in the future: they are read from the events until that time"
    )]
    FromTheFuture(usize),
}

/// Marks all dates of the filter's range that have rows, and, if `waits`, scans them until all are clean. A date that gets rows
/// meanwhile counts as done: it is scanned once it is left alone.
///
/// # Errors
/// See [`RebuildError`].
pub async fn rebuild(
    store: &Store,
    filter: DateFilter,
    margin: Duration,
    waits: bool,
    metrics: RollupMetrics,
    mut progress: impl FnMut(Progress),
) -> Result<(), RebuildError> {
    let marked_until = store.mark_again(&filter).await?;
    crash::point("rebuild_marked");
    let rebuild = Rebuild { store, filter: DateFilter { marked_until, ..filter }, margin };
    progress(Progress::Marked(rebuild.count().await?));
    if !waits {
        return Ok(());
    }
    let mut scanner = Scanner::new(store.clone(), margin, metrics);
    let mut failures = 0;
    loop {
        match rebuild.pass(&mut scanner, &mut progress).await {
            Ok(0) => return Ok(()),
            Ok(_) => failures = 0,
            Err(RebuildError::Store(error))
                if error.class() == ErrorClass::Retryable && failures < MOST_FAILURES =>
            {
                failures += 1;
                tracing::warn!(%error, failures, "the rebuild does not get on, trying again");
                tokio::time::sleep(pause_after(failures)).await;
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

struct Rebuild<'s> {
    store: &'s Store,
    filter: DateFilter,
    margin: Duration,
}

impl Rebuild<'_> {
    /// How many dates are not clean.
    async fn count(&self) -> Result<usize, Error> {
        let mut count = 0;
        let mut page = self.store.date_page(None).await?;
        loop {
            count += self.store.unclean_dates(&page, &self.filter, self.margin).await?.len();
            if page.is_last() {
                return Ok(count);
            }
            page = self.store.date_page(Some(&page)).await?;
        }
    }

    /// Scans whatever is due, page by page, and returns how many dates were not clean at its beginning.
    async fn pass(
        &self,
        scanner: &mut Scanner,
        progress: &mut impl FnMut(Progress),
    ) -> Result<usize, RebuildError> {
        let mut left = self.count().await?;
        let (found, mut from_the_future) = (left, 0);
        let mut page = self.store.date_page(None).await?;
        loop {
            let unclean = self.store.unclean_dates(&page, &self.filter, self.margin).await?;
            let now = scanner.time().await?;
            from_the_future += unclean.iter().filter(|state| state.scanned_at > Some(now)).count();
            let due = if scanner.is_ready() { self.due(unclean, now) } else { Vec::new() };
            for part in due.chunks(scanner.most_dates()) {
                scanner.scan(part).await?;
                left = left.saturating_sub(part.len());
                progress(Progress::Left(left));
            }
            if page.is_last() {
                break;
            }
            page = self.store.date_page(Some(&page)).await?;
        }
        if found > 0 && from_the_future == found {
            return Err(RebuildError::FromTheFuture(found));
        }
        Ok(found)
    }

    fn due(&self, unclean: Vec<DateState>, now: ServerTime) -> Vec<UsageDate> {
        let is_due = |state: &DateState| state.due_at(self.margin).is_some_and(|due| due < now);
        let mut due: Vec<UsageDate> = unclean.into_iter().filter(is_due).map(|state| state.date).collect();
        due.sort_unstable_by(|a, b| a.scan_order().cmp(&b.scan_order()));
        due
    }
}
