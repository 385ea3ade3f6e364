//! Places where a test has a process die, or stand still: what a crash there would leave behind is what the next start
//! has to cope with.
//!
//! `METERHOUSE_CRASH_POINT=events_inserted:2:kill` sends SIGKILL when that place is passed for the second time, `stop`
//! instead of `kill` sends SIGSTOP. Release builds know nothing of it.

/// Every place, in the order of a record's life.
pub const POINTS: [&str; 36] = [
    // Start: `serve` and `migrate` on a database without tables.
    "migration_executed",
    "migration_recorded",
    "zone_pinned",
    // Assignment.
    "assignment_given",
    "openings_known",
    "openings_inserted",
    "assignment_positions_known",
    "assignment_taken",
    "assignment_ended",
    // A batch.
    "record_pushed",
    "batch_closed",
    "batch_sealed",
    "rejects_inserted",
    "first_mark_inserted",
    "rows_due",
    "events_inserted",
    "identities_inserted",
    "events_written",
    "accepted_inserted",
    "refused_quarantined",
    "rejects_mirrored",
    "batch_stored",
    "ledger_inserted",
    "batch_accounted",
    "before_commit",
    "after_commit",
    // End.
    "drained",
    // Sums by day.
    "scan_timed",
    "scan_recomputed",
    "rebuild_marked",
    // Copies that differ.
    "copies_judged",
    "tombstones_written",
    "conflicts_quarantined",
    "copies_settled",
    // Replays.
    "replay_stored",
    "replay_noted",
];

/// The variable that names a place, how often it is passed, and what happens then.
#[cfg(debug_assertions)]
const VARIABLE: &str = "METERHOUSE_CRASH_POINT";

/// Passes a place of [`POINTS`].
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_: &'static str) {}

/// Passes a place of [`POINTS`], and goes no further where a test wants that.
#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    use std::sync::OnceLock;
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| {
        let text = std::env::var(VARIABLE).ok()?;
        let armed = Armed::parse(&text);
        if armed.is_none() {
            tracing::error!(text, "{VARIABLE} names no place, number and kill or stop");
        }
        armed
    });
    if let Some(armed) = armed {
        armed.pass(name);
    }
}

/// A place that is watched.
#[cfg(debug_assertions)]
#[derive(Debug)]
struct Armed {
    name: String,
    hit: u64,
    signal: nix::sys::signal::Signal,
    passed: std::sync::atomic::AtomicU64,
}

#[cfg(debug_assertions)]
impl Armed {
    /// Reads `name:hit:action`. None: it is something else.
    fn parse(text: &str) -> Option<Self> {
        use nix::sys::signal::Signal;
        let mut parts = text.split(':');
        let name = parts.next().filter(|name| POINTS.contains(name))?.to_owned();
        let hit = parts.next()?.parse().ok().filter(|hit| *hit > 0)?;
        let signal = match (parts.next()?, parts.next()) {
            ("kill", None) => Signal::SIGKILL,
            ("stop", None) => Signal::SIGSTOP,
            _ => return None,
        };
        Some(Self { name, hit, signal, passed: 0.into() })
    }

    fn pass(&self, name: &str) {
        use std::sync::atomic::Ordering;
        if self.name != name || self.passed.fetch_add(1, Ordering::SeqCst) + 1 != self.hit {
            return;
        }
        tracing::warn!(name, hit = self.hit, signal = %self.signal, "crash point");
        // Nothing goes on behind it: a signal to the own process is there before the call returns.
        let _ = nix::sys::signal::kill(nix::unistd::getpid(), self.signal);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The names in all calls of `point` in a folder.
    fn used(folder: &Path, names: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                used(&entry.path(), names);
            } else {
                let text = fs::read_to_string(entry.path()).unwrap();
                let calls = text.split(concat!("crash::", "point(\"")).skip(1);
                names.extend(calls.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
            }
        }
    }

    #[test]
    fn every_place_is_in_the_code_and_in_the_list() {
        let mut names = Vec::new();
        for member in ["model", "store", "ingest", "query", "api", "meterhouse"] {
            used(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(member).join("src"), &mut names);
        }
        names.sort();
        names.dedup();
        let mut listed = POINTS.map(str::to_owned);
        listed.sort();
        assert_eq!(names, listed);
    }

    #[test]
    fn only_a_known_place_can_be_watched() {
        let armed = Armed::parse("zone_pinned:2:stop").unwrap();
        assert_eq!((armed.name.as_str(), armed.hit), ("zone_pinned", 2));
        for text in ["", "zone_pinned", "zone_pinned:0:kill", "zone:1:kill", "zone_pinned:1:kill:1"] {
            assert!(Armed::parse(text).is_none(), "{text}");
        }
    }
}
