//! Who has written something finds it in the list, in the history and on the bill, whichever process is asked, and whatever
//! happens to the processes in between.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, ensure};
use meterhouse_tests::oracle::BillItem;
use meterhouse_tests::usages::{Usages, is_visible, persist, usage};
use meterhouse_tests::{Client, Reply, Service, Site, audit, bill, check, wait};
use serde_json::{Value, json};

use super::TOKEN;
use super::apart::{Apart, configured, joined, replace};

const WRITERS: usize = 4;
const ROUNDS: u32 = 2;
/// One for all writers, and one for each.
const SUBSCRIPTIONS: [&str; 5] = ["S", "S0", "S1", "S2", "S3"];
/// Writes of all writers together.
const WRITES: usize = WRITERS * ROUNDS as usize * 2 * 3;

/// Somebody with an option code of his own, of which nobody else writes usage.
struct Writer<'w> {
    option_code: String,
    own: &'static str,
    writes: Usages,
    reads: Client,
    /// Writes of all that are begun.
    begun: &'w AtomicUsize,
    /// Units by subscription and reference.
    model: BTreeMap<(&'static str, u64), u64>,
    /// How often something was sent again.
    repeats: u32,
}

impl<'w> Writer<'w> {
    fn new(number: usize, writes: &Client, reads: &Client, begun: &'w AtomicUsize) -> Self {
        Self {
            option_code: format!("w{number}"),
            own: SUBSCRIPTIONS[1 + number],
            writes: Usages::new(writes.clone(), TOKEN),
            reads: reads.clone(),
            begun,
            model: BTreeMap::new(),
            repeats: 0,
        }
    }

    fn run(mut self) -> Result<u32> {
        for round in 0..ROUNDS {
            for subscription in ["S", self.own] {
                self.round(round, subscription)?;
            }
        }
        Ok(self.repeats)
    }

    /// Saves two usages, changes the first one and deletes the second one, and looks each time.
    fn round(&mut self, round: u32, subscription: &'static str) -> Result<()> {
        let [first, second, changed] = [10, 20, 100].map(|units| u64::from(units + round));
        let (units, writes) = ([first, second], self.writes.clone());
        let body = json!(units.map(|units| usage(&self.option_code, &format!("1{round}:00:00"), units)));
        let key = format!("{} {round}", self.option_code);
        let saved = self.write(&[200], || writes.save(subscription, &body, Some(&key)))?.json()?;
        let reference = |index: usize| saved[index]["UsageReference"].as_u64().context("a reference");
        let references = [reference(0)?, reference(1)?];
        for (reference, units) in references.into_iter().zip(units) {
            self.model.insert((subscription, reference), units);
        }
        self.reads_its_writes()?;
        let (reference, change) = (json!(references[0]), json!({"Units": changed}));
        self.write(&[200], || writes.update(subscription, &reference, &change))?;
        self.model.insert((subscription, references[0]), changed);
        self.reads_its_writes()?;
        let deletion = format!("?UsageReference={}", references[1]);
        // Where nobody has heard that it was done, it is not found.
        self.write(&[200, 404], || writes.delete(subscription, &deletion))?;
        self.model.remove(&(subscription, references[1]));
        self.reads_its_writes()
    }

