//! One log line and two metrics for every request.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use crate::auth::Principal;
use crate::{Metrics, health};

/// Route label of a request that no route of ours matches.
const UNMATCHED: &str = "unmatched";

/// Name of the principal that a request turned out to be from. A handler leaves it in the answer's extensions.
#[derive(Debug, Clone)]
struct Caller(Arc<str>);

/// Leaves the name of whoever asked in an answer, if it is known.
pub(crate) fn called_by(principal: Option<&Principal>, mut response: Response) -> Response {
    if let Some(principal) = principal {
        response.extensions_mut().insert(Caller(principal.name()));
    }
    response
}

/// Counts and logs a request. Neither its headers nor its query go into the log, and no text of its path: they are
/// the client's, and may hold secrets.
pub(crate) async fn observe(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method_label(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = matched.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let elapsed = started.elapsed();
    metrics.answered(route, method, response.status().as_str(), elapsed);
    let principal = response.extensions().get::<Caller>().map_or("", |caller| &caller.0);
    let (status, elapsed_ms) = (response.status(), elapsed.as_secs_f64() * 1000.0);
    if health::PATHS.contains(&route) && status.is_success() {
        // Asked every few seconds, for ever.
        tracing::debug!(route, method, status = status.as_u16(), elapsed_ms, "answered a request");
    } else {
        tracing::info!(route, method, status = status.as_u16(), principal, elapsed_ms, "answered a request");
    }
    response
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
