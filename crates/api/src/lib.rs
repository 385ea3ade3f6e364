//! Everything HTTP: routes, credentials, health and metrics.
//!
//! Two listeners: [`router()`] answers customers, [`ops_router`] whoever runs the service; [`serve()`] serves either
//! with a limit on everything that a client may send.

mod asset;
mod auth;
mod body;
mod checkout;
mod clock;
mod cloudflare;
mod headers;
mod health;
mod limits;
mod metrics;
mod observe;
mod openapi;
mod placewise;
mod query;
mod read;
mod reply;
mod router;
mod serve;
mod tls;
mod ui;
mod writes;

pub use auth::{Authority, Credentials, CredentialsError, RateLimit, SecretPlace};
pub use health::{Health, Readiness};
pub use limits::{Limits, Slots};
pub use metrics::Metrics;
pub use router::{ApiState, ops_router, router};
pub use serve::serve;
pub use tls::{Identity, IdentityError, Transport};
pub use writes::UsageWriter;

/// Target of the audit log's lines, which are written whatever level the log has.
pub const AUDIT_TARGET: &str = "meterhouse::audit";
