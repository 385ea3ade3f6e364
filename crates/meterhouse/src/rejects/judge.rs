//! What is to become of rejects, by the present rules and by what is stored.

use std::collections::{HashMap, HashSet};

use meterhouse_ingest::FoundRecord;
use meterhouse_model::{Change, Event, IdentityHash, Reason, Reject, Rules, parse};
use meterhouse_store::{
    Error, EventCopy, EventRow, Evidence, RejectKey, RejectScope, ReplayOutcome, Store, StoredReject,
};

/// Identities that a dry run remembers as taken.
const TAKEN_MAX: usize = 1_000_000;

/// A reject with its record, as complete as it can be had.
pub(super) struct Case {
    pub(super) reject: StoredReject,
    /// The whole record, or why there is none to be judged.
    pub(super) record: Result<FoundRecord, Judged<'static>>,
}

/// What is to become of a reject.
#[derive(Debug, Clone)]
pub(super) struct Judged<'c> {
    pub(super) outcome: ReplayOutcome,
    /// Why it is not usable, if it is not.
    pub(super) now: Option<Reject>,
    /// What is to be stored.
    pub(super) events: Vec<Event<'c>>,
}

/// An identity in full: subscription and text.
type FullIdentity = (String, String);

/// Identities that rejects of this run have, with the content of each and its place.
#[derive(Default)]
pub(super) struct Taken(HashMap<FullIdentity, (u64, String)>);

/// An event with the evidence that it would leave, by which its copies are found.
struct Candidate<'c> {
    event: Event<'c>,
    evidence: Evidence,
}

/// How an event stands to its copies.
enum Standing {
    /// No copy has its content.
    New,
    /// An equal copy is stored at another place.
    Equal,
    /// Another content has its identity, at this place.
    Taken(String),
}

/// What is stored of the identities in question.
struct Known {
    copies: HashMap<IdentityHash, Vec<EventCopy>>,
    rows: HashMap<FullIdentity, Vec<EventRow>>,
    /// Texts of the rows by their place: whose evidence a copy is.
    places: HashMap<(String, i32, i64, u16, i64), FullIdentity>,
}

/// Judges rejects, in the order in which they are given.
pub(super) async fn judge<'c>(
    cases: &'c [Case],
    rules: &Rules,
    store: &Store,
    taken: &mut Taken,
) -> Result<Vec<Judged<'c>>, Error> {
    let parsed: Vec<Result<Vec<Candidate<'c>>, Judged<'c>>> =
        cases.iter().map(|case| candidates(case, rules)).collect();
    let identities: HashSet<IdentityHash> =
        parsed.iter().flatten().flatten().map(|candidate| candidate.evidence.identity).collect();
    let known = Known::load(store, identities.into_iter().collect()).await?;
    let judged = cases.iter().zip(parsed).map(|(case, parsed)| match parsed {
        Ok(candidates) => stand(case, candidates, &known, taken),
        Err(judged) => judged,
    });
    Ok(judged.collect())
}

/// The events that a reject keeps out, by the present rules.
fn candidates<'c>(case: &'c Case, rules: &Rules) -> Result<Vec<Candidate<'c>>, Judged<'c>> {
    let key = &case.reject.listed.key;
    let found = case.record.as_ref().map_err(Judged::clone)?;
    let record = found.record(&key.topic);
    let events = parse(&record, rules).map_err(Judged::rejected)?;
    let is_meant =
        |event: &Event<'_>| key.scope == RejectScope::Record || i32::from(event.index) == key.index;
    let meant = events.into_iter().filter(is_meant);
    let candidates = meant.map(|event| Candidate { evidence: Evidence::of(&event, &record), event });
    Ok(candidates.collect())
}

/// Decides about a record whose events are usable: one of them whose identity is taken keeps all of it out.
fn stand<'c>(case: &Case, candidates: Vec<Candidate<'c>>, known: &Known, taken: &mut Taken) -> Judged<'c> {
    let mut is_new = false;
    for candidate in &candidates {
        let standing = match taken.standing(candidate) {
            Standing::New => known.standing(candidate, &case.reject.listed.key),
            other => other,
        };
        match standing {
            Standing::New => is_new = true,
            Standing::Equal => {}
            Standing::Taken(place) => return Judged::conflict(case, candidate, &place),
        }
    }
    for candidate in &candidates {
        taken.take(candidate, &case.reject.listed.key);
    }
    let outcome = if is_new { ReplayOutcome::Stored } else { ReplayOutcome::Duplicate };
    let events = candidates.into_iter().map(|candidate| candidate.event).collect();
    Judged { outcome, now: None, events }
}

