//! A rolling upgrade: processes of the program as it was at the commit in `tests/upgrade/BASE`, and of this one, in one group and
//! on one database. `tests/upgrade/build.sh` builds the former.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use meterhouse_localstack::local_dir;
use meterhouse_tests::{Kinds, Mix, Poller, Publisher, Service, Site, audit, check};

const SEED: u64 = 7;
const RECORDS: usize = 1500;

/// The program of before.
fn old() -> Result<PathBuf> {
    let program = local_dir().join("upgrade/meterhouse");
    ensure!(program.exists(), "it was not built: tests/upgrade/build.sh");
    Ok(program)
}

struct Load {
    publisher: Publisher,
    mixes: [Mix; 2],
}

impl Load {
    /// Publishes some more, and waits until the group has stored it.
    fn publish(&mut self, site: &Site) -> Result<()> {
        for mix in &mut self.mixes {
            self.publisher.publish(&mix.take(RECORDS))?;
        }
        site.wait_consumed()
    }
}

fn ends_well(service: &mut Service) -> Result<()> {
    let status = service.terminate()?;
    ensure!(status.code() == Some(0), "it ended with {status}:\n{}", service.log_tail());
    Ok(())
}

/// One process after the other is replaced, while usage comes and somebody asks all the time.
#[test]
fn old_and_new_processes_work_side_by_side() -> Result<()> {
    let mut site = Site::new("upgrade")?;
    site.set("ingest.batch_rows", 300)?;
    let old = old()?;
    let start_old = |command: &str, log: &str| site.start_program(&old, &[command], log);
    let mut before = [start_old("serve", "old-serve")?, start_old("ingest", "old-ingest")?];
    before.iter_mut().try_for_each(Service::wait_ready)?;

    let now_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let growing = Mix::new("g", SEED, 4, Kinds::GROWING, now_ms);
    let mut api = start_old("api", "api")?;
    api.wait_ready()?;
    let poller = Poller::start(api.client(), site.token(), growing.customers());
    let changing = Mix::new("x", SEED, 4, Kinds::CHANGING, now_ms);
    let mut load = Load { publisher: site.publisher()?, mixes: [growing, changing] };
    load.publish(&site)?;

    // Migrations come first, and old processes go on under them.
    let migrated = site.run(&["migrate"])?;
    ensure!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    load.publish(&site)?;
    let mut after = vec![site.start(&["serve"], "new-serve")?];
    after[0].wait_ready()?;
    load.publish(&site)?;
    ends_well(&mut before[0])?;
    load.publish(&site)?;
    api.be_program(None);
    ends_well(&mut api)?;
    api.start_again()?;
    api.wait_ready()?;
    after.push(site.start(&["ingest"], "new-ingest")?);
    load.publish(&site)?;
    ends_well(&mut before[1])?;
    load.publish(&site)?;

    for mix in &mut load.mixes {
        load.publisher.publish(&mix.finish(0))?;
    }
    let expected = check::all_is_as_expected_rolled_up(&site, &api.client())?;
    poller.finish()?.is_within(&expected)?;
    audit::verify(&site)?;

    // The way back: nothing that the new ones have written is beyond the old ones.
    let mut back = start_old("serve", "back")?;
    back.wait_ready()?;
    check::histories_are_as_expected(&site, &back.client(), &expected)?;
    after.iter_mut().chain([&mut api, &mut back]).try_for_each(ends_well)?;
    Ok(())
}
