//! The wire fails, on either hop, in every way that a proxy can; somebody asks for histories all the while.

use std::time::Duration;

use anyhow::Result;
use meterhouse_localstack::{Kafka, KafkaOptions, Port, ProxiedListener};
use meterhouse_tests::{Kinds, Mix, Mode, Poller, Proxy, Service, Site, check, shared, wait};

use crate::rig::{configured, ends_well, now_ms};

/// Records before a fault, and in it.
const RECORDS: usize = 1500;
const DELAY: Duration = Duration::from_millis(150);
/// Connections that break before the wire is whole again.
const BREAKS: u64 = 4;
/// Inserts that fail before it is.
const RETRIES: u64 = 2;

/// A site whose process is reached, or reaches others, through a proxy.
struct Wired {
    site: Site,
    mix: Mix,
    proxy: Proxy,
}

impl Wired {
    fn new(site: Site, proxy: Proxy) -> Result<Self> {
        let mix = Mix::new("c", 11, 4, Kinds::GROWING, now_ms()? - 1_000_000);
        Ok(Self { site, mix, proxy })
    }

    fn publish(&mut self) -> Result<()> {
        self.site.publisher()?.publish(&self.mix.take(RECORDS))
    }

    /// The wire fails in a way in the middle of a load until `is_felt` returns, then it is whole again.
    fn endures(
        &mut self,
        service: &mut Service,
        mode: Mode,
        is_felt: impl FnOnce(&Proxy, &mut Service) -> Result<()>,
    ) -> Result<()> {
        self.publish()?;
        self.proxy.set(mode);
        self.publish()?;
        is_felt(&self.proxy, service)?;
        self.proxy.set(Mode::Pass);
        service.wait_ready()?;
        check::all_is_as_expected(&self.site, &service.client())?;
        Ok(())
    }
}

#[test]
fn to_clickhouse() -> Result<()> {
    let proxy = Proxy::to(shared().clickhouse().http_port())?;
    let mut site = configured(shared().kafka(), shared().clickhouse(), "wire_to_clickhouse")?;
    site.set("ingest.batch_rows", 200)?;
    site.set("clickhouse.url", format!("http://{}", proxy.address()))?;
    let mut wired = Wired::new(site, proxy)?;
    let mut service = wired.site.serve()?;
    let poller = Poller::start(service.client(), wired.site.token(), wired.mix.customers());
    let breaking = [Mode::Cut, Mode::DropAnswers, Mode::HalfWrite(5000), Mode::HalfWrite(600)];
    for mode in breaking.into_iter().chain([Mode::Stall]) {
        let before = service.metric("meterhouse_retries_total", &[])?;
        wired.endures(&mut service, mode, |_, service| {
            let retries = || service.metric("meterhouse_retries_total", &[]);
            let what = format!("inserts to be tried again: {mode:?}");
            wait::until_is(&what, retries, |retries| *retries >= before + RETRIES).map(|_| ())
        })?;
    }
    let topic = wired.site.name.clone();
    wired.endures(&mut service, Mode::Delay(DELAY), |_, service| {
        let lag = || service.metric("meterhouse_lag_records", &[("topic", &topic)]);
        wait::until_is("everything to be read, if slowly", lag, |lag| *lag == 0).map(|_| ())
    })?;
    let seen = poller.finish()?;
    seen.is_within(&wired.site.expected()?)?;
    assert!(seen.refusals > 0 && seen.silences == 0, "{seen:?}");
    ends_well(service)
}

#[test]
fn to_kafka() -> Result<()> {
    let behind = Port::free()?;
    let proxy = Proxy::to(behind.number())?;
    let listener = ProxiedListener { port: behind.number(), advertised_port: proxy.port() };
    let kafka = Kafka::launch(KafkaOptions { proxied: Some(listener), ..KafkaOptions::default() })?;
    let mut site = configured(&kafka, shared().clickhouse(), "wire_to_kafka")?;
    site.set("kafka.brokers", proxy.address())?;
    let mut wired = Wired::new(site, proxy)?;
    let mut service = wired.site.serve()?;
    let poller = Poller::start(service.client(), wired.site.token(), wired.mix.customers());
    for mode in [Mode::Cut, Mode::DropAnswers, Mode::HalfWrite(50)] {
        let before = wired.proxy.broken();
        wired.endures(&mut service, mode, |proxy, _| {
            let what = format!("connections to break: {mode:?}");
            wait::until(&what, || (proxy.broken() >= before + BREAKS).then_some(()))
        })?;
    }
    wired.endures(&mut service, Mode::Stall, |_, service| {
        service.wait_fault("kafka", "no broker answers").map(|_| ())
    })?;
    wired.endures(&mut service, Mode::Delay(DELAY), |_, _| Ok(()))?;
    let seen = poller.finish()?;
    seen.is_within(&wired.site.expected()?)?;
    assert_eq!(seen.silences, 0, "{seen:?}");
    ends_well(service)
}
