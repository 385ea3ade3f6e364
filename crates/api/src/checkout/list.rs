//! `GET .../usages`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::refusal::Refusal;
use super::usage::Item;
use super::{parameters, path, request};
use crate::auth::Principal;
use crate::observe::called_by;
use crate::read::in_time;
use crate::{ApiState, reply};

/// Pages behind this one are empty, too: no offset is beyond what the database counts with.
const OFFSET_MAX: u64 = 1 << 48;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    items: Vec<Item>,
    pagination: Pagination,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pagination {
    page: u64,
    limit: u64,
    /// Of all usages that match.
    count: u64,
}

/// Answers with a page of a subscription's usages.
pub(super) async fn list(State(state): State<ApiState>, request: Request) -> Response {
    let mut caller = None;
    let outcome = answer(&state, request, &mut caller).await;
    called_by(caller.as_ref(), outcome.unwrap_or_else(Refusal::into_response))
}

async fn answer(
    state: &ApiState,
    request: Request,
    caller: &mut Option<Principal>,
) -> Result<Response, Refusal> {
    let mut authorized = request::authorize(state, request, request::READ, caller)?;
    let reference = path::subscription(&mut authorized.parts).await?;
    let zone = state.usages.zone();
    let query = authorized.parts.uri.query().unwrap_or_default();
    let parameters = parameters::parse(query, zone)?;
    let (page, limit) = (parameters.page, parameters.limit);
    let offset = (page - 1).saturating_mul(limit).min(OFFSET_MAX);
    let customers = authorized.principal.customers();
    let read = state.usages.page(&customers, &reference, &parameters.filter, offset, limit);
    let found = in_time(&state.slots, "page of usages", read).await.ok_or(Refusal::Unavailable)?;
    let (usages, count) = found.ok_or(Refusal::NoSubscription)?;
    let items: Option<_> = usages.into_iter().map(|usage| Item::of(usage, &reference, zone)).collect();
    let items = items.ok_or(Refusal::Unavailable)?;
    Ok(reply::json(StatusCode::OK, &Page { items, pagination: Pagination { page, limit, count } }))
}
