//! Whether the process is ready for work, and what is in the way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{IntGaugeVec, Opts};
use serde::Serialize;

use crate::reply;

/// Paths of the two routes.
pub(crate) const PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// What a check shows before its first result.
const NOT_CHECKED: &str = "not checked yet";
/// What a check shows while all is well.
const OK: &str = "ok";

/// The state of everything that the process needs, by name of the check. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Health {
    checks: Arc<Mutex<BTreeMap<&'static str, Result<(), String>>>>,
}

/// The body of `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// True when every check is well.
    pub ready: bool,
    /// `ok`, or what is wrong, by name of the check.
    pub checks: BTreeMap<&'static str, String>,
}

impl Health {
    /// Begins with the named checks, none of which is well before it says so: a process that has not looked is not
    /// ready.
    pub fn new(checks: &[&'static str]) -> Self {
        let checks = checks.iter().map(|name| (*name, Err(NOT_CHECKED.to_owned()))).collect();
        Self { checks: Arc::new(Mutex::new(checks)) }
    }

    /// Notes a check's latest result. The text of an error is shown to whoever can reach the listener: it names what is
    /// wrong and holds no secret.
    pub fn set(&self, check: &'static str, result: Result<(), String>) {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).insert(check, result);
    }

    /// True when every check is well.
    pub fn ready(&self) -> bool {
        self.report().ready
    }

    /// Registers `meterhouse_ready{check}`, which tells what `/readyz` does.
    ///
    /// # Errors
    /// A metric of the same name is registered already.
    pub fn register(&self, registry: &prometheus::Registry) -> Result<(), prometheus::Error> {
        let opts = Opts::new("meterhouse_ready", "1 while a check of /readyz is well, 0 while it is not.");
        let gauge = IntGaugeVec::new(opts, &["check"])?;
        registry.register(Box::new(ReadyGauge { gauge, health: self.clone() }))
    }

    /// All checks, as `/readyz` shows them.
    pub fn report(&self) -> Readiness {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = |result: &Result<(), String>| result.as_ref().err().map_or(OK, String::as_str).to_owned();
        Readiness {
            ready: checks.values().all(Result::is_ok),
            checks: checks.iter().map(|(name, result)| (*name, shown(result))).collect(),
        }
    }
}

/// The checks as of the moment of the question.
struct ReadyGauge {
    gauge: IntGaugeVec,
    health: Health,
}

impl Collector for ReadyGauge {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let checks = self.health.checks.lock().unwrap_or_else(PoisonError::into_inner);
        for (check, result) in checks.iter() {
            self.gauge.with_label_values(&[check]).set(i64::from(result.is_ok()));
        }
        self.gauge.collect()
    }
}

/// `/healthz` and `/readyz`, the same on every listener.
pub(crate) fn routes(health: Health) -> Router {
    let [alive_path, ready_path] = PATHS;
    Router::new().route(alive_path, get(alive)).route(ready_path, get(readiness)).with_state(health)
}

#[derive(Serialize)]
struct Alive {
    alive: bool,
}

async fn alive() -> Response {
    reply::json(StatusCode::OK, &Alive { alive: true })
}

async fn readiness(State(health): State<Health>) -> Response {
    let report = health.report();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    reply::json(status, &report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_only_when_every_check_has_said_so() {
        let health = Health::new(&["kafka", "clickhouse"]);
        assert!(!health.ready());
        health.set("kafka", Ok(()));
        assert!(!health.ready());
        health.clone().set("clickhouse", Ok(()));
        assert!(health.ready());
        health.set("clickhouse", Err("connection refused".into()));
        let report = serde_json::to_string(&health.report()).unwrap();
        assert_eq!(report, r#"{"ready":false,"checks":{"clickhouse":"connection refused","kafka":"ok"}}"#);
    }

    #[test]
    fn the_gauge_tells_the_same_at_the_moment_of_the_question() {
        let (registry, health) = (prometheus::Registry::new(), Health::new(&["kafka"]));
        health.register(&registry).unwrap();
        let told = || registry.gather()[0].get_metric()[0].get_gauge().get_value();
        assert!(told() < 0.5);
        health.set("kafka", Ok(()));
        assert!(told() > 0.5);
    }
}
