//! A process for each task, and two that answer: what one of these writes the other one reads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

use anyhow::{Result, anyhow};
use meterhouse_tests::usages::Usages;
use meterhouse_tests::{Reply, Service, Site, Token, audit, check, wait};
use nix::sys::signal::Signal;

use super::TOKEN;

/// A site's processes.
pub(super) struct Apart {
    pub(super) site: Site,
    pub(super) ingest: Service,
    rollup: Service,
    pub(super) apis: [Service; 2],
}

/// A site whose customer `c` has these subscriptions.
pub(super) fn configured(name: &str, subscriptions: &[&str]) -> Result<Site> {
    let mut site = Site::new(name)?;
    let tokens = [Token::new("mh_test"), Token::for_usages(TOKEN, &["*"]), Token::for_bill("mh_bill", "c")];
    site.write_credentials(&tokens)?;
    let rows = subscriptions.iter().map(|name| format!("{name},c,2026-01-01T00:00:00Z,\n"));
    let csv = format!("subscription,customer,start,expires\n{}", rows.collect::<String>());
    site.write_subscriptions(&csv)?;
    // Whoever comes after a killed process waits so long for its partitions, and whoever writes waits for that.
    site.set("ingest.session_timeout_ms", 1500)?;
    site.set("api.visible_wait_ms", 30_000)?;
    Ok(site)
}

/// A request that is sent in a thread of its own.
pub(super) type Send<'s> = &'s (dyn Fn() -> Result<Reply> + Sync);

impl Apart {
    /// Processes of a new site, whose customer `c` has these subscriptions.
    pub(super) fn new(name: &str, subscriptions: &[&str]) -> Result<Self> {
        Self::start(configured(name, subscriptions)?)
    }

    /// The processes of a site.
    pub(super) fn start(site: Site) -> Result<Self> {
        assert!(site.run(&["migrate"])?.status.success());
        let mut ingest = site.start(&["ingest"], "ingest")?;
        let mut rollup = site.start(&["rollup"], "rollup")?;
        let mut apis = [site.start(&["api"], "api-0")?, site.start(&["api"], "api-1")?];
        for service in apis.iter_mut().chain([&mut ingest, &mut rollup]) {
            service.wait_ready()?;
        }
        Ok(Self { site, ingest, rollup, apis })
    }

    /// A client of each process that answers.
    pub(super) fn usages(&self) -> [Usages; 2] {
        [0, 1].map(|number| Usages::new(self.apis[number].client(), TOKEN))
    }

    /// Sends requests, each of which writes a record, so that none of them sees what another has written: nothing is stored
    /// until all are on the topic, in this order.
    pub(super) fn collide(&self, requests: &[Send<'_>]) -> Result<Vec<Reply>> {
        self.ingest.signal(Signal::SIGSTOP)?;
        let records = self.site.log()?.len();
        thread::scope(|scope| {
            let mut sending = Vec::new();
            let mut written = Ok(());
            for (request, number) in requests.iter().zip(1..) {
                sending.push(scope.spawn(request));
                written = written.and_then(|()| self.wait_logged(records + number));
            }
            self.ingest.signal(Signal::SIGCONT)?;
            written?;
            sending.into_iter().map(joined).collect()
        })
    }

    /// Waits until the topic has so many records.
    pub(super) fn wait_logged(&self, records: usize) -> Result<()> {
        let logged = || Ok(self.site.log()?.len());
        wait::until_is(&format!("{records} records on the topic"), logged, |logged| *logged >= records)
            .map(|_| ())
    }

    /// Everything is as the oracle says of the topic, behind the answers too, and all processes end with 0.
    pub(super) fn ends_well(mut self) -> Result<()> {
        for service in &self.apis {
            check::all_is_as_expected(&self.site, &service.client())?;
        }
        audit::verify(&self.site)?;
        for service in self.apis.iter_mut().chain([&mut self.ingest, &mut self.rollup]) {
            let status = service.terminate()?;
            assert_eq!(status.code(), Some(0), "{}", service.log_tail());
        }
        Ok(())
    }
}

/// What a thread has come to.
pub(super) fn joined<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().map_err(|_| anyhow!("a thread has panicked"))?
}

/// Replaces processes so many times, one after the other, in the middle of something that counts its steps up to a number:
/// each is killed the first time, asked to end the second time, and so on.
pub(super) fn replace(
    services: &mut [&mut Service],
    times: usize,
    steps: &AtomicUsize,
    steps_max: usize,
) -> Result<()> {
    for time in 0..times {
        let due = steps_max * (time + 1) / (times + 2);
        let done = || Ok(steps.load(Ordering::Relaxed));
        wait::until_is(&format!("{due} steps"), done, |done| *done >= due)?;
        let (round, place) = (time / services.len(), time % services.len());
        let service = &mut services[place];
        match round % 2 {
            0 => service.kill()?,
            _ => assert_eq!(service.terminate()?.code(), Some(0), "{}", service.log_tail()),
        }
        service.start_again()?;
        service.wait_ready()?;
    }
    Ok(())
}
