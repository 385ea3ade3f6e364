//! Metrics, alerts and dashboards: that they fit each other, their documents, and the real service.

mod dashboards;
mod real;
mod reference;
mod rules;
mod runbook;
mod scene;