    /// Writes until the outcome is known. At the first try there is only the first of these statuses.
    fn write(&mut self, statuses: &[u16], send: impl FnMut() -> Result<Reply>) -> Result<Reply> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let (reply, sent) = persist("a write to be known", send)?;
        self.repeats += sent - 1;
        let allowed = if sent == 1 { &statuses[..1] } else { statuses };
        ensure!(allowed.contains(&reply.status), "after {sent} tries: {} {}", reply.status, reply.body);
        ensure!(reply.status != 200 || is_visible(&reply), "acknowledged and not visible");
        Ok(reply)
    }

    /// The first answer that there is must be right.
    fn reads_its_writes(&self) -> Result<()> {
        let usages = Usages::new(self.reads.clone(), TOKEN);
        let mut listed = BTreeMap::new();
        for subscription in ["S", self.own] {
            for item in wait::until("a list", || usages.all(subscription).ok())? {
                if item["OptionCode"] == json!(self.option_code) {
                    let number = |name: &str| item[name].as_u64().context("a whole number");
                    listed.insert((subscription, number("UsageReference")?), number("Units")?);
                }
            }
        }
        ensure!(listed == self.model, "listed {listed:?}, written {:?}", self.model);
        let history = wait::until("a history", || self.reads.history("mh_test", "c").ok())?;
        let used = history["service_usage_history"][0]["data"].as_array().context("a month")?;
        let used = used.iter().find(|used| used["service"] == json!(self.option_code));
        let sum: u64 = self.model.values().sum();
        ensure!(
            used.map(|used| &used["usage"]) == Some(&Value::from(format!("{sum}.0"))),
            "{sum}: {history}"
        );
        self.bill_is(&wait::until("a bill", || bill::all_items(&self.reads, "mh_bill").ok())?)
    }

    /// A unit costs a dollar.
    fn bill_is(&self, items: &[BillItem]) -> Result<()> {
        for subscription in ["S", self.own] {
            let units = self.model.iter().filter(|((of, _), _)| *of == subscription);
            let sum: u64 = units.map(|(_, units)| units).sum();
            let mut amounts = items
                .iter()
                .filter(|item| item.zone == subscription && item.description.contains(&self.option_code))
                .map(|item| item.amount.parse::<f64>());
            let amount = amounts.next().transpose()?;
            let is_right = amounts.next().is_none() && amount.map_or(sum == 0, |amount| amount == sum as f64);
            ensure!(is_right, "{subscription}: {sum} units, billed {amount:?}: {items:?}");
        }
        Ok(())
    }
}

/// Lets writers write, each by one of the clients and read by the next, while something happens. Returns how often they had to
/// repeat themselves.
fn write_while(clients: &[Client], happens: impl FnOnce(&AtomicUsize) -> Result<()>) -> Result<u32> {
    let begun = AtomicUsize::new(0);
    thread::scope(|scope| {
        let writing: Vec<_> = (0..WRITERS)
            .map(|number| {
                let client = |place: usize| &clients[place % clients.len()];
                let writer = Writer::new(number, client(number), client(number + 1), &begun);
                scope.spawn(|| writer.run())
            })
            .collect();
        let happened = happens(&begun);
        let repeats = writing.into_iter().map(joined).sum::<Result<u32>>();
        happened.and(repeats)
    })
}

/// A site with a price for each writer's units.
fn priced(name: &str) -> Result<Site> {
    let site = configured(name, &SUBSCRIPTIONS)?;
    let rows = (0..WRITERS).map(|number| format!("w{number},w{number},1,USD\n"));
    site.write_catalog(&format!("code,service,unit_price,currency\n{}", rows.collect::<String>()))?;
    Ok(site)
}

fn clients(apart: &Apart) -> Vec<Client> {
    apart.apis.iter().map(Service::client).collect()
}

#[test]
fn whichever_process_is_asked_it_is_there() -> Result<()> {
    let apart = Apart::start(priced("own_writes")?)?;
    let repeats = write_while(&clients(&apart), |_| Ok(()))?;
    assert_eq!(repeats, 0, "nothing was in the way");
    apart.ends_well()
}

#[test]
fn in_one_process_that_is_replaced_it_is_there() -> Result<()> {
    let site = priced("own_writes_serve")?;
    let mut service = site.serve()?;
    let clients = [service.client()];
    let repeats = write_while(&clients, |begun| replace(&mut [&mut service], 2, begun, WRITES))?;
    assert!(repeats > 0, "nobody was disturbed");
    check::all_is_as_expected(&site, &service.client())?;
    audit::verify(&site)
}

#[test]
fn in_three_processes_that_are_replaced_it_is_there() -> Result<()> {
    let mut apart = Apart::start(priced("own_writes_apart")?)?;
    let clients = clients(&apart);
    let Apart { ingest, apis: [one, other], .. } = &mut apart;
    let repeats = write_while(&clients, |begun| replace(&mut [one, ingest, other], 4, begun, WRITES))?;
    assert!(repeats > 0, "nobody was disturbed");
    apart.ends_well()
}
