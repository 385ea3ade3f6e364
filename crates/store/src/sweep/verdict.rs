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
    is_shared: bool,
    owners: Owners<'c>,
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

/// Whose a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner<'c> {
    /// Its key has no row yet.
    Unseen,
    /// That of a key.
    Of(&'c RowKey),
    /// Two identities with one hash both have rows on such a key, and none of them is this copy: it wins nowhere.
    Unclear,
}

/// The keys of a case by their hashes.
#[derive(Debug)]
struct Owners<'c>(HashMap<u64, Vec<&'c RowKey>>);

impl Case {
    /// Whether several identities share the hash.
    pub fn is_shared(&self) -> bool {
        self.keys.windows(2).any(|pair| !pair[0].is_same_identity(&pair[1]))
    }

    /// Applies the rules. `None`: not all that is needed can be seen yet.
    pub fn judge(&self) -> Option<Verdict<'_>> {
        let owners = Owners::of(&self.keys);
        let (mut tombstones, mut winners) = (Vec::new(), Vec::new());
        let owned: Vec<(&EventCopy, Owner<'_>)> =
            self.copies.iter().map(|copy| (copy, owners.owner(copy))).collect();
        if owned.iter().any(|(_, owner)| *owner == Owner::Unseen) {
            return None;
        }
        for identity in self.first_keys() {
            let is_own =
                |owner: &Owner<'_>| matches!(owner, Owner::Of(key) if key.is_same_identity(identity));
            let copies: Vec<&EventCopy> =
                owned.iter().filter(|(_, owner)| is_own(owner)).map(|(copy, _)| *copy).collect();
            if let Some(winner) = winner(copies.iter().copied()) {
                tombstones.extend(self.tombstones(identity, winner)?);
            }
            let creations = copies.iter().copied().filter(|copy| copy.version.is_creation());
            winners.extend(winner(creations).map(|winner| (identity, winner)));
        }
        Some(Verdict { tombstones, is_shared: self.is_shared(), owners, winners })
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
    /// Whether all copies are seen to once this is done. Where several identities share a hash, a copy that is not seen yet
    /// may hide behind another one's key: such a case is looked at again and again, and nothing is done twice.
    pub fn settles(&self) -> bool {
        !self.is_shared
    }

    /// The highest version of a creation of the case; 0 where there is none. With another one this verdict is out of date.
    pub fn winning(&self) -> Version {
        self.winners.iter().map(|(_, winner)| winner.version).max().unwrap_or(Version(0))
    }

    /// How a creation of the case stands to the one that wins.
    pub fn standing(&self, copy: &EventCopy) -> Standing<'_> {
        let mut winners: Vec<&EventCopy> = match self.owners.owner(copy) {
            Owner::Unseen => return Standing::Unknown,
            Owner::Of(own) => self
                .winners
                .iter()
                .filter(|(key, _)| key.is_same_identity(own))
                .map(|(_, winner)| *winner)
                .collect(),
            Owner::Unclear => self.winners.iter().map(|(_, winner)| *winner).collect(),
        };
        if winners.contains(&copy) {
            return Standing::Winner;
        }
        winners.retain(|winner| copy.version <= winner.version);
        match winners.first() {
            None => Standing::Unknown,
            Some(_) if winners.iter().any(|winner| winner.content_hash == copy.content_hash) => {
                Standing::Equal
            }
            Some(winner) => Standing::Conflict(winner),
        }
    }
}

impl<'c> Owners<'c> {
    fn of(keys: &'c [RowKey]) -> Self {
        let mut owners: HashMap<u64, Vec<&RowKey>> = HashMap::new();
        for key in keys {
            owners.entry(key.hash()).or_default().push(key);
        }
        Self(owners)
    }

    /// The identity that a copy belongs to, as one of its keys.
    fn owner(&self, copy: &EventCopy) -> Owner<'c> {
        match self.0.get(&copy.key_hash).map(Vec::as_slice) {
            None => Owner::Unseen,
            Some([key]) => Owner::Of(key),
            Some(keys) => {
                let own = keys.iter().find(|key| key.version == copy.version);
                own.map_or(Owner::Unclear, |key| Owner::Of(key))
            }
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
