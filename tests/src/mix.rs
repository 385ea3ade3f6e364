//! A repeatable load of every kind of record: usage on time and late, resends, changes, conflicts, rubbish.
//!
//! Every record has a time of its own, so which copy of an event is the first follows from the records alone, in whatever
//! partitions they end up.

use chrono::{DateTime, Duration};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{Message, Usage};

const OPTION_CODES: [&str; 5] = ["cpu", "memory", "storage", "egress", "requests"];
/// Days before the load's begin that usage lies in.
const DAYS: i64 = 100;
/// Of so many records one has an id that one of another subscription has, too.
const TWINS: i64 = 20;
/// Records that are kept in mind for resends and changes.
const REMEMBERED: usize = 5000;

/// How many of a thousand records are of a kind; the rest is usage that nobody has sent before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kinds {
    /// The same event again, under a later or an earlier time.
    pub resends: u32,
    /// A change of units, half of them before their original.
    pub amendments: u32,
    /// A deletion.
    pub deletions: u32,
    /// Another event under the same identity, on the same day and option code.
    pub conflicts: u32,
    /// Conflicts and amendments that name another option code, day or customer.
    pub moves: u32,
    /// No usable record.
    pub rubbish: u32,
    /// Several events in one record.
    pub several: u32,
    /// Usage without an identity of its own: sent again it is another one.
    pub anonymous: u32,
    /// Resends and conflicts that go to any partition.
    pub strays: u32,
}

impl Kinds {
    /// Sums of these only ever grow.
    pub const GROWING: Self = Self {
        resends: 80,
        rubbish: 20,
        several: 20,
        anonymous: 50,
        strays: 20,
        amendments: 0,
        deletions: 0,
        conflicts: 0,
        moves: 0,
    };
    /// With changes and conflicts.
    pub const CHANGING: Self =
        Self { amendments: 60, deletions: 20, conflicts: 30, moves: 40, ..Self::GROWING };
    /// The same events in any topic, whatever its partitions: none that is named after its place.
    pub const PORTABLE: Self = Self { anonymous: 0, strays: 0, ..Self::CHANGING };
}

/// An event that is published.
#[derive(Debug, Clone)]
struct Known {
    usage: Usage,
    key: String,
    revision: u32,
    is_change: bool,
}

/// Makes the records of a load, one after the other.
#[derive(Debug)]
pub struct Mix {
    random: ChaCha8Rng,
    kinds: Kinds,
    /// What names of customers, subscriptions and events begin with.
    name: String,
    customers: u32,
    /// Time of the first record, in milliseconds since the epoch.
    begun_ms: i64,
    made: i64,
    known: Vec<Known>,
    /// Originals whose change was published before them.
    owed: Vec<Known>,
}

