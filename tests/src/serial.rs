//! Changes of one usage that were made at once: is there an order in which they, one after the other, come to the same?

use std::collections::HashSet;
use std::time::Instant;

/// What is to become of the usage.
#[derive(Debug, Clone)]
pub enum Change {
    /// Its units.
    Units(u64),
    /// Its description.
    Description(String),
    /// It is to be no more.
    Deletion,
}

/// A usage as far as it can be changed: units and description. `None`: it is not there.
pub type State = Option<(u64, String)>;

/// What the one who wanted a change was told.
#[derive(Debug, Clone)]
pub enum Told {
    /// It is done, and the usage is like this.
    Done(State),
    /// There is no such usage.
    NotFound,
    /// Nothing that is certain: it may be done, or not, or later.
    Unknown,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// What was wanted.
    pub change: Change,
    /// When it was sent.
    pub begun: Instant,
    /// When the answer was there.
    pub ended: Instant,
    /// The answer.
    pub told: Told,
}

/// Whether there is an order of the requests in which each finds the usage as the ones before have left it, is told what it
/// was told, and all of them leave it as it is in the end. A request that had its answer before another was sent comes before
/// that.
pub fn has_order(begin: &State, requests: &[Request], end: &State) -> bool {
    let search = &mut Search { requests, end, tried: HashSet::new() };
    search.goes_on(begin, &mut vec![false; requests.len()])
}

struct Search<'r> {
    requests: &'r [Request],
    end: &'r State,
    /// Which requests were over, and what they had left, where no way led on.
    tried: HashSet<(Vec<bool>, State)>,
}

impl Search<'_> {
    fn goes_on(&mut self, state: &State, over: &mut Vec<bool>) -> bool {
        if over.iter().all(|is_over| *is_over) {
            return state == self.end;
        }
        if !self.tried.insert((over.clone(), state.clone())) {
            return false;
        }
        for next in 0..over.len() {
            if over[next] || self.is_later(next, over) {
                continue;
            }
            over[next] = true;
            for left in self.requests[next].outcomes(state) {
                if self.goes_on(&left, over) {
                    return true;
                }
            }
            over[next] = false;
        }
        false
    }

    /// Whether another request that is left had its answer before this one was sent.
    fn is_later(&self, next: usize, over: &[bool]) -> bool {
        let begun = self.requests[next].begun;
        let is_before = |other: &Request| !matches!(other.told, Told::Unknown) && other.ended < begun;
        self.requests.iter().zip(over).any(|(other, is_over)| !is_over && is_before(other))
    }
}

impl Request {
    /// What it may leave of a state so that the answer is right.
    fn outcomes(&self, state: &State) -> Vec<State> {
        let done = state.as_ref().map(|(units, description)| match &self.change {
            Change::Units(units) => Some((*units, description.clone())),
            Change::Description(description) => Some((*units, description.clone())),
            Change::Deletion => None,
        });
        match (&self.told, done) {
            (Told::Done(told), Some(done)) if *told == done => vec![done],
            (Told::NotFound, None) => vec![None],
            (Told::Unknown, Some(done)) => vec![done, state.clone()],
            (Told::Unknown, None) => vec![None],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn state(units: u64, description: &str) -> State {
        Some((units, description.to_owned()))
    }

    /// Requests that are sent and answered at these seconds.
    fn requests(told: &[(u64, u64, Change, Told)]) -> Vec<Request> {
        let zero = Instant::now();
        let at = |seconds: &u64| zero + Duration::from_secs(*seconds);
        let request = |(begun, ended, change, told): &(u64, u64, Change, Told)| Request {
            change: change.clone(),
            begun: at(begun),
            ended: at(ended),
            told: told.clone(),
        };
        told.iter().map(request).collect()
    }

    #[test]
    fn changes_at_once_come_one_after_the_other() {
        let units = |told| (0, 9, Change::Units(2), Told::Done(told));
        let description = |told| (0, 9, Change::Description("d".to_owned()), Told::Done(told));
        let kept = requests(&[units(state(2, "")), description(state(2, "d"))]);
        assert!(has_order(&state(1, ""), &kept, &state(2, "d")));
        assert!(!has_order(&state(1, ""), &kept, &state(1, "d")), "one is lost in the end");
        let lost = requests(&[units(state(2, "")), description(state(1, "d"))]);
        assert!(!has_order(&state(1, ""), &lost, &state(2, "d")), "neither has seen the other");
    }

    #[test]
    fn what_is_deleted_stays_so() {
        let change = (0, 9, Change::Units(2), Told::Done(state(2, "")));
        let deletion = |begun| (begun, 20, Change::Deletion, Told::Done(None));
        assert!(has_order(&state(1, ""), &requests(&[deletion(0), change.clone()]), &None));
        assert!(!has_order(&state(1, ""), &requests(&[deletion(0), change.clone()]), &state(2, "")));
        let missed = (0, 9, Change::Units(2), Told::NotFound);
        assert!(has_order(&state(1, ""), &requests(&[deletion(0), missed.clone()]), &None));
        assert!(!has_order(&state(1, ""), &requests(&[deletion(10), missed]), &None), "it was there still");
        assert!(has_order(&state(1, ""), &requests(&[deletion(10), change]), &None));
    }

    #[test]
    fn what_is_unknown_may_have_happened() {
        let unknown = requests(&[(0, 1, Change::Units(2), Told::Unknown)]);
        for (end, is_right) in [(state(1, ""), true), (state(2, ""), true), (state(3, ""), false)] {
            assert_eq!(has_order(&state(1, ""), &unknown, &end), is_right, "{end:?}");
        }
        assert!(has_order(&None, &unknown, &None));
    }
}
