//! The long-running commands: configuration -> parts -> run -> drain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use meterhouse_api::{
    ApiState, Authority, Health, Limits, RateLimit, Slots, Transport, UsageWriter, ops_router, router,
};
use meterhouse_ingest::{KafkaProbe, SWEEP_CHECK, SweepMetrics, TopicProducer};
use meterhouse_model::Rules;
use meterhouse_query::rollup::RollupMetrics;
use meterhouse_query::{History, Usages};
use meterhouse_store::Store;
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::failure::{ExitKind, Failure};
use crate::files::Files;
use crate::metrics::{FileMetrics, register_certificate_expiry, register_process};
use crate::parts::{Parts, done};
use crate::rules::RuleSource;
use crate::{certificate, ingest, probes, rollup, runtime, schema, shutdown, sweep, verify};

/// What is still blocked at the end, such as a question to a server that does not answer, is left behind after this time.
const LEAVE_BEHIND: Duration = Duration::from_secs(1);

/// What a process does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Roles {
    /// Reads Kafka into ClickHouse.
    pub(crate) ingests: bool,
    /// Answers customers.
    pub(crate) answers: bool,
    /// Sums up days.
    pub(crate) rolls_up: bool,
    /// Migrates an empty database.
    pub(crate) migrates: bool,
    /// Answers without credentials.
    pub(crate) is_insecure: bool,
}

/// Runs until a signal, or until going on is impossible.
///
/// # Errors
/// What is wrong. Servers that cannot be reached are waited for.
pub(crate) fn run(config: Config, roles: Roles) -> Result<(), Failure> {
    check_insecure(&config, roles)?;
    let files = Files::load(&config)?;
    let (answers, background) = (runtime::of_answers()?, runtime::behind_answers()?);
    let outcome = answers.block_on(serve(Arc::new(config), roles, files, background.handle().clone()));
    background.shutdown_timeout(LEAVE_BEHIND);
    answers.shutdown_timeout(LEAVE_BEHIND);
    outcome
}

fn check_insecure(config: &Config, roles: Roles) -> Result<(), Failure> {
    let listen = config.http.listen;
    if roles.is_insecure && !listen.ip().is_loopback() {
        let text = format!("--insecure-no-auth needs a loopback address, but http.listen is {listen}");
        return Err(Failure::new(ExitKind::Usage, anyhow!(text)));
    }
    Ok(())
}

async fn serve(config: Arc<Config>, roles: Roles, files: Files, background: Handle) -> Result<(), Failure> {
    let shutdown = shutdown::on_signals()?;
    let registry = Registry::new();
    let health = health(roles);
    let metrics = Metrics::register(&registry, &config, roles, &health).context("cannot register metrics")?;
    let store = Store::new(&config.clickhouse.store_config(), metrics.store.clone());
    let mut parts = Parts::new(shutdown.clone(), background);

    let listener = bind("metrics", config.metrics.listen).await?;
    let operators = ops_router(health.clone(), registry.clone());
    let (plain, limits) = (Transport::Plain, Limits::default());
    parts.run(done(meterhouse_api::serve(listener, plain, operators, limits, shutdown.clone())));
    let mut source = RuleSource::new(&config, &files);
    let (sender, rules) = watch::channel(source.current());
    parts.run(done(source.watch(sender, shutdown.clone())));
    if let Some(metrics) = metrics.api {
        let listener = bind("http", config.http.listen).await?;
        let state = api_state(&config, roles, &files, &store, rules.clone(), &health, metrics);
        let limits = config.http.limits();
        let transport = transport(&config, &files, &registry, &mut parts)?;
        parts.run(done(state.writer.clone().mend(shutdown.clone())));
        let routes = router(state);
        parts.run(done(meterhouse_api::serve(listener, transport, routes, limits, shutdown.clone())));
    }
    parts.run(done(probes::clickhouse(store.clone(), health.clone(), shutdown.clone())));
    if roles.answers && !roles.ingests {
        parts.run(wait_for_schema(Arc::clone(&config), roles, store, health.clone(), shutdown.clone()));
    }
    if let Some(path) = files.missing_credentials().filter(|_| roles.answers && !roles.is_insecure) {
        tracing::warn!(path = %path.display(), "there is no credentials file: every request is refused");
    }
    let owners = verify::Owners { registry: files.subscriptions(), zone: Arc::clone(&config.billing.zone) };
    parts.run(done(files.watch(metrics.files, shutdown)));
    start_background(&config, roles, metrics.background, rules, owners, &health, &mut parts)?;
    parts.ended().await
}

/// Starts what no customer waits for. Its statements have connections of their own: one is driven by the threads of whoever
/// opened it, and an answer is not to wait for a thread that lets others go first.
fn start_background(
    config: &Arc<Config>,
    roles: Roles,
    metrics: BackgroundMetrics,
    rules: watch::Receiver<Arc<Rules>>,
    owners: verify::Owners,
    health: &Health,
    parts: &mut Parts,
) -> Result<(), Failure> {
    let store = Store::new(&config.clickhouse.store_config(), metrics.store);
    let shutdown = parts.shutdown.clone();
    let shared = || (Arc::clone(config), store.clone(), health.clone());
    if let Some((metrics_of_sweep, metrics_of_rollup)) = metrics.rollup {
        let (config, store, health) = shared();
        parts.run_behind(sweep::work(config, store, health, metrics_of_sweep, shutdown.clone()));
        let (config, store, health) = shared();
        parts.run_behind(rollup::work(config, store, health, metrics_of_rollup, shutdown.clone()));
    }
    if let Some(metrics) = metrics.ingest.filter(|_| roles.ingests) {
        let kafka = config.kafka.client_config(&config.ingest);
        let probe = KafkaProbe::new(&kafka, metrics.clone()).context("kafka")?;
        parts.run(done(probes::kafka(probe, health.clone(), shutdown.clone())));
        let (config, store, health) = shared();
        let migrates = roles.migrates;
        parts.run_behind(ingest::work(config, store, health, migrates, rules, metrics, shutdown.clone()));
    }
    if let Some(metrics) = metrics.verify {
        let schedule = verify::Schedule::new(store.clone(), Arc::clone(config), owners, metrics);
        parts.run_behind(done(schedule.run(shutdown)));
    }
    Ok(())
}

