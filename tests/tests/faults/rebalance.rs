//! Members of the group come and go during a load.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use meterhouse_tests::{Kinds, Mix, Poller, Service, Site, check, shared};
use nix::sys::signal::Signal;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::rig::{configured, ends_well, now_ms};

const SEED: u64 = 3;
const STORM: Duration = Duration::from_secs(25);
/// Longest pause between two comings or goings.
const PAUSE_MS: u64 = 500;
const MEMBERS_MAX: usize = 4;
const RECORDS_A_STEP: usize = 100;

/// The members of a group.
struct Members<'s> {
    site: &'s Site,
    staying: Vec<Service>,
    leaving: Vec<Service>,
    started: usize,
}

impl Members<'_> {
    fn join(&mut self) -> Result<()> {
        self.started += 1;
        self.staying.push(self.site.start(&["ingest"], &format!("member-{}", self.started))?);
        Ok(())
    }

    fn leave(&mut self, index: usize, is_asked: bool) -> Result<()> {
        let mut service = self.staying.swap_remove(index);
        match is_asked {
            true => {
                service.signal(Signal::SIGTERM)?;
                self.leaving.push(service);
            }
            false => service.kill()?,
        }
        Ok(())
    }
}

#[test]
fn members_come_and_go() -> Result<()> {
    let mut site = configured(shared().kafka(), shared().clickhouse(), "members")?;
    site.set("ingest.session_timeout_ms", 1500)?;
    assert!(site.run(&["migrate"])?.status.success());
    let mut api = site.start(&["api"], "api")?;
    api.wait_ready()?;
    let mut mix = Mix::new("c", SEED, 4, Kinds::GROWING, now_ms()? - 1_000_000);
    let poller = Poller::start(api.client(), site.token(), mix.customers());
    let publisher = site.publisher()?;
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut members = Members { site: &site, staying: Vec::new(), leaving: Vec::new(), started: 0 };
    let begun = Instant::now();
    while begun.elapsed() < STORM {
        let count = members.staying.len();
        if count < 2 || count < MEMBERS_MAX && random.random_bool(0.5) {
            members.join()?;
        } else {
            members.leave(random.random_range(0..count), random.random_bool(0.6))?;
        }
        publisher.publish(&mix.take(RECORDS_A_STEP))?;
        thread::sleep(Duration::from_millis(random.random_range(0..PAUSE_MS)));
    }
    assert!(site.committed()?.iter().sum::<i64>() > 0, "nobody came to store anything");
    let expected = check::all_is_as_expected(&site, &api.client())?;
    poller.finish()?.is_within(&expected)?;
    assert!(members.started > 20, "hardly a storm: {}", members.started);
    let Members { staying, leaving, .. } = members;
    for mut service in leaving {
        let status = service.wait_end()?;
        assert_eq!(status.code(), Some(0), "{}", service.log_tail());
    }
    staying.into_iter().try_for_each(ends_well)?;
    ends_well(api)
}
