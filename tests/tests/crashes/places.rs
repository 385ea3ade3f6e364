//! Every crash point, and what has a process pass it.

/// What has a process pass a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It starts, and reads.
    Start,
    /// The same, and passes the place once.
    Once,
    /// Another one joins the group.
    Join,
    /// It is asked to end.
    End,
    /// The database refuses records.
    Refuse,
    /// Sums by day are made again.
    Rebuild,
    /// Rejects are judged again, by other rules.
    Replay,
}

/// Gives all places to a macro, in the order of the code's list.
macro_rules! every_place {
    ($each:ident) => {
        $each! {
            migration_executed: Start,
            migration_recorded: Start,
            zone_pinned: Once,
            assignment_given: Once,
            openings_known: Once,
            openings_inserted: Once,
            assignment_positions_known: Once,
            assignment_taken: Once,
            assignment_ended: Join,
            record_pushed: Start,
            batch_closed: Start,
            batch_sealed: Start,
            rejects_inserted: Start,
            first_mark_inserted: Start,
            rows_due: Start,
            events_inserted: Start,
            identities_inserted: Start,
            events_written: Start,
            accepted_inserted: Refuse,
            refused_quarantined: Refuse,
            rejects_mirrored: Start,
            batch_stored: Start,
            ledger_inserted: Start,
            batch_accounted: Start,
            before_commit: Start,
            after_commit: Start,
            drained: End,
            scan_timed: Start,
            scan_recomputed: Start,
            rebuild_marked: Rebuild,
            copies_judged: Start,
            tombstones_written: Start,
            conflicts_quarantined: Start,
            copies_settled: Start,
            replay_stored: Replay,
            replay_noted: Replay,
        }
    };
}
pub(crate) use every_place;

macro_rules! listed {
    ($($place:ident: $way:ident,)*) => {
        /// All places that are tried.
        pub(crate) const PLACES: &[(&str, Way)] = &[$((stringify!($place), Way::$way)),*];
    };
}
every_place!(listed);