impl Mix {
    /// A load of this seed for some customers, `name-0` and so on. Its records' times begin at `begun_ms`.
    pub fn new(name: &str, seed: u64, customers: u32, kinds: Kinds, begun_ms: i64) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed);
        let (known, owed) = (Vec::new(), Vec::new());
        Self { random, kinds, name: name.to_owned(), customers, begun_ms, made: 0, known, owed }
    }

    /// The names of the customers.
    pub fn customers(&self) -> Vec<String> {
        (0..self.customers).map(|number| format!("{}-{number}", self.name)).collect()
    }

    /// The next records.
    pub fn take(&mut self, count: usize) -> Vec<Message> {
        (0..count).map(|_| self.next()).collect()
    }

    /// The next records, and originals of all changes.
    pub fn finish(&mut self, count: usize) -> Vec<Message> {
        let mut messages = self.take(count);
        while let Some(known) = self.owed.pop() {
            self.made += 1;
            messages.push(self.message(&known.key, known.usage.json()));
        }
        messages
    }

    fn next(&mut self) -> Message {
        self.made += 1;
        let mut drawn = self.random.random_range(0..1000);
        let mut is = |share: u32| {
            let hit = drawn < share;
            drawn = drawn.saturating_sub(share);
            hit
        };
        let kinds = self.kinds;
        match () {
            () if is(kinds.rubbish) => self.rubbish(),
            () if is(kinds.several) => self.several(),
            () if is(kinds.anonymous) => self.anonymous(),
            () if is(kinds.resends) => self.resend(),
            () if is(kinds.amendments) => self.change("amend"),
            () if is(kinds.deletions) => self.change("delete"),
            () if is(kinds.conflicts) => self.conflict(),
            () if is(kinds.moves) => self.moved(),
            () => self.creation(),
        }
    }

    fn creation(&mut self) -> Message {
        if !self.owed.is_empty() && self.random.random_bool(0.05) {
            let known = self.owed.swap_remove(0);
            return self.message(&known.key.clone(), known.usage.json());
        }
        let known = self.fresh();
        let message = self.message(&known.key, known.usage.json());
        self.remember(known);
        message
    }

    fn anonymous(&mut self) -> Message {
        let known = self.fresh();
        self.message(&known.key, known.usage.without("EventId").json())
    }

    fn several(&mut self) -> Message {
        let count = self.random.random_range(2..6);
        let events: Vec<Known> = (0..count)
            .map(|number| {
                let known = self.fresh();
                let id = format!("{}-{}-{number}", self.name, self.made);
                Known { usage: known.usage.clone().with("EventId", &id), ..known }
            })
            .collect();
        let json: Vec<String> = events.iter().map(|known| known.usage.json()).collect();
        let message = self.message(&events[0].key, format!("{{\"Usages\":[{}]}}", json.join(",")));
        events.into_iter().for_each(|known| self.remember(known));
        message
    }

    fn resend(&mut self) -> Message {
        let Some(Known { usage, key, .. }) = self.pick_any() else { return self.creation() };
        let message = self.message(&key, usage.json());
        self.copy(message)
    }

    fn change(&mut self, action: &str) -> Message {
        let is_early = action == "amend" && self.random.random_bool(0.5);
        let index = if is_early { None } else { self.pick() };
        let mut known = match index {
            Some(index) => {
                self.known[index].revision += 1;
                self.known[index].clone()
            }
            None => {
                let fresh = self.fresh();
                self.owed.push(fresh.clone());
                Known { revision: 1, ..fresh }
            }
        };
        if action == "amend" {
            known.usage = known.usage.with("Units", &self.units());
        }
        let revision = known.revision.to_string();
        let usage = known.usage.clone().with("Action", action).with_json("Revision", &revision);
        let message = self.message(&known.key, usage.json());
        self.remember(Known { usage, is_change: true, ..known });
        message
    }

    fn conflict(&mut self) -> Message {
        let Some(index) = self.pick() else { return self.creation() };
        let Known { usage, key, .. } = self.known[index].clone();
        let units = self.units();
        let message = self.message(&key, usage.with("Units", &units).json());
        self.copy(message)
    }

    fn moved(&mut self) -> Message {
        let Some(index) = self.pick() else { return self.creation() };
        let Known { usage, key, .. } = self.known[index].clone();
        let other = match self.random.random_range(0..3) {
            0 => usage.with("OptionCode", OPTION_CODES[self.random.random_range(0..OPTION_CODES.len())]),
            1 => usage
                .with("Customer", &format!("{}-{}", self.name, self.random.random_range(0..self.customers))),
            _ => {
                let (start, end) = self.span();
                usage.between(&start, &end)
            }
        };
        if self.random.random_bool(0.5) {
            self.known[index].revision += 1;
            let revision = self.known[index].revision.to_string();
            let usage = other.with("Action", "amend").with_json("Revision", &revision);
            return self.message(&key, usage.json());
        }
        let message = self.message(&key, other.json());
        self.copy(message)
    }

    fn rubbish(&mut self) -> Message {
        let Known { usage, key, .. } = self.fresh();
        let value = match self.random.random_range(0..9) {
            0 => return Message { value: None, ..self.message(&key, "") },
            1 => usage.json().replace('}', ""),
            2 => format!("[{}]", usage.json()),
            3 => usage.without("Units").json(),
            4 => usage.with("Units", "-1").json(),
            5 => usage.with("Units", "1e-19").json(),
            6 => usage.with("UsageEnd", "2199-12-31T00:00:00Z").json(),
            7 => usage.with("Action", "remove").json(),
            _ => usage.json().replacen('{', "{\"OptionCode\":\"cpu\",", 1),
        };
        self.message(&key, value)
    }

    /// An event that nobody has sent yet.
    fn fresh(&mut self) -> Known {
        let (subscription, id) = match self.made % TWINS {
            // The same id in two subscriptions, which makes two events.
            0 => (u32::from(self.made / TWINS % 2 == 0), format!("twin-{}", self.made / TWINS / 2)),
            _ => (self.random.random_range(0..2 * self.customers), self.made.to_string()),
        };
        let customer = subscription / 2;
        let key = format!("{}-S{subscription}", self.name);
        let option_code = OPTION_CODES[self.random.random_range(0..OPTION_CODES.len())];
        let (start, end) = self.span();
        let units = self.units();
        let usage = Usage::default()
            .with("EventId", &format!("{}-{id}", self.name))
            .with("SubscriptionReference", &key)
            .with("Customer", &format!("{}-{customer}", self.name))
            .with("OptionCode", option_code)
            .between(&start, &end)
            .with("Units", &units);
        Known { usage, key, revision: 0, is_change: false }
    }

    /// Start and end of a usage; some have no length, some end with a month.
    fn span(&mut self) -> (String, String) {
        let begun = DateTime::from_timestamp_millis(self.begun_ms).unwrap_or_default();
        let day = begun - Duration::days(self.random.random_range(2..DAYS));
        let hour = self.random.random_range(0..24);
        let start = day.date_naive().and_hms_opt(hour, 0, 0).unwrap_or_default();
        let end = start + Duration::minutes([0, 1, 60, 60, 60, 24 * 60][self.random.random_range(0..6)]);
        let text = |time: chrono::NaiveDateTime| format!("{}Z", time.format("%Y-%m-%dT%H:%M:%S"));
        (text(start), text(end))
    }

    /// From 0 to a thousand, with up to 18 digits behind the point.
    fn units(&mut self) -> String {
        let whole = self.random.random_range(0..1000);
        match self.random.random_range(0..4) {
            0 => format!("{whole}"),
            1 => format!("{whole}.{:03}", self.random.random_range(0..1000)),
            2 => format!("{whole}.{:018}", self.random.random_range(0..1_000_000_000_000_000_000_u64)),
            _ => format!("0.{:06}", self.random.random_range(0..1_000_000)),
        }
    }

    fn pick_any(&mut self) -> Option<Known> {
        let count = self.known.len();
        (count > 0).then(|| self.known[self.random.random_range(0..count)].clone())
    }

    /// A creation, if one comes first to hand.
    fn pick(&mut self) -> Option<usize> {
        let count = self.known.len();
        let index = (count > 0).then(|| self.random.random_range(0..count))?;
        (!self.known[index].is_change).then_some(index)
    }

    fn remember(&mut self, known: Known) {
        if self.known.len() < REMEMBERED {
            self.known.push(known);
        } else {
            let index = self.random.random_range(0..REMEMBERED);
            self.known[index] = known;
        }
    }

    fn message(&self, key: &str, value: impl Into<Vec<u8>>) -> Message {
        Message::new(key, value).at(self.begun_ms + self.made)
    }

    /// The same record as a copy of another: some are older than that, some are elsewhere.
    fn copy(&mut self, message: Message) -> Message {
        let message = match self.random.random_bool(0.3) {
            true => message.at(self.begun_ms - self.made),
            false => message,
        };
        match self.random.random_range(0..1000) < self.kinds.strays {
            true => message.to(0),
            false => message,
        }
    }
}
