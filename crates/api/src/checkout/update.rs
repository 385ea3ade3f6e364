//! `PUT .../usages/{UsageReference}`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use meterhouse_model::Units;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::audit::Audit;
use super::refusal::Refusal;
use super::save::told;
use super::usage::SavedUsage;
use super::{path, request};
use crate::writes::{Amendment, Visible, WriteError};
use crate::{ApiState, reply};

/// What may be changed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Changes<'b> {
    #[serde(borrow)]
    units: Option<&'b RawValue>,
    description: Option<String>,
}

/// Changes a usage.
pub(super) async fn update(State(state): State<ApiState>, request: Request) -> Response {
    let (mut audit, request) = Audit::of("usages.change", request).await;
    let outcome = answer(&state, request, &mut audit).await;
    audit.answer(outcome)
}

async fn answer(state: &ApiState, request: Request, audit: &mut Audit) -> Result<Response, Refusal> {
    let mut authorized = request::authorize(state, request, request::WRITE, &mut audit.caller)?;
    let (reference, usage) = path::usage(&mut authorized.parts).await?;
    let amendment = amendment(&request::body(state, authorized.body).await?)?;
    let principal = &authorized.principal;
    let subscription = request::subscription(state, principal, &reference).await?;
    let amending = state.writer.clone().amend(subscription, usage, amendment, principal.name());
    let amending = audit.begin().follow(amending, move |_| ("done", vec![usage]));
    let event = state.writer.to_the_end(WriteError::Unavailable, amending).await?;
    let changed = SavedUsage::of(&event, state.usages.zone()).ok_or(Refusal::Unavailable)?;
    Ok(told(Visible::Yes, reply::json(StatusCode::OK, &changed)))
}

fn amendment(body: &[u8]) -> Result<Amendment, Refusal> {
    let wrong =
        |why| Refusal::invalid(format!("The body must be an object with Units and Description: {why}"));
    let Changes { units, description } = request::object(body).map_err(wrong)?;
    let units = units.map(|raw| {
        let text: Option<String> = serde_json::from_str(raw.get()).ok();
        Units::parse(text.as_deref().unwrap_or(raw.get()))
            .map_err(|error| Refusal::invalid(format!("Units: {error}")))
    });
    Ok(Amendment { units: units.transpose()?, description })
}

#[cfg(test)]
mod tests;
