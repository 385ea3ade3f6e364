//! Which copy of an event counts, and what follows for the others: the rules of identity, applied to one case.

use std::cmp::Reverse;
use std::collections::HashMap;

use meterhouse_model::Version;

use crate::{Case, EventCopy, RowKey, Tombstone};

/// What follows from a case.
#[derive(Debug)]
pub struct Verdict<'c> {
    /// Rows that take the event away from keys where no copy of it counts, as far as they are not there yet.
    pub tombstones: Vec<Tombstone>,
    keys: HashMap<u64, &'c RowKey>,
    /// The creation that wins, with a key of its identity.
    winners: Vec<(&'c RowKey, &'c EventCopy)>,
}

/// How a creation stands to the one that wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'v> {
    /// It is the one that wins.
    Winner,
    /// It states the same.
    Equal,
    /// It states something else than this one.
    Conflict(&'v EventCopy),
    /// It came after the verdict: that is for the next one.
    Unknown,
}

impl Case {
    /// Applies the rules. `None`: not all that is needed can be seen yet.
    pub fn judge(&self) -> Option<Verdict<'_>> {
        let keys: HashMap<u64, &RowKey> = self.keys.iter().map(|key| (key.hash(), key)).collect();
        if self.copies.iter().any(|copy| !keys.contains_key(&copy.key_hash)) {
            return None;
        }
        let (mut tombstones, mut winners) = (Vec::new(), Vec::new());
        for identity in self.first_keys() {
            let is_own = |copy: &&EventCopy| keys[&copy.key_hash].is_same_identity(identity);
            if let Some(winner) = winner(self.copies.iter().filter(is_own)) {
                tombstones.extend(self.tombstones(identity, winner)?);
            }
            let creations = self.copies.iter().filter(is_own).filter(|copy| copy.version.is_creation());
            winners.extend(winner(creations).map(|winner| (identity, winner)));
        }
        Some(Verdict { tombstones, keys, winners })
    }

    /// One key of each identity.
    fn first_keys(&self) -> Vec<&RowKey> {
        let mut firsts: Vec<&RowKey> = Vec::new();
        for key in &self.keys {
            if !firsts.iter().any(|first| first.is_same_identity(key)) {
                firsts.push(key);
            }
        }
        firsts
    }

    /// The tombstones that an identity lacks. `None`: the row that counts is not there yet.
    fn tombstones(&self, identity: &RowKey, winner: &EventCopy) -> Option<Vec<Tombstone>> {
        let keys = self.keys.iter().filter(|key| key.is_same_identity(identity));
        let (own, others): (Vec<_>, Vec<_>) = keys.partition(|key| key.hash() == winner.key_hash);
        if !own.iter().any(|key| key.version >= winner.version) {
            return None;
        }
        let lacking = others.into_iter().filter(|key| key.tombstone < winner.version);
        Some(lacking.map(|key| Tombstone { row: key.clone(), winner: winner.clone() }).collect())
    }
}

impl Verdict<'_> {
    /// The highest version of a creation of the case; 0 where there is none. With another one this verdict is out of date.
    pub fn winning(&self) -> Version {
        self.winners.iter().map(|(_, winner)| winner.version).max().unwrap_or(Version(0))
    }

    /// How a creation of the case stands to the one that wins.
    pub fn standing(&self, copy: &EventCopy) -> Standing<'_> {
        let winner = self.keys.get(&copy.key_hash).and_then(|own| {
            self.winners.iter().find(|(key, _)| key.is_same_identity(own)).map(|(_, winner)| *winner)
        });
        match winner {
            Some(winner) if winner == copy => Standing::Winner,
            Some(winner) if winner.version < copy.version => Standing::Unknown,
            Some(winner) if winner.content_hash == copy.content_hash => Standing::Equal,
            Some(winner) => Standing::Conflict(winner),
            None => Standing::Unknown,
        }
    }
}

/// The copy with the highest version. Versions are equal only in logs that were made anew: then the earlier one wins.
fn winner<'c>(copies: impl Iterator<Item = &'c EventCopy>) -> Option<&'c EventCopy> {
    copies.max_by_key(|copy| {
        let EventCopy { version: Version(version), record_time, content_hash, topic, .. } = copy;
        (*version, Reverse(*record_time), Reverse(*content_hash), Reverse(topic))
    })
}

#[cfg(test)]
mod tests;
