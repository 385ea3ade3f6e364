//! Answers in JSON, and the error shape that all routes without a family of their own share.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// `{"error":"..."}`.
#[derive(Debug, Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
}

/// An answer with a JSON body. Nothing that this service says may be kept by a cache: it is about one customer, now.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let Ok(bytes) = serde_json::to_vec(body) else {
        // Plain structs with text keys: there is no way for them to fail.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    never_kept(response)
}

/// An answer `{"error":"..."}`.
pub(crate) fn error(status: StatusCode, message: &str) -> Response {
    json(status, &ErrorBody { error: message })
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    never_kept(status.into_response())
}

fn never_kept(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
