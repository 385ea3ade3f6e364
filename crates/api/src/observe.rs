//! One log line and two metrics for every request.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::auth::Principal;
use crate::{Metrics, health};

/// Route label of a request that no route of ours matches.
const UNMATCHED: &str = "unmatched";
/// Header of an answer with the id of its request.
const REQUEST_ID: &str = "x-request-id";

/// Name of the principal that a request turned out to be from. A handler leaves it in the answer's extensions.
#[derive(Debug, Clone)]
struct Caller(Arc<str>);

/// What tells a request from all others, in the log, the audit log and the header of its answer.
#[derive(Debug, Clone)]
struct RequestId(Arc<str>);

/// The id of a request that is observed; empty for any other.
pub(crate) fn request_id(request: &Request) -> Arc<str> {
    request.extensions().get::<RequestId>().map(|id| Arc::clone(&id.0)).unwrap_or_default()
}

/// Leaves the name of whoever asked in an answer, if it is known.
pub(crate) fn called_by(principal: Option<&Principal>, mut response: Response) -> Response {
    if let Some(principal) = principal {
        response.extensions_mut().insert(Caller(principal.name()));
    }
    response
}

/// Counts and logs a request. Neither its headers nor its query go into the log, and no text of its path: they are
/// the client's, and may hold secrets.
pub(crate) async fn observe(State(metrics): State<Metrics>, mut request: Request, next: Next) -> Response {
    let (started, _in_flight) = (Instant::now(), metrics.begun());
    let method = method_label(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let request_id: Arc<str> = Uuid::now_v7().to_string().into();
    request.extensions_mut().insert(RequestId(Arc::clone(&request_id)));
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let route = matched.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let elapsed = started.elapsed();
    metrics.answered(route, method, response.status().as_str(), elapsed);
    let principal = response.extensions().get::<Caller>().map_or("", |caller| &caller.0);
    let (status, elapsed_ms) = (response.status(), elapsed.as_secs_f64() * 1000.0);
    if health::PATHS.contains(&route) && status.is_success() {
        // Asked every few seconds, for ever.
        tracing::debug!(route, method, status = status.as_u16(), elapsed_ms, "answered a request");
    } else {
        let (status, request_id) = (status.as_u16(), &*request_id);
        tracing::info!(route, method, status, principal, elapsed_ms, request_id, "answered a request");
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
