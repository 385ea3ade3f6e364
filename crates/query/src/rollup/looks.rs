//! Where the worker looks for dates: at marks as time goes by, and through everything at its start and now and then,
//! since the list of marks is short-lived and may lack some.

use std::time::{Duration, Instant};

use meterhouse_store::{DateFilter, DatePage, Error, MarkedDate, ServerTime, Store};

use super::RollupConfig;
use super::backlog::Backlog;

/// Marks of a longer time are many: then a look through everything takes their place.
const LONGEST_WINDOW: Duration = Duration::from_secs(600);
/// A page of everything is followed by a pause of so many times as long: those who ask for histories come first.
const PAUSE_FACTOR: u32 = 3;

/// What was looked at.
#[derive(Debug)]
pub(super) struct Looks {
    margin: Duration,
    /// Time between two looks through everything.
    interval: Duration,
    /// All marks up to here are known. None: the worker has just begun.
    marks_until: Option<ServerTime>,
    full: FullLook,
    /// Not before then comes the next page of it.
    page_at: Instant,
    /// A date was found that the backlog had no room for.
    has_missed: bool,
}

/// A look through everything, page by page.
#[derive(Debug)]
enum FullLook {
    Begins,
    Behind(DatePage),
    Ended(ServerTime),
}

impl Looks {
    pub(super) fn new(config: RollupConfig) -> Self {
        let RollupConfig { margin, full_look_interval: interval, .. } = config;
        let (full, page_at) = (FullLook::Begins, Instant::now());
        Self { margin, interval, marks_until: None, full, page_at, has_missed: false }
    }

    /// Adds what there is to find. If there is more, returns when to look at it.
    ///
    /// # Errors
    /// There is no answer. Nothing is overlooked: the next call looks again.
    pub(super) async fn look(
        &mut self,
        store: &Store,
        backlog: &mut Backlog,
        now: ServerTime,
    ) -> Result<Option<Instant>, Error> {
        self.look_at_marks(store, backlog, now).await?;
        if let FullLook::Ended(at) = self.full
            && (self.has_missed || at.plus(self.interval) < now || now < at)
        {
            self.full = FullLook::Begins;
        }
        if matches!(self.full, FullLook::Ended(_)) || !backlog.has_room() {
            return Ok(None);
        }
        let begun = Instant::now();
        if begun >= self.page_at {
            self.look_at_a_page(store, backlog, now).await?;
            self.page_at = Instant::now() + begun.elapsed() * PAUSE_FACTOR;
        }
        Ok(Some(self.page_at))
    }

    /// Marks that are half a margin old. An insert that marks dates takes less than that, so each mark is seen once, and
    /// long before its date is due.
    async fn look_at_marks(
        &mut self,
        store: &Store,
        backlog: &mut Backlog,
        now: ServerTime,
    ) -> Result<(), Error> {
        let until = now.minus(self.margin / 2);
        // A clock that was set back gives times again that were looked at before.
        let after = self.marks_until.map_or(until, |known| known.min(until));
        if after.plus(LONGEST_WINDOW) < until {
            self.has_missed = true;
        } else if after < until {
            for MarkedDate { date, mark } in store.marked_between(after, until).await? {
                self.has_missed |= !backlog.add(date, mark.plus(self.margin));
            }
        }
        self.marks_until = Some(until);
        Ok(())
    }

    async fn look_at_a_page(
        &mut self,
        store: &Store,
        backlog: &mut Backlog,
        now: ServerTime,
    ) -> Result<(), Error> {
        let before = match &self.full {
            FullLook::Behind(page) => Some(page),
            FullLook::Begins | FullLook::Ended(_) => None,
        };
        if before.is_none() {
            self.has_missed = false;
        }
        let page = store.date_page(before).await?;
        for state in store.unclean_dates(&page, &DateFilter::default(), self.margin).await? {
            if let Some(due) = state.due_at(self.margin) {
                self.has_missed |= !backlog.add(state.date, due);
            }
        }
        self.full = if page.is_last() { FullLook::Ended(now) } else { FullLook::Behind(page) };
        Ok(())
    }
}
