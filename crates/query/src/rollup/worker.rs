//! One worker: what it knows, and one turn of its work.

use std::time::{Duration, Instant};

use meterhouse_store::{Error, ServerTime, Store, UsageDate};

use super::RollupConfig;
use super::backlog::Backlog;
use super::looks::Looks;
use super::metrics::RollupMetrics;
use super::scanner::{Outcome, Scanner};

/// Most dates of a turn: in between the worker looks at what is new.
const MOST_OF_A_TURN: usize = 50_000;

pub(super) struct Worker {
    store: Store,
    margin: Duration,
    looks: Looks,
    backlog: Backlog,
    scanner: Scanner,
    metrics: RollupMetrics,
}

impl Worker {
    pub(super) fn new(store: Store, config: RollupConfig, metrics: RollupMetrics) -> Self {
        Self {
            looks: Looks::new(config),
            backlog: Backlog::default(),
            scanner: Scanner::new(store.clone(), config.margin, metrics.clone()),
            store,
            margin: config.margin,
            metrics,
        }
    }

    /// Looks for dates and scans those that are due. If there is more to do, returns when.
    ///
    /// # Errors
    /// Something could not be done. The next turn does it.
    pub(super) async fn turn(&mut self) -> Result<Option<Instant>, Error> {
        let now = self.scanner.time().await?;
        let more_at = self.looks.look(&self.store, &mut self.backlog, now).await?;
        self.metrics.looked();
        self.metrics.waiting(self.backlog.len());
        if !self.scanner.is_ready() {
            return Ok(more_at);
        }
        let due = self.backlog.due(now);
        let (of_this_turn, rest) = due.split_at(due.len().min(MOST_OF_A_TURN));
        self.scan(of_this_turn, now).await?;
        Ok(if rest.is_empty() { more_at } else { Some(Instant::now()) })
    }

    async fn scan(&mut self, dates: &[UsageDate], now: ServerTime) -> Result<(), Error> {
        let mut rest = dates;
        while !rest.is_empty() {
            let part;
            (part, rest) = rest.split_at(rest.len().min(self.scanner.most_dates()));
            match self.scanner.scan(part).await {
                Ok(outcomes) => outcomes.into_iter().for_each(|(date, outcome)| self.settle(date, outcome)),
                Err(error) => {
                    // A date that fails all alone does not keep the others waiting.
                    if let [date] = part {
                        self.settle(date.clone(), Outcome::Later(now.plus(self.margin)));
                    }
                    return Err(error);
                }
            }
            self.metrics.waiting(self.backlog.len());
        }
        Ok(())
    }

    fn settle(&mut self, date: UsageDate, outcome: Outcome) {
        match outcome {
            Outcome::Clean | Outcome::Gone => self.backlog.remove(&date),
            // It is in there, so there is room for it.
            Outcome::Later(due) => {
                let _ = self.backlog.add(date, due);
            }
        }
    }
}
