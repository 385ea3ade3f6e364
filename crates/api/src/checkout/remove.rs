//! `DELETE .../usages`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;
use super::save::told;
use super::{criteria, path, request};
use crate::auth::Principal;
use crate::observe::called_by;
use crate::writes::{Visible, WriteError};
use crate::{ApiState, reply};

/// Deletes usages of a subscription.
pub(super) async fn remove(State(state): State<ApiState>, request: Request) -> Response {
    let mut caller = None;
    let outcome = answer(&state, request, &mut caller).await;
    called_by(caller.as_ref(), outcome.unwrap_or_else(Refusal::into_response))
}

async fn answer(
    state: &ApiState,
    request: Request,
    caller: &mut Option<Principal>,
) -> Result<Response, Refusal> {
    let mut authorized = request::authorize(state, request, request::WRITE, caller)?;
    let reference = path::subscription(&mut authorized.parts).await?;
    let body = request::body(state, authorized.body).await?;
    let query = authorized.parts.uri.query().unwrap_or_default();
    let filter = criteria::read(query, &body, state.usages.zone())?;
    let principal = &authorized.principal;
    let subscription = request::subscription(state, principal, &reference).await?;
    let deleting = state.writer.clone().delete(subscription, filter, principal.name());
    state.writer.to_the_end(WriteError::Unavailable, deleting).await?;
    Ok(told(Visible::Yes, reply::empty(StatusCode::OK)))
}
