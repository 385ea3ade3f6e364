//! Copies of one event that come soon after each other: most are found here, before anybody has to look for them.

/// Bits of a hash that choose an entry: there are about a million.
const SLOT_BITS: u32 = 20;

/// One copy of an event, by its hashes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CopyHashes {
    pub(crate) identity: u64,
    pub(crate) key: u64,
    pub(crate) content: u64,
    pub(crate) version: u128,
    pub(crate) is_creation: bool,
}

/// What is known of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// No other copy is remembered, or only this one, or one that the version settles.
    Unremarkable,
    /// It states the same usage as another copy.
    Duplicate,
    /// It may be in conflict with another copy, or move its usage to another key.
    Suspect,
}

/// Remembers a copy of each of the identities that were seen last, in 16 MiB.
///
/// An entry is chosen by the top bits of the identity's hash, and a newcomer takes it over: so a batch that is sorted by
/// that hash is looked up in one pass over the memory. Entries keep parts of the hashes: that a wrong match is taken for a
/// right one is unlikely, and costs no more than a count or a look. Nothing rests on what is found here: the sweep finds
/// all of it.
pub struct RecentCopies {
    entries: Box<[Entry]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    identity: u32,
    key: u32,
    content: u32,
    /// Part of the version, and two flags.
    copy: u32,
}

/// The remembered copy is a creation.
const CREATION: u32 = 1;
/// Copies of this identity differ: whatever else comes is for the sweep to judge.
const CONTESTED: u32 = 2;
const FLAGS: u32 = CREATION | CONTESTED;

impl Default for RecentCopies {
    fn default() -> Self {
        Self { entries: vec![Entry::default(); 1 << SLOT_BITS].into_boxed_slice() }
    }
}

impl RecentCopies {
    /// Compares a copy with the one that is remembered, and remembers what later ones are to be compared with.
    pub(crate) fn see(&mut self, copy: &CopyHashes) -> Sight {
        let new = Entry::of(copy);
        let entry = &mut self.entries[slot(copy.identity)];
        if entry.identity != new.identity {
            *entry = new;
            return Sight::Unremarkable;
        }
        if (entry.copy ^ new.copy) & !FLAGS == 0 {
            // The very same copy, read again.
            return Sight::Unremarkable;
        }
        let is_contested = entry.copy & CONTESTED != 0;
        let is_same_key = entry.key == new.key;
        if !is_contested && is_same_key && entry.content == new.content {
            return Sight::Duplicate;
        }
        let are_creations = entry.copy & new.copy & CREATION != 0;
        if is_contested || !is_same_key || are_creations {
            entry.copy |= CONTESTED;
            return Sight::Suspect;
        }
        // A change on the same key: the version settles it. Creations are compared with creations.
        if new.copy & CREATION != 0 {
            *entry = new;
        }
        Sight::Unremarkable
    }
}

impl Entry {
    #[expect(clippy::cast_possible_truncation, reason = "a part of each hash is enough")]
    fn of(copy: &CopyHashes) -> Self {
        let version = copy.version as u64 ^ (copy.version >> 64) as u64;
        // Versions of neighbours differ in few bits: spread them.
        let spread = (version.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32;
        Self {
            identity: (copy.identity >> 8) as u32,
            key: copy.key as u32,
            content: copy.content as u32,
            copy: (spread & !FLAGS) | if copy.is_creation { CREATION } else { 0 },
        }
    }
}

fn slot(identity: u64) -> usize {
    (identity >> (u64::BITS - SLOT_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: CopyHashes =
        CopyHashes { identity: 0x1234_5678_9abc_def0, key: 1, content: 1, version: 100, is_creation: true };
    const AMENDED: CopyHashes = CopyHashes { content: 2, version: 1 << 126, is_creation: false, ..CREATED };

    fn sights(copies: &[CopyHashes]) -> Vec<Sight> {
        let mut recent = RecentCopies::default();
        copies.iter().map(|copy| recent.see(copy)).collect()
    }

    #[test]
    fn the_same_copy_is_no_duplicate_of_itself() {
        let again = CopyHashes { version: 99, ..CREATED };
        assert_eq!(
            sights(&[CREATED, CREATED, again, CREATED]),
            [Sight::Unremarkable, Sight::Unremarkable, Sight::Duplicate, Sight::Unremarkable]
        );
    }

    #[test]
    fn creations_that_differ_are_suspect_and_so_is_all_that_follows() {
        let other = CopyHashes { content: 9, version: 99, ..CREATED };
        let like_the_first = CopyHashes { version: 98, ..CREATED };
        assert_eq!(sights(&[CREATED, other, like_the_first])[1..], [Sight::Suspect, Sight::Suspect]);
    }

    #[test]
    fn a_change_is_suspect_on_another_key_alone() {
        let moved = CopyHashes { key: 2, ..AMENDED };
        assert_eq!(sights(&[CREATED, AMENDED, AMENDED])[1..], [Sight::Unremarkable, Sight::Unremarkable]);
        assert_eq!(sights(&[CREATED, moved])[1], Sight::Suspect);
        assert_eq!(sights(&[moved, CREATED])[1], Sight::Suspect);
        let resent = CopyHashes { version: AMENDED.version - 1, ..AMENDED };
        assert_eq!(sights(&[AMENDED, resent])[1], Sight::Duplicate);
    }

    #[test]
    fn a_change_in_between_hides_no_conflict() {
        let other = CopyHashes { content: 9, version: 99, ..CREATED };
        assert_eq!(sights(&[CREATED, AMENDED, other])[2], Sight::Suspect);
        assert_eq!(sights(&[AMENDED, CREATED, other])[2], Sight::Suspect);
    }

    #[test]
    fn a_newcomer_takes_an_entry_over() {
        let neighbour = CopyHashes { identity: CREATED.identity ^ 1 << 20, ..CREATED };
        assert_eq!(slot(neighbour.identity), slot(CREATED.identity));
        let again = CopyHashes { version: 99, ..CREATED };
        assert_eq!(sights(&[CREATED, neighbour, again]), [Sight::Unremarkable; 3]);
    }
}
