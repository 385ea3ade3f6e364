//! The shape around every answer: `success`, `errors`, `messages` and `result`.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::reply;

#[derive(Serialize)]
struct Envelope<'a, T: Serialize> {
    success: bool,
    errors: &'a [Error],
    messages: [(); 0],
    result: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_info: Option<ResultInfo>,
}

/// One error. Codes are 1000 at least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Error {
    pub(super) code: u32,
    pub(super) message: String,
    /// What is behind it, where there is more to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) error_chain: Vec<Error>,
}

/// Where a page is in the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct ResultInfo {
    pub(super) page: u64,
    pub(super) per_page: u64,
    /// Items on this page.
    pub(super) count: u64,
    /// Items without any search parameters.
    pub(super) total_count: u64,
    /// Pages of what was searched for.
    pub(super) total_pages: u64,
}

impl Error {
    pub(super) fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), error_chain: Vec::new() }
    }
}

/// An answer with items.
pub(super) fn success(items: &[impl Serialize], info: ResultInfo) -> Response {
    let result_info = Some(info);
    reply::json(
        StatusCode::OK,
        &Envelope { success: true, errors: &[], messages: [], result: Some(items), result_info },
    )
}

/// An answer with errors, and without a result.
pub(super) fn failure(status: StatusCode, errors: &[Error]) -> Response {
    reply::json(
        status,
        &Envelope::<()> { success: false, errors, messages: [], result: None, result_info: None },
    )
}
