//! Scans of some dates: read their marks, take the time, recompute, and look at what has become of them.

use std::collections::HashSet;
use std::time::Duration;

use meterhouse_store::{DateState, Error, MarkedDate, ServerTime, Store, UsageDate, crash};

use super::metrics::RollupMetrics;
use super::steady::SteadyClock;

/// Dates in one statement, before any has failed.
const MOST_DATES: usize = 4096;

/// What has become of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its sums are those of the events.
    Clean,
    /// It has no mark, so there is nothing to scan.
    Gone,
    /// A scan can make it clean from this time on.
    Later(ServerTime),
}

/// Scans dates.
pub(super) struct Scanner {
    store: Store,
    margin: Duration,
    metrics: RollupMetrics,
    clock: SteadyClock,
    /// Dates in one statement: fewer after a failure, since a statement has a time limit.
    most_dates: usize,
}

impl Scanner {
    pub(super) fn new(store: Store, margin: Duration, metrics: RollupMetrics) -> Self {
        Self { store, margin, metrics, clock: SteadyClock::new(margin), most_dates: MOST_DATES }
    }

    /// The server's time. Ask often: a scan needs a clock that was seen to run evenly.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn time(&mut self) -> Result<ServerTime, Error> {
        self.clock.time(&self.store).await
    }

    /// Whether scans make dates clean by now.
    pub(super) fn is_ready(&self) -> bool {
        self.clock.is_steady()
    }

    /// How many dates one call should be given.
    pub(super) fn most_dates(&self) -> usize {
        self.most_dates
    }

    /// Scans those of the dates that are due and not clean. They are given in the order of [`UsageDate::scan_order`].
    ///
    /// # Errors
    /// Nothing is known of any of the dates then. Fewer dates at once may help: see [`Self::most_dates`].
    pub(super) async fn scan(&mut self, dates: &[UsageDate]) -> Result<Vec<(UsageDate, Outcome)>, Error> {
        let result = self.scan_all(dates).await;
        self.most_dates = match &result {
            Ok(_) => (self.most_dates * 2).min(MOST_DATES),
            Err(_) => (dates.len() / 2).clamp(1, MOST_DATES),
        };
        result
    }

    async fn scan_all(&mut self, dates: &[UsageDate]) -> Result<Vec<(UsageDate, Outcome)>, Error> {
        let states = self.store.date_states(dates, self.margin).await?;
        let now = self.time().await?;
        let is_due =
            |state: &DateState| !state.is_clean && state.due_at(self.margin).is_some_and(|due| due < now);
        let (mut due, settled): (Vec<_>, Vec<_>) = states.into_iter().partition(is_due);
        due.sort_unstable_by(|a, b| a.date.scan_order().cmp(&b.date.scan_order()));
        let due: Vec<MarkedDate> = due
            .into_iter()
            .filter_map(|state| state.mark.map(|mark| MarkedDate { date: state.date, mark }))
            .collect();
        let mut outcomes: Vec<_> = settled.into_iter().map(|state| self.outcome(state, None)).collect();
        for part in MarkedDate::scans(&due, self.most_dates) {
            outcomes.extend(self.scan_part(part).await?);
        }
        let known: HashSet<&UsageDate> = outcomes.iter().map(|(date, _)| date).collect();
        let gone: Vec<UsageDate> = dates.iter().filter(|date| !known.contains(date)).cloned().collect();
        outcomes.extend(gone.into_iter().map(|date| (date, Outcome::Gone)));
        Ok(outcomes)
    }

    /// Scans dates of one statement.
    async fn scan_part(&mut self, part: &[MarkedDate]) -> Result<Vec<(UsageDate, Outcome)>, Error> {
        let dates: Vec<UsageDate> = part.iter().map(|marked| marked.date.clone()).collect();
        // Asked for at each attempt, behind the marks: whatever is inserted without them was there before, or marks again.
        let now = self.time().await?;
        crash::point("scan_timed");
        let scan = self.is_ready().then_some(now);
        if let Some(scan) = scan {
            self.store.recompute(part, scan).await?;
            crash::point("scan_recomputed");
        }
        let states = self.store.date_states(&dates, self.margin).await?;
        self.metrics.scanned(states.iter().filter(|state| state.is_clean).count());
        Ok(states.into_iter().map(|state| self.outcome(state, scan)).collect())
    }

    /// A date that is not clean in spite of a scan has got a mark meanwhile, or somebody's rows of a later scan lie above
    /// ours: it is not tried again at once.
    fn outcome(&self, state: DateState, scan: Option<ServerTime>) -> (UsageDate, Outcome) {
        let outcome = match state.due_at(self.margin) {
            Some(_) if state.is_clean => Outcome::Clean,
            Some(due) => Outcome::Later(scan.map_or(due, |scan| due.max(scan.plus(self.margin)))),
            None => Outcome::Gone,
        };
        (state.date, outcome)
    }
}
