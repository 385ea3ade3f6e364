//! ClickHouse's disk is full, or loses its power.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use meterhouse_localstack::{ClickHouse, ClickHouseOptions};
use meterhouse_tests::{Disk, Kinds, Mix, Site, check, shared, wait};

use crate::rig::{configured, ends_well, now_ms};

const RECORDS: usize = 3000;
const CUTS: u32 = 3;
const MEMORY_MEBIBYTES: u32 = 256;
const FILE_MEBIBYTES: u32 = 600;

fn on(disk: &Disk, name: &str) -> Result<(ClickHouse, Site, Mix)> {
    let data_dir = Some(disk.path().join("clickhouse"));
    let clickhouse = ClickHouse::launch(ClickHouseOptions { data_dir, ..ClickHouseOptions::default() })?;
    let mut site = configured(shared().kafka(), &clickhouse, name)?;
    site.set("ingest.batch_rows", 200)?;
    let mix = Mix::new("c", 5, 4, Kinds::CHANGING, now_ms()? - 1_000_000);
    Ok((clickhouse, site, mix))
}

#[test]
fn a_full_disk_is_waited_for() -> Result<()> {
    let Some(disk) = Disk::in_memory(MEMORY_MEBIBYTES)? else { return Ok(()) };
    let (_clickhouse, site, mut mix) = on(&disk, "disk_full")?;
    let mut service = site.serve()?;
    let pid = service.pid();
    site.publisher()?.publish(&mix.take(RECORDS))?;
    service.wait_stored(1000)?;
    disk.fill()?;
    site.publisher()?.publish(&mix.take(RECORDS))?;
    service.wait_fault("ingest", "insert into")?;
    let retries = || service.metric("meterhouse_retries_total", &[]);
    wait::until_is("inserts to be tried again", retries, |retries| *retries >= 3)?;
    assert_ne!(site.committed()?.iter().sum::<i64>(), 2 * i64::try_from(RECORDS)?, "something waits");
    disk.free()?;
    service.wait_ready()?;
    check::all_is_as_expected(&site, &service.client())?;
    assert_eq!(service.pid(), pid, "it was not started anew");
    ends_well(service)
}

#[test]
fn what_is_acknowledged_survives_a_power_cut() -> Result<()> {
    let Some(disk) = Disk::in_file(FILE_MEBIBYTES)? else { return Ok(()) };
    let (clickhouse, site, mut mix) = on(&disk, "power_cut")?;
    let mut service = site.start(&["serve"], "serve")?;
    for cut in 0..CUTS {
        let before = service.metric("meterhouse_records_total", &[]).unwrap_or_default();
        site.publisher()?.publish(&mix.take(RECORDS))?;
        service.wait_ready()?;
        service.wait_stored(before + 500 * u64::from(cut + 1))?;
        disk.cut_power()?;
        clickhouse.kill()?;
        let is_killed = cut % 2 == 0;
        if is_killed {
            service.kill()?;
        }
        disk.remount()?;
        clickhouse.start()?;
        if is_killed {
            // Nobody has stored anything again: what was acknowledged is there by itself.
            all_that_is_committed_is_stored(&site)?;
            service.start_again()?;
        }
    }
    service.wait_ready()?;
    check::all_is_as_expected(&site, &service.client())?;
    ends_well(service)
}

/// Every record below a committed offset is there as events or as a reject.
fn all_that_is_committed_is_stored(site: &Site) -> Result<()> {
    let sql = "SELECT partition, offset FROM identities UNION DISTINCT SELECT partition, offset FROM rejects \
        FORMAT TSV";
    let text = site.query(sql)?;
    let place = |line: &str| {
        let (partition, offset) = line.split_once('\t').context("no tab")?;
        Ok((partition.parse()?, offset.parse()?))
    };
    let stored: BTreeSet<(i32, i64)> = text.lines().map(place).collect::<Result<_>>()?;
    let committed = site.committed()?;
    let is_committed = |partition: i32, offset| {
        usize::try_from(partition).is_ok_and(|partition| offset < committed[partition])
    };
    let log = site.log()?;
    let due: BTreeSet<(i32, i64)> = log
        .iter()
        .filter(|record| is_committed(record.partition, record.offset))
        .map(|record| (record.partition, record.offset))
        .collect();
    let lost: Vec<_> = due.difference(&stored).collect();
    assert!(lost.is_empty(), "of {} committed records are lost: {lost:?}", due.len());
    assert!(!due.is_empty(), "nothing was committed before the cut");
    Ok(())
}
