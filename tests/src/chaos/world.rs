//! What a run is made of: two servers, two wires, five processes, two loads, and somebody who asks.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::{ClickHouse, ClickHouseOptions, Kafka, KafkaOptions, Port, ProxiedListener};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::action::{Action, Undo};
use super::slot::Slot;
use crate::{Kinds, Mix, Mode, Poller, Proxy, Publisher, Seen, Site, audit, check};

/// Processes by command. The first one answers, and ingests nothing.
const COMMANDS: [&str; 5] = ["api", "serve", "serve", "ingest", "ingest"];
const API: usize = 0;
const PARTITIONS: u16 = 6;
/// Most records of each load at a time.
const RECORDS_A_STEP: usize = 120;
/// Exit code of a command that cannot reach a server.
const UNREACHABLE: i32 = 3;

pub(super) struct World {
    slots: Vec<Slot>,
    poller: Poller,
    publisher: Publisher,
    /// Sums of its customers only ever grow: the poller watches them.
    growing: Mix,
    changing: Mix,
    kafka_wire: Proxy,
    clickhouse_wire: Proxy,
    tables: Vec<String>,
    site: Site,
    clickhouse: ClickHouse,
    kafka: Kafka,
    _kafka_port: Port,
}

impl World {
    pub(super) fn new(seed: u64) -> Result<Self> {
        let kafka_port = Port::free()?;
        let kafka_wire = Proxy::to(kafka_port.number())?;
        let listener = ProxiedListener { port: kafka_port.number(), advertised_port: kafka_wire.port() };
        let kafka = Kafka::launch(KafkaOptions { proxied: Some(listener), ..KafkaOptions::default() })?;
        let clickhouse = ClickHouse::launch(ClickHouseOptions::default())?;
        let clickhouse_wire = Proxy::to(clickhouse.http_port())?;
        kafka.create_topic("chaos", PARTITIONS)?;
        let mut site = Site::on(&kafka, &clickhouse, "chaos")?;
        configure(&mut site, &kafka_wire, &clickhouse_wire)?;
        ensure!(site.run(&["migrate"])?.status.success(), "cannot migrate");
        let tables = site.query(
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'",
        )?;
        let slot = |(number, command): (usize, &&str)| {
            Ok(Slot::new(site.start(&[*command], &format!("{command}-{number}"))?))
        };
        let mut slots = COMMANDS.iter().enumerate().map(slot).collect::<Result<Vec<_>>>()?;
        slots.iter_mut().try_for_each(|slot| slot.service.wait_ready())?;
        let begun_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        let growing = Mix::new("g", seed, 4, Kinds::GROWING, begun_ms);
        let changing = Mix::new("x", seed, 4, Kinds::CHANGING, begun_ms);
        let poller = Poller::start(slots[API].service.client(), site.token(), growing.customers());
        let publisher = site.publisher()?;
        Ok(Self {
            slots,
            poller,
            publisher,
            growing,
            changing,
            kafka_wire,
            clickhouse_wire,
            tables: tables.lines().map(str::to_owned).collect(),
            site,
            clickhouse,
            kafka,
            _kafka_port: kafka_port,
        })
    }

    /// The slots whose process runs.
    pub(super) fn running(&self) -> Vec<usize> {
        (0..self.slots.len()).filter(|slot| self.slots[*slot].is_running()).collect()
    }

    /// Notices processes that have killed or stopped themselves, and that nothing is wrong.
    pub(super) fn look(&mut self) -> Result<Vec<Undo>> {
        ensure!(!self.poller.has_failed(), "an answer has stepped back, or was wrong: see the end");
        let mut undoing = Vec::new();
        for (number, slot) in self.slots.iter_mut().enumerate() {
            if slot.has_died()? {
                undoing.push(Undo::StartProcess(number));
            } else if slot.has_stopped()? {
                undoing.push(Undo::ContinueProcess(number));
            }
        }
        Ok(undoing)
    }

    /// More records come; the broker gets them when it can.
    pub(super) fn publish(&mut self, random: &mut ChaCha8Rng) -> Result<()> {
        for mix in [&mut self.growing, &mut self.changing] {
            let messages = mix.take(random.random_range(0..RECORDS_A_STEP));
            messages.iter().try_for_each(|message| self.publisher.enqueue(message))?;
        }
        Ok(())
    }

