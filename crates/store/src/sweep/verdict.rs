//! Which copy of an event counts, and what follows for the others: the rules of identity, applied to one case.

use std::cmp::Reverse;

use meterhouse_model::Version;

use crate::{Case, EventCopy, RowKey, Settlement, Tombstone};

/// What has to be done about a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Rows that take the event away from keys where no copy of it counts.
    pub tombstones: Vec<Tombstone>,
    /// Creations that state something else than the winning one.
    pub conflicts: Vec<Conflict>,
    /// Creations that state the same as the winning one: none of them belongs in quarantine.
    pub equals: Vec<EventCopy>,
    /// What settles the case once all of this is done. `None`: it has to be looked at again.
    pub settlement: Option<Settlement>,
}

/// A creation whose identity is taken by other content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The creation.
    pub copy: EventCopy,
    /// The creation that wins over it.
    pub winner: EventCopy,
}

/// Whose a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Its key has no row yet.
    Unseen,
    /// That of a key, by its number.
    Of(usize),
    /// Two identities with one hash both have rows on such a key, and none of them is this copy: it wins nowhere.
    Unclear,
}

impl Case {
    /// Applies the rules. The verdict is empty, and settles nothing, as long as not all rows can be seen.
    pub fn judge(&self) -> Verdict {
        self.try_judge().unwrap_or_default()
    }

    fn try_judge(&self) -> Option<Verdict> {
        let key_hashes: Vec<u64> = self.keys.iter().map(RowKey::hash).collect();
        let owners: Vec<Owner> = self.copies.iter().map(|copy| self.owner(copy, &key_hashes)).collect();
        if owners.contains(&Owner::Unseen) {
            return None;
        }
        let firsts = self.first_keys();
        let mut verdict = Verdict::default();
        let mut creations = Vec::new();
        for first in &firsts {
            let is_own =
                |owner: &Owner| matches!(owner, Owner::Of(key) if self.keys[*key].is_same_identity(first));
            let copies = self.copies.iter().zip(&owners).filter(|(_, owner)| is_own(owner));
            let copies: Vec<&EventCopy> = copies.map(|(copy, _)| copy).collect();
            verdict.tombstones.extend(self.tombstones(first, &copies, &key_hashes)?);
            if let Some(winner) = winner(copies.iter().copied().filter(|copy| copy.version.is_creation())) {
                verdict.compare(&copies, &[winner]);
                creations.push(winner);
            }
        }
        let unclear = self.copies.iter().zip(&owners).filter(|(_, owner)| **owner == Owner::Unclear);
        verdict.compare(&unclear.map(|(copy, _)| copy).collect::<Vec<_>>(), &creations);
        // Where several identities share a hash, a copy that is not seen yet may hide behind another one's key: such a case
        // is looked at again and again, and nothing is done twice.
        verdict.settlement = if firsts.len() == 1 { self.settlement() } else { None };
        Some(verdict)
    }

    /// The identity that a copy belongs to, as one of its keys.
    fn owner(&self, copy: &EventCopy, key_hashes: &[u64]) -> Owner {
        let mut keys = (0..self.keys.len()).filter(|key| key_hashes[*key] == copy.key_hash);
        let Some(first) = keys.next() else { return Owner::Unseen };
        let others: Vec<usize> = keys.collect();
        if others.is_empty() {
            return Owner::Of(first);
        }
        let is_row = |key: &usize| self.keys[*key].version == copy.version;
        [first].into_iter().chain(others).find(is_row).map_or(Owner::Unclear, Owner::Of)
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
    fn tombstones(
        &self,
        identity: &RowKey,
        copies: &[&EventCopy],
        key_hashes: &[u64],
    ) -> Option<Vec<Tombstone>> {
        let Some(winner) = winner(copies.iter().copied()) else { return Some(Vec::new()) };
        let keys = self.keys.iter().zip(key_hashes).filter(|(key, _)| key.is_same_identity(identity));
        let (own, others): (Vec<_>, Vec<_>) = keys.partition(|(_, hash)| **hash == winner.key_hash);
        if !own.iter().any(|(key, _)| key.version >= winner.version) {
            return None;
        }
        let lacking = others.into_iter().filter(|(key, _)| key.tombstone < winner.version);
        Some(lacking.map(|(key, _)| Tombstone { row: key.clone(), winner: winner.clone() }).collect())
    }

    fn settlement(&self) -> Option<Settlement> {
        let version = self.copies.iter().map(|copy| copy.version).max()?;
        Some(Settlement { identity_hash: self.hash, copies: self.copies.len() as u64, version })
    }
}

impl Verdict {
    /// Compares the creations among copies with those that win, nearly always one.
    fn compare(&mut self, copies: &[&EventCopy], winners: &[&EventCopy]) {
        let Some(winner) = winners.first() else { return };
        for copy in copies.iter().filter(|copy| copy.version.is_creation()) {
            if winners.iter().any(|winner| winner.content_hash == copy.content_hash) {
                self.equals.push((*copy).clone());
            } else {
                self.conflicts.push(Conflict { copy: (*copy).clone(), winner: (*winner).clone() });
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
