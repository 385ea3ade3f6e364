//! Who reads the topic, and what is measured of it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::ValueEnum;
use meterhouse_localstack::{ClickHouse, Kafka};

use crate::engine::Variant;
use crate::process::Usage;
use crate::{client, engine, service};

/// Longest time of one run.
const RUN_LIMIT: Duration = Duration::from_secs(900);
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
}

/// What one run took.
pub(crate) struct Measured {
    /// From the reader's start until everything was stored.
    pub(crate) wall: Duration,
    /// Until the first event was stored, where that is known.
    pub(crate) first: Option<Duration>,
    /// Of the process that reads, where there is one.
    pub(crate) reader: Option<Usage>,
    pub(crate) clickhouse: Option<Usage>,
    pub(crate) broker: Usage,
    /// CPU of ClickHouse until nothing was left to be merged.
    pub(crate) merges: Option<Duration>,
    /// On the disk, of all tables, before they were merged.
    pub(crate) stored_bytes: Option<u64>,
    /// Sum over all that is stored.
    pub(crate) units: Option<String>,
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

/// Waits for something that is looked for every so often.
pub(crate) fn wait_for(pause: Duration, mut is_there: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !is_there()? {
        ensure!(begun.elapsed() < RUN_LIMIT, "nothing within {RUN_LIMIT:?}");
        thread::sleep(pause);
    }
    Ok(())
}

/// Lets a server merge what it has not merged so far, and tells the CPU that it takes.
pub(crate) fn merge(clickhouse: &ClickHouse) -> Result<Duration> {
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
