//! Who reads the topic, and what is measured of it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::ValueEnum;
use meterhouse_benches::process::Usage;
use meterhouse_benches::wait::wait_for;
use meterhouse_localstack::{ClickHouse, Kafka};

use crate::engine::Variant;
use crate::{client, engine, service};

/// Looks that must find no merge under way, so many milliseconds apart.
const QUIET_LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(200);

/// A way from the topic into ClickHouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// The client library alone.
    Client,
    /// This service.
    Meterhouse,
    /// ClickHouse's Kafka engine, at its best.
    EngineBest,
    /// ClickHouse's Kafka engine, as documented.
    EngineDocumented,
}

/// What all of them read.
pub(crate) struct Topic<'k> {
    pub(crate) kafka: &'k Kafka,
    pub(crate) name: &'static str,
    pub(crate) events: u64,
    pub(crate) customers: u32,
    /// Whether the server merges meanwhile.
    pub(crate) merges: bool,
    /// Where perf is to write what it sees of this service, if anywhere.
    pub(crate) profile: Option<PathBuf>,
}

/// What one run took.
pub(crate) struct Measured {
    /// From the reader's start until everything was stored.
    pub(crate) wall: Duration,
    /// Until the first event was stored, where that is known.
    pub(crate) first: Option<Duration>,
    /// Of the process that reads, where there is one.
    pub(crate) reader: Option<Usage>,
    pub(crate) broker: Usage,
    /// What is stored, where anything is.
    pub(crate) stored: Option<Stored>,
}

/// What a contender has stored in a ClickHouse of its own.
pub(crate) struct Stored {
    /// Until everything was stored.
    pub(crate) clickhouse: Usage,
    /// CPU until nothing was left to be merged.
    pub(crate) merges: Duration,
    /// On the disk, of all tables, before they were merged.
    pub(crate) bytes: u64,
    /// Sum over all events.
    pub(crate) units: String,
}

/// Servers that take part in a run, and what they had used before it.
pub(crate) struct Meter<'s> {
    clickhouse: &'s ClickHouse,
    kafka: &'s Kafka,
    before: (Usage, Usage),
    begun: Instant,
}

impl<'s> Meter<'s> {
    pub(crate) fn start(clickhouse: &'s ClickHouse, kafka: &'s Kafka) -> Result<Self> {
        let before = (Usage::of(clickhouse.pid()?)?, Usage::of(kafka.pid()?)?);
        Ok(Self { clickhouse, kafka, before, begun: Instant::now() })
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// What ClickHouse and the broker have used since the start.
    pub(crate) fn used(&self) -> Result<(Usage, Usage)> {
        let (clickhouse, broker) = &self.before;
        let now = (Usage::of(self.clickhouse.pid()?)?, Usage::of(self.kafka.pid()?)?);
        Ok((now.0.since(clickhouse), now.1.since(broker)))
    }
}

impl Stored {
    /// Merges and checks what a server has stored: every event of the topic is in the table once. `identity` tells them apart.
    pub(crate) fn check(
        server: &ClickHouse,
        clickhouse: Usage,
        events: u64,
        table: &str,
        identity: &str,
    ) -> Result<Self> {
        let number = |sql: &str| -> Result<u64> { Ok(server.query(sql)?.trim().parse()?) };
        let bytes =
            number("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database != 'system'")?;
        let merges = merge(server)?;
        for counted in ["count()".to_owned(), format!("uniqExact({identity})")] {
            let counted = number(&format!("SELECT {counted} FROM {table} FINAL"))?;
            ensure!(counted == events, "{counted} of {events} events are stored");
        }
        let units =
            server.query(&format!("SELECT toString(sum(toDecimal256(units, 18))) FROM {table} FINAL"))?;
        Ok(Self { clickhouse, merges, bytes, units: units.trim().to_owned() })
    }
}

impl Contender {
    pub(crate) const ALL: [Self; 4] =
        [Self::Client, Self::Meterhouse, Self::EngineBest, Self::EngineDocumented];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Client => "librdkafka alone, stores nothing",
            Self::Meterhouse => "`meterhouse ingest`",
            Self::EngineBest => "Kafka engine, best settings",
            Self::EngineDocumented => "Kafka engine, as documented",
        }
    }

    /// Reads the whole topic once.
    pub(crate) fn run(self, topic: &Topic<'_>, round: u32) -> Result<Measured> {
        match self {
            Self::Client => client::run(topic),
            Self::Meterhouse => service::run(topic),
            Self::EngineBest => engine::run(topic, Variant::Best, round),
            Self::EngineDocumented => engine::run(topic, Variant::Documented, round),
        }
    }
}

/// Lets a server merge what it has not merged so far, and tells the CPU that it takes.
fn merge(clickhouse: &ClickHouse) -> Result<Duration> {
    let before = Usage::of(clickhouse.pid()?)?;
    clickhouse.query("SYSTEM START MERGES")?;
    let mut quiet = 0;
    wait_for(LOOK, || {
        let merges = clickhouse.query("SELECT count() FROM system.merges")?;
        quiet = if merges.trim() == "0" { quiet + 1 } else { 0 };
        Ok(quiet >= QUIET_LOOKS)
    })?;
    Ok(Usage::of(clickhouse.pid()?)?.since(&before).cpu)
}