/// The metrics of all crates. What a process does not do it does not tell of either: where nobody audits, say, a time of
/// the last audit would always be too long ago.
struct Metrics {
    store: meterhouse_store::Metrics,
    api: Option<meterhouse_api::Metrics>,
    files: FileMetrics,
    background: BackgroundMetrics,
}

/// Those of what no customer waits for.
struct BackgroundMetrics {
    store: meterhouse_store::Metrics,
    /// Of the pipeline; the sweep counts conflicts there, too.
    ingest: Option<meterhouse_ingest::Metrics>,
    rollup: Option<(SweepMetrics, RollupMetrics)>,
    /// Whoever migrates audits as well.
    verify: Option<verify::Metrics>,
}

impl Metrics {
    fn register(
        registry: &Registry,
        config: &Config,
        roles: Roles,
        health: &Health,
    ) -> Result<Self, prometheus::Error> {
        register_process(registry)?;
        health.register(registry)?;
        let ingest = || meterhouse_ingest::Metrics::register(registry, &config.kafka.topic);
        let ingest = (roles.ingests || roles.rolls_up).then(ingest).transpose()?;
        let rollup = |pipeline| -> Result<_, prometheus::Error> {
            Ok((SweepMetrics::register(registry, pipeline)?, RollupMetrics::register(registry)?))
        };
        let store = meterhouse_store::Metrics::register(registry)?;
        let background = BackgroundMetrics {
            store: store.clone(),
            rollup: ingest.as_ref().filter(|_| roles.rolls_up).map(rollup).transpose()?,
            ingest,
            verify: roles.migrates.then(|| verify::Metrics::register(registry)).transpose()?,
        };
        Ok(Self {
            store,
            api: roles.answers.then(|| meterhouse_api::Metrics::register(registry)).transpose()?,
            files: FileMetrics::register(registry)?,
            background,
        })
    }
}

fn health(roles: Roles) -> Health {
    let mut checks = vec![probes::CLICKHOUSE, schema::CHECK];
    if roles.ingests {
        checks.extend([probes::KAFKA, "partitions", "ingest"]);
    }
    if roles.rolls_up {
        checks.extend([rollup::CHECK, SWEEP_CHECK]);
    }
    Health::new(&checks)
}

async fn bind(name: &'static str, listen: SocketAddr) -> Result<TcpListener, Failure> {
    let failed = || format!("cannot listen on {listen} ({name}.listen)");
    let listener = TcpListener::bind(listen).await.with_context(failed)?;
    let address: SocketAddr = listener.local_addr().with_context(failed)?;
    tracing::info!(listener = name, %address, "listening");
    Ok(listener)
}

/// How customers reach the service: with TLS where a certificate is configured.
fn transport(
    config: &Config,
    files: &Files,
    registry: &Registry,
    parts: &mut Parts,
) -> Result<Transport, Failure> {
    if config.http.tls.is_none() {
        return Ok(Transport::Plain);
    }
    let expiry = register_certificate_expiry(registry).context("cannot register metrics")?;
    parts.run(done(certificate::watch(files.certificate(), expiry, parts.shutdown.clone())));
    Ok(Transport::Tls(files.certificate()))
}

fn api_state(
    config: &Config,
    roles: Roles,
    files: &Files,
    store: &Store,
    rules: watch::Receiver<Arc<Rules>>,
    health: &Health,
    metrics: meterhouse_api::Metrics,
) -> ApiState {
    let zone = Arc::clone(&config.billing.zone);
    let usages = Usages::new(store.clone(), Arc::clone(&zone), files.subscriptions());
    let slots = Slots::new(config.http.max_concurrent_requests);
    let producer = TopicProducer::new(&config.kafka.client_config(&config.ingest));
    let authority =
        if roles.is_insecure { Authority::Insecure } else { Authority::Credentials(files.credentials()) };
    ApiState {
        history: History::new(
            store.clone(),
            zone,
            files.catalog(),
            files.subscriptions(),
            config.rollup.margin,
        ),
        writer: UsageWriter::new(producer, usages.clone(), rules, config.api.visible_wait, slots.clone()),
        usages,
        authority,
        checkout_clock_skew: config.api.checkout_clock_skew,
        rate_limit: RateLimit::new(config.api.rate_per_second, config.api.rate_burst),
        limits: config.http.limits(),
        slots,
        health: health.clone(),
        metrics,
    }
}

async fn wait_for_schema(
    config: Arc<Config>,
    roles: Roles,
    store: Store,
    health: Health,
    shutdown: CancellationToken,
) -> Result<(), Failure> {
    schema::wait_until_ready(&store, &config, roles.migrates, &health, &shutdown).await?;
    Ok(())
}
