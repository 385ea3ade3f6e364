//! ClickHouse's own Kafka engine with a materialized view, into one table.
//!
//! It does less: it validates nothing, keeps no records that it cannot read, no ledger and no evidence of copies, is not synced
//! to the disk, and may store a record twice.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use meterhouse_benches::wait::wait_for;
use meterhouse_localstack::{ClickHouse, ClickHouseOptions};
use meterhouse_tests::scratch_dir;

use crate::contender::{Measured, Meter, Stored, Topic};

/// Those of the server that the other contenders have.
const CONFIG: &str = include_str!("../../../../deploy/local/clickhouse/config.xml");
const USERS: &str = include_str!("../../../../deploy/local/clickhouse/users.xml");

const POLL: Duration = Duration::from_millis(200);

/// How it is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Variant {
    Documented,
    Best,
}

pub(crate) fn run(topic: &Topic<'_>, variant: Variant, round: u32) -> Result<Measured> {
    let dir = scratch_dir("ingest-bench-engine")?;
    let config_file = dir.path().join("config.xml");
    fs::write(&config_file, CONFIG)?;
    fs::write(dir.path().join("users.xml"), variant.users())?;
    let options = ClickHouseOptions { config_file: Some(config_file), ..ClickHouseOptions::default() };
    let clickhouse = ClickHouse::launch(options)?;
    clickhouse.query(include_str!("engine/target.sql"))?;
    if !topic.merges {
        clickhouse.query("SYSTEM STOP MERGES")?;
    }
    let (queue, view) = variant.tables();
    let queue = queue
        .replace("{brokers}", &topic.kafka.bootstrap())
        .replace("{topic}", topic.name)
        .replace("{group}", &format!("{variant:?}-{round}"));
    let meter = Meter::start(&clickhouse, topic.kafka)?;
    clickhouse.query(&queue)?;
    clickhouse.query(view)?;
    let stored = || -> Result<u64> { Ok(clickhouse.query("SELECT count() FROM t")?.trim().parse()?) };
    wait_for(POLL, || Ok(stored()? >= topic.events))?;
    let wall = meter.elapsed();
    let (server, broker) = meter.used()?;
    clickhouse.query("DROP TABLE view SYNC")?;
    clickhouse.query("DROP TABLE queue SYNC")?;
    let stored = Stored::check(&clickhouse, server, topic.events, "t", "event_id")?;
    Ok(Measured { wall, first: None, reader: None, broker, stored: Some(stored) })
}

impl Variant {
    /// The table that reads, and the view that moves what it reads.
    fn tables(self) -> (&'static str, &'static str) {
        match self {
            Self::Documented => {
                (include_str!("engine/documented_queue.sql"), include_str!("engine/documented_view.sql"))
            }
            Self::Best => (include_str!("engine/best_queue.sql"), include_str!("engine/best_view.sql")),
        }
    }

    /// The users of the server, with the settings of all that it does.
    fn users(self) -> String {
        let settings = match self {
            Self::Documented => "",
            // A Kafka table cannot set it. Without it each block is searched for rows that replace each other.
            Self::Best => "<optimize_on_insert>0</optimize_on_insert>",
        };
        USERS.replace("<default/>", &format!("<default>{settings}</default>"))
    }
}
