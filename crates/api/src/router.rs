//! Which path leads where.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use meterhouse_query::{History, Usages};
use prometheus::TextEncoder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::observe::observe;
use crate::{
    Authority, Health, Limits, Metrics, RateLimit, Slots, UsageWriter, checkout, cloudflare, health, openapi,
    placewise, reply, ui,
};

/// What the handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// Where the numbers come from.
    pub history: History,
    /// Where single usages come from.
    pub usages: Usages,
    /// Where usages go.
    pub writer: UsageWriter,
    /// Who may see them.
    pub authority: Authority,
    /// How far the clock of a client that signs its requests may be off, either way.
    pub checkout_clock_skew: Duration,
    /// How often.
    pub rate_limit: RateLimit,
    /// How much of a body is read, and for how long.
    pub limits: Limits,
    /// How many of them are worked on at a time.
    pub slots: Slots,
    /// Whether the process is ready.
    pub health: Health,
    /// What is counted.
    pub metrics: Metrics,
}

/// The routes for customers, their document, the page that asks them, and `/healthz` and `/readyz`.
pub fn router(state: ApiState) -> Router {
    let health = health::routes(state.health.clone());
    let metrics = state.metrics.clone();
    Router::new()
        .route(placewise::PATH, get(placewise::show).head(only_get).fallback(only_get))
        .merge(checkout::routes())
        .merge(cloudflare::routes())
        .with_state(state)
        .merge(health)
        .merge(openapi::routes())
        .merge(ui::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(metrics, observe))
}

/// The routes for whoever runs the service: `/metrics`, `/healthz` and `/readyz`.
pub fn ops_router(health: Health, registry: prometheus::Registry) -> Router {
    Router::new()
        .route("/metrics", get(exposition))
        .with_state(registry)
        .merge(health::routes(health))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(CatchPanicLayer::custom(panicked))
}

async fn exposition(State(registry): State<prometheus::Registry>) -> Response {
    match TextEncoder::new().encode_to_string(&registry.gather()) {
        Ok(text) => ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot encode the metrics");
            reply::error(StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
        }
    }
}

async fn not_found() -> Response {
    reply::error(StatusCode::NOT_FOUND, "No such resource")
}

async fn method_not_allowed() -> Response {
    reply::error(StatusCode::METHOD_NOT_ALLOWED, "Method is not possible for this resource")
}

/// For a route that is documented with GET alone; the framework would answer HEAD, too.
async fn only_get() -> Response {
    let mut response = method_not_allowed().await;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    response
}

/// No handler of ours panics. If one does, its client gets an answer all the same; the panic itself is on the standard
/// error stream.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    reply::error(StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
}
