//! One thread's random writes, each followed by a look at what there is of its usages.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};
use meterhouse_tests::usages::{Usages, persist};
use meterhouse_tests::{Reply, wait};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// Steps of a thread.
pub(super) const STEPS: usize = 18;
pub(super) const SUBSCRIPTIONS: [&str; 2] = ["S", "T"];
/// Usages of a request.
const USAGES_MAX: u32 = 4;
/// A reference that nothing has: references end at 2^53.
const NO_REFERENCE: u64 = 1 << 60;

/// A usage, as the one who has written it knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Known {
    pub(super) option_code: String,
    pub(super) units: u64,
    end: String,
    description: String,
}

/// Usages by subscription and reference.
pub(super) type Model = BTreeMap<(&'static str, u64), Known>;

/// A thread that has option codes and a day of its own: nobody else changes its usages.
pub(super) struct Writer<'w> {
    number: usize,
    random: ChaCha8Rng,
    usages: [Usages; 2],
    /// Steps of all threads.
    steps: &'w AtomicUsize,
    model: Model,
    keyed: Vec<Keyed>,
    made: u32,
}

/// A request with a key, and how it was answered.
#[derive(Clone)]
struct Keyed {
    subscription: &'static str,
    key: String,
    body: Value,
    answer: String,
}

impl<'w> Writer<'w> {
    /// One of several: `usages` are those whom it may ask.
    pub(super) fn new(number: usize, seed: u64, usages: [Usages; 2], steps: &'w AtomicUsize) -> Self {
        let random = ChaCha8Rng::seed_from_u64(seed + number as u64);
        Self { number, random, usages, steps, model: Model::new(), keyed: Vec::new(), made: 0 }
    }

    /// Makes all steps, and returns what must be there of its usages.
    pub(super) fn run(mut self) -> Result<Model> {
        for step in 0..STEPS {
            self.steps.fetch_add(1, Ordering::Relaxed);
            let made = match self.random.random_range(0..10) {
                0..3 => self.save_with_key(),
                3..5 => self.save_without_key(),
                5 => self.repeat(),
                6..8 => self.update(),
                _ => self.delete(),
            };
            made.and_then(|()| self.look())
                .with_context(|| format!("writer {}, step {step}", self.number))?;
        }
        Ok(self.model)
    }

    fn save_with_key(&mut self) -> Result<()> {
        let (subscription, usages, new) = (self.subscription(), self.usages(), self.fresh());
        let (key, body) = (format!("{}-{}", self.number, self.made), body(&new));
        let reply = done(200, || usages.save(subscription, &body, Some(&key)))?;
        self.keep(subscription, references(&reply)?, new)?;
        self.keyed.push(Keyed { subscription, key, body, answer: reply.body });
        Ok(())
    }

    fn save_without_key(&mut self) -> Result<()> {
        let (subscription, usages, new) = (self.subscription(), self.usages(), self.fresh());
        match usages.save(subscription, &body(&new), None) {
            Ok(reply) if reply.status == 200 => self.keep(subscription, references(&reply)?, new),
            Ok(reply) if reply.status != 503 => bail!("{} {}", reply.status, reply.body),
            // To send it again may save it twice.
            _ => self.find(subscription, new),
        }
    }

    /// Finds out whether usages are saved. What was written before something that can be read can be read as well.
    fn find(&mut self, subscription: &'static str, mut new: Vec<Known>) -> Result<()> {
        let (usages, later) = (self.usages(), self.fresh());
        let (key, body) = (format!("{}-{}", self.number, self.made), body(&later));
        let reply = done(200, || usages.save(subscription, &body, Some(&key)))?;
        self.keep(subscription, references(&reply)?, later)?;
        let listed = wait::until("a list", || listed(&usages).ok())?;
        let is_one = |place: &(&str, u64), known: &Known| {
            place.0 == subscription && known.description == new[0].description
        };
        let found: Model = listed.into_iter().filter(|(place, known)| is_one(place, known)).collect();
        let mut stated: Vec<Known> = found.values().cloned().collect();
        stated.sort();
        new.sort();
        ensure!(stated.is_empty() || stated == new, "{stated:?} is left of {new:?}");
        self.model.extend(found);
        Ok(())
    }

    /// Sends a request with a key again: nothing happens; or another one with its key: nothing happens, either.
    fn repeat(&mut self) -> Result<()> {
        let Some(keyed) = self.pick(|writer| writer.keyed.clone()) else { return self.save_with_key() };
        let Keyed { subscription, key, body: sent, answer } = keyed;
        let usages = self.usages();
        if self.random.random_bool(0.3) {
            let other = body(&self.fresh());
            return done(409, || usages.save(subscription, &other, Some(&key))).map(|_| ());
        }
        let reply = done(200, || usages.save(subscription, &sent, Some(&key)))?;
        ensure!(reply.body == answer, "{} {}", reply.body, answer);
        Ok(())
    }

    fn update(&mut self) -> Result<()> {
        let usages = self.usages();
        let Some(((subscription, reference), mut known)) = self.pick(Self::all) else {
            return done(404, || usages.update("S", &NO_REFERENCE.into(), &json!({"Units": 1}))).map(|_| ());
        };
        let mut changes = json!({});
        if self.random.random_bool(0.7) {
            known.units = self.random.random_range(0..1000);
            changes["Units"] = json!(known.units);
        }
        if self.random.random_bool(0.3) {
            known.description = format!("changed {}", self.random.random_range(0..10));
            changes["Description"] = json!(known.description);
        }
        let reply = done(200, || usages.update(subscription, &reference.into(), &changes))?;
        ensure!(Known::stated_by(&reply.json()?)? == known, "{} is not {known:?}", reply.body);
        self.model.insert((subscription, reference), known);
        Ok(())
    }

