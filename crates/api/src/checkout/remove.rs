//! `DELETE .../usages`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::audit::Audit;
use super::refusal::Refusal;
use super::save::told;
use super::{criteria, path, request};
use crate::writes::{Visible, WriteError};
use crate::{ApiState, reply};

/// Deletes usages of a subscription.
pub(super) async fn remove(State(state): State<ApiState>, request: Request) -> Response {
    let (mut audit, request) = Audit::of("usages.delete", request).await;
    let outcome = answer(&state, request, &mut audit).await;
    audit.answer(outcome)
}

async fn answer(state: &ApiState, request: Request, audit: &mut Audit) -> Result<Response, Refusal> {
    let mut authorized = request::authorize(state, request, request::WRITE, &mut audit.caller)?;
    let reference = path::subscription(&mut authorized.parts).await?;
    let body = request::body(state, authorized.body).await?;
    let query = authorized.parts.uri.query().unwrap_or_default();
    let filter = criteria::read(query, &body, state.usages.zone())?;
    let principal = &authorized.principal;
    let subscription = request::subscription(state, principal, &reference).await?;
    let deleting = state.writer.clone().delete(subscription, filter, principal.name());
    let deleting = audit.begin().follow(deleting, |references| ("done", references.clone()));
    state.writer.to_the_end(WriteError::Unavailable, deleting).await?;
    Ok(told(Visible::Yes, reply::empty(StatusCode::OK)))
}