    /// Does something.
    pub(super) fn act(&mut self, action: Action) -> Result<()> {
        match action {
            Action::KillProcess(slot) => self.slots[slot].kill()?,
            Action::EndProcess(slot) => self.slots[slot].end()?,
            Action::HoldProcess(slot) => self.slots[slot].hold()?,
            Action::ArmProcess(slot, place, hit, action) => self.slots[slot].arm(place, hit, action)?,
            Action::KillKafka => self.kafka.kill()?,
            Action::HoldKafka => self.kafka.pause()?,
            Action::KillClickHouse => self.clickhouse.kill()?,
            Action::HoldClickHouse => self.clickhouse.pause()?,
            Action::BreakKafkaWire(mode) => self.kafka_wire.set(mode),
            Action::BreakClickHouseWire(mode) => self.clickhouse_wire.set(mode),
            Action::StopMerges => self.statements("SYSTEM STOP MERGES", ""),
            Action::Merge => self.statements("OPTIMIZE TABLE", "FINAL"),
            Action::Migrate => self.command(&["migrate"])?,
            Action::Replay => self.command(&["rejects", "replay"])?,
            Action::ShowLedger => self.command(&["ledger", "show"])?,
            Action::Rebuild => self.command(&["rollup", "rebuild", "--no-wait"])?,
        }
        Ok(())
    }

    /// Ends a fault.
    pub(super) fn undo(&mut self, undo: Undo) -> Result<()> {
        match undo {
            Undo::StartProcess(slot) => self.slots[slot].start_again()?,
            Undo::ContinueProcess(slot) => self.slots[slot].go_on()?,
            Undo::StartKafka => self.kafka.start()?,
            Undo::ContinueKafka => self.kafka.resume()?,
            Undo::StartClickHouse => self.clickhouse.start()?,
            Undo::ContinueClickHouse => self.clickhouse.resume()?,
            Undo::MendKafkaWire => self.kafka_wire.set(Mode::Pass),
            Undo::MendClickHouseWire => self.clickhouse_wire.set(Mode::Pass),
        }
        Ok(())
    }

    /// A statement about every table. The server may be too slow for it.
    fn statements(&self, before: &str, after: &str) {
        for table in &self.tables {
            let _ = self.site.query(&format!("{before} {table} {after}"));
        }
    }

    /// A command that ends by itself. It may find that a server is away.
    fn command(&self, arguments: &[&str]) -> Result<()> {
        let output = self.site.run(arguments)?;
        let is_fine = output.status.success() || output.status.code() == Some(UNREACHABLE);
        ensure!(is_fine, "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Compares everything with the oracle, once it is stored. Returns the number of records.
    pub(super) fn compare(&mut self) -> Result<u64> {
        self.statements("SYSTEM START MERGES", "");
        self.slots.iter_mut().try_for_each(Slot::disarm)?;
        for (slot, command) in self.slots.iter_mut().zip(COMMANDS) {
            slot.service.wait_ready().context(command)?;
        }
        self.publisher.flush()?;
        let expected = check::all_is_as_expected(&self.site, &self.slots[API].service.client())?;
        audit::verify(&self.site)?;
        Ok(expected.records)
    }

    /// Ends all processes, which they do with 0.
    pub(super) fn end(mut self) -> Result<Seen> {
        let messages = [self.growing.finish(0), self.changing.finish(0)].concat();
        self.publisher.publish(&messages)?;
        let expected = check::all_is_as_expected(&self.site, &self.slots[API].service.client())?;
        self.site.wait_rolled_up()?;
        check::histories_are_as_expected(&self.site, &self.slots[API].service.client(), &expected)?;
        let seen = self.poller.finish()?;
        seen.is_within(&expected)?;
        for slot in &mut self.slots {
            let status = slot.service.terminate()?;
            ensure!(status.success(), "it ended with {status}:\n{}", slot.service.log_tail());
        }
        Ok(seen)
    }
}

/// Small batches and short time-outs, behind the proxies.
fn configure(site: &mut Site, kafka: &Proxy, clickhouse: &Proxy) -> Result<()> {
    site.set("kafka.brokers", kafka.address())?;
    site.set("clickhouse.url", format!("http://{}", clickhouse.address()))?;
    site.set("ingest.batch_rows", 300)?;
    site.set("ingest.session_timeout_ms", 2000)?;
    site.set("clickhouse.query_timeout_ms", 2000)?;
    site.set("sweep.interval_ms", 300)
}
