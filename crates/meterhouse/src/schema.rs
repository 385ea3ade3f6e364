//! The tables as a process needs them, and waiting for somebody to have migrated.

use std::time::Duration;

use anyhow::{Context, anyhow};
use meterhouse_api::Health;
use meterhouse_model::BillingZone;
use meterhouse_store::{Error, ErrorClass, Metrics, SchemaState, Store};
use prometheus::Registry;
use tokio_util::sync::CancellationToken;

use crate::audit;
use crate::config::Config;
use crate::failure::{ExitKind, Failure};

/// Time between two looks at a database that is not ready.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Name of the readiness check.
pub(crate) const CHECK: &str = "schema";

/// The database, for a command that ends by itself: nobody scrapes its metrics.
///
/// # Errors
/// The metrics cannot be registered, which is a mistake in this program.
pub(crate) fn store(config: &Config) -> Result<Store, Failure> {
    let metrics = Metrics::register(&Registry::new()).context("cannot register metrics")?;
    Ok(Store::new(&config.clickhouse.store_config(), metrics))
}

/// Waits until the database is ready; migrates an empty one if that is wanted. False: the shutdown came first.
///
/// # Errors
/// Going on is refused, or waiting cannot help.
pub(crate) async fn wait_until_ready(
    store: &Store,
    config: &Config,
    migrates: bool,
    health: &Health,
    shutdown: &CancellationToken,
) -> Result<bool, Failure> {
    let mut shown = String::new();
    while !shutdown.is_cancelled() {
        match look(store, &config.billing.zone, migrates).await {
            Ok(Ok(())) => {
                health.set(CHECK, Ok(()));
                return Ok(true);
            }
            Ok(Err(missing)) => note(health, missing, &mut shown),
            Err(error) if error.class() == ErrorClass::Retryable => {
                note(health, error.to_string(), &mut shown);
            }
            Err(error) => return Err(store_failure(error, config)),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
        }
    }
    Ok(false)
}

/// Checks that the database is as this program needs it, for a command that ends by itself.
///
/// # Errors
/// It is not, or ClickHouse cannot be reached.
pub(crate) async fn check_ready(store: &Store, config: &Config) -> Result<(), Failure> {
    match look(store, &config.billing.zone, false).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(missing)) => Err(Failure::new(ExitKind::Refused, anyhow!(missing))),
        Err(error) => Err(store_failure(error, config)),
    }
}

/// Looks once. The inner error says what somebody has to do first.
async fn look(store: &Store, zone: &BillingZone, migrates: bool) -> Result<Result<(), String>, Error> {
    let state = match store.schema_state(zone).await? {
        SchemaState::Empty if migrates => {
            let migrated = store.migrate(zone).await?;
            tracing::info!(
                migrations = migrated.applied.len(),
                zone = zone.name(),
                "migrated an empty database"
            );
            audit::tell_service("tables.migrate");
            store.schema_state(zone).await?
        }
        state => state,
    };
    Ok(readiness(state))
}

/// What somebody has to do before the database can be used.
fn readiness(state: SchemaState) -> Result<(), String> {
    match state {
        SchemaState::Ready => Ok(()),
        SchemaState::Empty => Err("the database has no tables yet: run `meterhouse migrate`".to_owned()),
        SchemaState::Behind(missing) => {
            Err(format!("the database lacks {}: run `meterhouse migrate`", missing.join(", ")))
        }
        SchemaState::Elsewhere(why) => Err(elsewhere(&why)),
    }
}

/// What somebody has to do where other servers of a cluster lack tables.
pub(crate) fn elsewhere(why: &str) -> String {
    format!(
        "other servers of the cluster lack tables or cannot be reached, run `meterhouse migrate` against each: {why}"
    )
}

fn note(health: &Health, why: String, shown: &mut String) {
    if *shown != why {
        tracing::warn!(reason = why, "the database is not ready, waiting");
        shown.clone_from(&why);
    }
    health.set(CHECK, Err(why));
}

/// How a command ends because of an error of the store.
pub(crate) fn store_failure(error: Error, config: &Config) -> Failure {
    let kind = match (&error, error.class()) {
        (Error::Refused(_), _) => ExitKind::Refused,
        (_, ErrorClass::Retryable) => ExitKind::Unreachable,
        _ => ExitKind::Finding,
    };
    let text = match kind {
        ExitKind::Refused => error.to_string(),
        _ => format!("clickhouse at {}: {error}", config.clickhouse.url),
    };
    Failure::new(kind, anyhow!(text))
}