    fn delete(&mut self) -> Result<()> {
        let usages = self.usages();
        match self.random.random_range(0..4) {
            0..2 => self.delete_one(&usages),
            2 => {
                let (subscription, code) = (self.subscription(), self.option_code());
                done(200, || usages.delete(subscription, &format!("?OptionCode={code}")))?;
                self.model.retain(|(of, _), known| *of != subscription || known.option_code != code);
                Ok(())
            }
            _ => {
                let subscription = self.subscription();
                let mut times = [self.time(), self.time()];
                times.sort();
                let [from, to] = &times;
                let query = format!("?IntervalStart={from}&IntervalEnd={to}").replace(' ', "%20");
                done(200, || usages.delete(subscription, &query))?;
                self.model.retain(|(of, _), known| *of != subscription || !(from..=to).contains(&&known.end));
                Ok(())
            }
        }
    }

    fn delete_one(&mut self, usages: &Usages) -> Result<()> {
        let Some(((subscription, reference), _)) = self.pick(Self::all) else {
            return done(404, || usages.delete("S", &format!("?UsageReference={NO_REFERENCE}"))).map(|_| ());
        };
        let query = format!("?UsageReference={reference}");
        let (reply, sent) = persist("a deletion", || usages.delete(subscription, &query))?;
        // Who had no answer finds nothing any more where it was done.
        let is_done = reply.status == 200 || sent > 1 && reply.status == 404;
        ensure!(is_done, "after {sent} tries: {} {}", reply.status, reply.body);
        self.model.remove(&(subscription, reference));
        Ok(())
    }

    /// What is listed of its usages is what it has written.
    fn look(&mut self) -> Result<()> {
        let usages = self.usages();
        let own = format!("o{}-", self.number);
        let mut listed = wait::until("a list", || listed(&usages).ok())?;
        listed.retain(|_, known| known.option_code.starts_with(&own));
        ensure!(listed == self.model, "listed {listed:#?}, written {:#?}", self.model);
        Ok(())
    }

    fn keep(&mut self, subscription: &'static str, references: Vec<u64>, new: Vec<Known>) -> Result<()> {
        ensure!(references.len() == new.len(), "{references:?} for {new:?}");
        for (reference, known) in references.into_iter().zip(new) {
            let before = self.model.insert((subscription, reference), known);
            ensure!(before.is_none(), "{reference} names two usages");
        }
        Ok(())
    }

    fn all(&self) -> Vec<((&'static str, u64), Known)> {
        self.model.iter().map(|(place, known)| (*place, known.clone())).collect()
    }

    fn pick<T>(&mut self, of: impl FnOnce(&Self) -> Vec<T>) -> Option<T> {
        let mut all = of(self);
        let index = (!all.is_empty()).then(|| self.random.random_range(0..all.len()))?;
        Some(all.swap_remove(index))
    }

    fn usages(&mut self) -> Usages {
        self.usages[self.random.random_range(0..2)].clone()
    }

    fn subscription(&mut self) -> &'static str {
        SUBSCRIPTIONS[self.random.random_range(0..SUBSCRIPTIONS.len())]
    }

    fn option_code(&mut self) -> String {
        format!("o{}-{}", self.number, self.random.random_range(0..2))
    }

    fn time(&mut self) -> String {
        let (hour, minute) = (self.random.random_range(0..24), self.random.random_range(0..60));
        format!("2026-10-{:02} {hour:02}:{minute:02}:00", self.number + 1)
    }

    /// Usages of a request, which their description tells from those of all others.
    fn fresh(&mut self) -> Vec<Known> {
        self.made += 1;
        let count = self.random.random_range(1..=USAGES_MAX);
        let one = |_| Known {
            option_code: self.option_code(),
            units: self.random.random_range(0..1000),
            end: self.time(),
            description: format!("{}-{}", self.number, self.made),
        };
        (0..count).map(one).collect()
    }
}

impl Known {
    fn stated_by(usage: &Value) -> Result<Self> {
        let text = |name: &str| usage[name].as_str().map(str::to_owned).context("a text");
        Ok(Self {
            option_code: text("OptionCode")?,
            units: usage["Units"].as_u64().context("whole units")?,
            end: text("UsageEnd")?,
            description: text("Description")?,
        })
    }
}

/// The usages of all subscriptions.
pub(super) fn listed(usages: &Usages) -> Result<Model> {
    let mut model = Model::new();
    for subscription in SUBSCRIPTIONS {
        for usage in usages.all(subscription)? {
            let reference = usage["UsageReference"].as_u64().context("a reference")?;
            let before = model.insert((subscription, reference), Known::stated_by(&usage)?);
            ensure!(before.is_none(), "{reference} is listed twice");
        }
    }
    Ok(model)
}

fn body(new: &[Known]) -> Value {
    let one = |known: &Known| {
        json!({
            "OptionCode": known.option_code,
            "UsageStart": format!("{} 00:00:00", &known.end[..10]),
            "UsageEnd": known.end,
            "Units": known.units,
            "Description": known.description,
        })
    };
    new.iter().map(one).collect()
}

fn references(reply: &Reply) -> Result<Vec<u64>> {
    let reply = reply.json()?;
    let saved = reply.as_array().context("an array")?;
    saved.iter().map(|usage| usage["UsageReference"].as_u64().context("a reference")).collect()
}

/// The answer of a request, once there is one; it must have this status.
fn done(status: u16, send: impl FnMut() -> Result<Reply>) -> Result<Reply> {
    let (reply, _) = persist("a write to be known", send)?;
    ensure!(reply.status == status, "{} {}", reply.status, reply.body);
    Ok(reply)
}
