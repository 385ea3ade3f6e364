//! Somebody who asks for histories all the time, and notices when an answer steps back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::Value;

use crate::Client;
use crate::oracle::Expected;

/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(20);
/// Digits behind the point of a unit.
const SCALE: usize = 18;

/// What was answered so far: exact sums by customer, month and service.
type Sums = BTreeMap<(String, String, String), i128>;

/// Asks in the background, for customers whose sums only ever grow.
#[derive(Debug)]
pub struct Poller {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Result<Seen>>,
}

/// What a poller has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Complete answers.
    pub answers: u64,
    /// 5xx: nothing rather than a part.
    pub refusals: u64,
    /// Nobody answered.
    pub silences: u64,
    sums: Sums,
}

impl Poller {
    /// Begins to ask.
    pub fn start(client: Client, token: &str, customers: Vec<String>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (is_over, token) = (Arc::clone(&is_over), token.to_owned());
            move || poll(&client, &token, &customers, &is_over)
        });
        Self { is_over, thread }
    }

    /// Stops to ask, and says what there was.
    ///
    /// # Errors
    /// An answer has stepped back, or was neither complete nor a 5xx.
    pub fn finish(self) -> Result<Seen> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the poller has panicked"))?
    }

    /// Whether it has stopped by itself, over a wrong answer.
    pub fn has_failed(&self) -> bool {
        self.thread.is_finished()
    }
}

impl Seen {
    /// Checks that nothing was ever answered that the log does not hold.
    ///
    /// # Errors
    /// There was, or nothing was answered at all.
    pub fn is_within(&self, expected: &Expected) -> Result<()> {
        ensure!(self.answers > 0, "there was no answer: {self:?}");
        let mut most = Sums::new();
        for (customer, history) in &expected.history {
            most.extend(sums_of(customer, history)?);
        }
        for (place, seen) in &self.sums {
            let most = most.get(place).copied().unwrap_or(0);
            ensure!(
                *seen <= most,
                "{place:?} was {seen}, more than the {most} of the log, in units of 10^-18"
            );
        }
        Ok(())
    }
}

fn poll(client: &Client, token: &str, customers: &[String], is_over: &AtomicBool) -> Result<Seen> {
    let mut seen = Seen::default();
    for customer in customers.iter().cycle() {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        match client.ask_history(token, customer, "") {
            Ok(reply) if reply.status == 200 => {
                seen.answers += 1;
                grow(&mut seen.sums, customer, &reply.json()?)?;
            }
            Ok(reply) if (500..600).contains(&reply.status) => seen.refusals += 1,
            Ok(reply) => bail!("history of {customer}: {} {}", reply.status, reply.body),
            Err(_) => seen.silences += 1,
        }
        thread::sleep(PAUSE);
    }
    Ok(seen)
}

/// Takes an answer over what was answered before.
fn grow(sums: &mut Sums, customer: &str, history: &Value) -> Result<()> {
    let answered = sums_of(customer, history)?;
    for (place, before) in sums.iter().filter(|(place, _)| place.0 == customer) {
        let now = answered.get(place).copied();
        ensure!(
            now.is_some_and(|now| now >= *before),
            "{place:?} has stepped back from {before} to {now:?}, in units of 10^-18"
        );
    }
    sums.extend(answered);
    Ok(())
}

fn sums_of(customer: &str, history: &Value) -> Result<Sums> {
    let mut sums = Sums::new();
    for month in history["service_usage_history"].as_array().context("no history")? {
        for used in month["data"].as_array().context("no data")? {
            let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
            let place = (customer.to_owned(), text(&month["period"])?, text(&used["service"])?);
            sums.insert(place, scaled(&text(&used["usage"])?)?);
        }
    }
    Ok(sums)
}

/// A decimal's text in units of 10^-18.
fn scaled(text: &str) -> Result<i128> {
    let (whole, fraction) = text.split_once('.').with_context(|| format!("no point: {text}"))?;
    ensure!(fraction.len() <= SCALE, "too many digits: {text}");
    format!("{whole}{fraction:0<SCALE$}").parse().with_context(|| format!("no number: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(usage: &str) -> Value {
        let used = serde_json::json!({ "service": "cpu", "usage": usage });
        serde_json::json!({ "service_usage_history": [{ "period": "10.2026", "data": [used] }] })
    }

    #[test]
    fn an_answer_that_steps_back_is_noticed() {
        let mut sums = Sums::new();
        for usage in ["1.5", "1.5", "2.0", "10.0"] {
            grow(&mut sums, "c", &history(usage)).unwrap();
        }
        assert!(grow(&mut sums, "c", &history("9.999999999999999999")).is_err());
        let empty = serde_json::json!({ "service_usage_history": [] });
        assert!(grow(&mut sums, "c", &empty).is_err(), "a month has vanished");
        grow(&mut sums, "d", &history("0.1")).unwrap();
    }
}