impl Judged<'_> {
    /// Still not usable.
    pub(super) fn rejected(now: Reject) -> Self {
        Self { outcome: ReplayOutcome::Rejected, now: Some(now), events: Vec::new() }
    }

    /// Not to be had.
    pub(super) fn unavailable() -> Self {
        Self { outcome: ReplayOutcome::Unavailable, now: None, events: Vec::new() }
    }

    fn conflict(case: &Case, candidate: &Candidate<'_>, place: &str) -> Self {
        let first = &case.reject.listed.first_reason;
        let identity = &candidate.event.identity;
        let detail =
            format!("{place} has the same identity and other content, first rejected as {first}: {identity}");
        let now = Reject::new(Reason::ConflictingDuplicate, detail);
        Self { outcome: ReplayOutcome::Conflict, now: Some(now), events: Vec::new() }
    }
}

impl Candidate<'_> {
    fn full_identity(&self) -> FullIdentity {
        (self.event.subscription.clone().into_owned(), self.event.identity.to_string())
    }
}

impl Taken {
    /// Forgets what a look into the database tells from now on.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }

    fn standing(&self, candidate: &Candidate<'_>) -> Standing {
        if candidate.event.change != Change::Create {
            return Standing::New;
        }
        match self.0.get(&candidate.full_identity()) {
            None => Standing::New,
            Some((content, _)) if *content == candidate.evidence.content => Standing::Equal,
            Some((_, place)) => Standing::Taken(place.clone()),
        }
    }

    fn take(&mut self, candidate: &Candidate<'_>, key: &RejectKey) {
        if candidate.event.change == Change::Create && self.0.len() < TAKEN_MAX {
            let place = place(&key.topic, key.partition, key.offset, candidate.event.index);
            self.0.entry(candidate.full_identity()).or_insert((candidate.evidence.content, place));
        }
    }
}

impl Known {
    async fn load(store: &Store, identities: Vec<IdentityHash>) -> Result<Self, Error> {
        let mut copies: HashMap<IdentityHash, Vec<EventCopy>> = HashMap::new();
        for copy in store.copies_of(&identities).await? {
            copies.entry(copy.identity_hash).or_default().push(copy);
        }
        // Most identities have no copy yet, so there are few whose texts have to be compared.
        let with_copies: Vec<IdentityHash> =
            identities.into_iter().filter(|identity| copies.contains_key(identity)).collect();
        let mut known = Self { copies, rows: HashMap::new(), places: HashMap::new() };
        for row in store.rows_of(&with_copies).await? {
            let identity = (row.subscription.clone(), row.identity.clone());
            let place = (row.topic_name.clone(), row.partition, row.offset, row.index, row.record_time_ms);
            known.places.insert(place, identity.clone());
            known.rows.entry(identity).or_default().push(row);
        }
        Ok(known)
    }

    fn standing(&self, candidate: &Candidate<'_>, key: &RejectKey) -> Standing {
        let identity = candidate.full_identity();
        let (event, content) = (&candidate.event, candidate.evidence.content);
        let all = self.copies.get(&candidate.evidence.identity).map(Vec::as_slice).unwrap_or_default();
        let all = || all.iter().filter(|copy| self.is_of(copy, &identity));
        let is_own = |copy: &EventCopy| {
            (copy.topic.as_str(), copy.partition, copy.offset, copy.index, copy.record_time)
                == (key.topic.as_str(), key.partition, key.offset, event.index, key.record_time)
        };
        let is_creation = event.change == Change::Create;
        let rivals = || all().filter(|copy| copy.version.is_creation() == is_creation);
        let is_equal = all().any(|copy| !is_own(copy) && copy.content_hash == content);
        // The copies come by their rank.
        let holder = match key.scope {
            // It lost against a copy that counts. As long as that one does, it stays out.
            RejectScope::Event => rivals().next(),
            RejectScope::Record if is_creation && !self.is_stored(event, key, &identity) => {
                if rivals().any(is_own) { None } else { rivals().next() }
            }
            RejectScope::Record => None,
        };
        match holder.filter(|holder| holder.content_hash != content) {
            Some(holder) => {
                Standing::Taken(place(&holder.topic, holder.partition, holder.offset, holder.index))
            }
            None if is_equal => Standing::Equal,
            None => Standing::New,
        }
    }

    /// Whether evidence is of this identity, and not of another one with the same hash.
    fn is_of(&self, copy: &EventCopy, identity: &FullIdentity) -> bool {
        let place = (copy.topic.clone(), copy.partition, copy.offset, copy.index, copy.record_time);
        match self.places.get(&place) {
            Some(found) => found == identity,
            // Its row was replaced by that of a copy that counts more.
            None => self.rows.contains_key(identity),
        }
    }

    /// Whether the event itself has a row already: from a replay that ended before it could take note, or from a reader
    /// with other rules.
    fn is_stored(&self, event: &Event<'_>, key: &RejectKey, identity: &FullIdentity) -> bool {
        let rows = self.rows.get(identity).map(Vec::as_slice).unwrap_or_default();
        rows.iter().any(|row| {
            (row.topic_name.as_str(), row.partition, row.offset, row.index, row.record_time_ms)
                == (key.topic.as_str(), key.partition, key.offset, event.index, key.record_time)
        })
    }
}

fn place(topic: &str, partition: i32, offset: i64, index: u16) -> String {
    format!("{topic} {partition}/{offset}[{index}]")
}
