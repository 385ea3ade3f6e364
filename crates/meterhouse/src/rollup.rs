//! `meterhouse rollup`: days are summed up; and `rollup rebuild`, which makes the sums of some days again.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use chrono::NaiveDate;
use clap::Args;
use meterhouse_api::Health;
use meterhouse_model::Day;
use meterhouse_query::rollup::{self, Progress, RebuildError, Report, RollupMetrics};
use meterhouse_store::{DateFilter, Store};
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::failure::{ExitKind, Failure};
use crate::runtime::runtime;
use crate::schema;

/// Name of the readiness check.
pub(crate) const CHECK: &str = "rollup";

/// Which days are made again. Without any limit: all.
#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    /// First day, in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<NaiveDate>,
    /// Last day, in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<NaiveDate>,
    /// Only usage that names this customer; the empty name stands for usage that names none
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// Only this subscription
    #[arg(long, value_name = "REFERENCE")]
    subscription: Option<String>,
    /// End as soon as the old sums are void, and leave the new ones to the running rollup
    #[arg(long)]
    no_wait: bool,
}

impl RebuildArgs {
    fn filter(&self) -> DateFilter {
        let all = DateFilter::default();
        let day = |date: NaiveDate| Day(date.to_epoch_days());
        DateFilter {
            customer: self.customer.clone(),
            subscription: self.subscription.clone(),
            // Usage is of the years 1970 to 2199.
            from: self.from.map_or(all.from, day).max(all.from),
            to: self.to.map_or(all.to, day).min(all.to),
            ..all
        }
    }
}

/// The worker, as a part of a long-running process.
///
/// # Errors
/// The schema is refused.
pub(crate) async fn work(
    config: Arc<Config>,
    store: Store,
    health: Health,
    metrics: RollupMetrics,
    shutdown: CancellationToken,
) -> Result<(), Failure> {
    let migrates = false;
    if schema::wait_until_ready(&store, &config, migrates, &health, &shutdown).await? {
        let report: Report = Arc::new(move |result| health.set(CHECK, result));
        rollup::run(store, config.rollup.worker(), metrics, report, shutdown).await;
    }
    Ok(())
}

/// Makes sums again, and says how far it is.
///
/// # Errors
/// ClickHouse cannot be reached or has no tables, or a date cannot be summed up.
pub(crate) fn rebuild(args: &RebuildArgs, config: &Config) -> Result<(), Failure> {
    let metrics = RollupMetrics::register(&Registry::new()).context("cannot register metrics")?;
    let store = schema::store(config)?;
    let runtime = runtime()?;
    let margin = config.rollup.margin;
    let waits = !args.no_wait;
    let show = |progress| match progress {
        Progress::Marked(dates) if waits && dates > 0 => {
            println!("{dates} days are marked and read from the events; they are summed up in {margin:?}");
        }
        Progress::Marked(dates) => println!("{dates} days are marked and read from the events"),
        Progress::Left(dates) => println!("{dates} days are left"),
    };
    runtime.block_on(schema::check_ready(&store, config))?;
    let rebuilt = rollup::rebuild(&store, args.filter(), margin, waits, metrics, show);
    match runtime.block_on(rebuilt) {
        Ok(()) if waits => println!("all days are summed up"),
        Ok(()) => {}
        Err(RebuildError::Store(error)) => return Err(schema::store_failure(error, config)),
        Err(error) => return Err(Failure::new(ExitKind::Finding, anyhow!(error))),
    }
    Ok(())
}
