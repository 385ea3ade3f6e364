//! `POST .../usages`.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use meterhouse_model::Event;

use super::audit::Audit;
use super::refusal::Refusal;
use super::usage::SavedUsage;
use super::{new_usages, path, request};
use crate::clock::now_micros;
use crate::headers::single;
use crate::writes::{Key, NewUsages, Visible, WriteError};
use crate::{ApiState, reply};

const KEY: &str = "Idempotency-Key";
const KEY_BYTES_MAX: usize = 255;
const WRONG_KEY: &str = "Idempotency-Key must be given once, with 1 to 255 printable ASCII characters";

/// Saves usages of a subscription.
pub(super) async fn save(State(state): State<ApiState>, request: Request) -> Response {
    let (mut audit, request) = Audit::of("usages.add", request).await;
    let outcome = answer(&state, request, &mut audit).await;
    audit.answer(outcome)
}

async fn answer(state: &ApiState, request: Request, audit: &mut Audit) -> Result<Response, Refusal> {
    let mut authorized = request::authorize(state, request, request::WRITE, &mut audit.caller)?;
    let reference = path::subscription(&mut authorized.parts).await?;
    let key = idempotency_key(&authorized.parts.headers)?;
    let body = request::body(state, authorized.body).await?;
    let principal = &authorized.principal;
    let subscription = request::subscription_to_use(state, &principal.customers(), &reference).await?;
    let events = new_usages::read(&body, &reference, &state.writer.rules(), now_micros() / 1000)?;
    if let Some(event) = events.iter().find(|event| !subscription.admits(event)) {
        return Err(new_usages::out_of_bounds(event.index, events.len()));
    }
    let late = if key.is_some() { WriteError::Unavailable } else { WriteError::Unknown };
    let key = key.map(|text| Key { namespace: principal.namespace(), text });
    let new = NewUsages { events, key, principal: principal.name() };
    let saving = audit.begin().follow(state.writer.clone().save(subscription, new), audited);
    let (events, visible) = state.writer.to_the_end(late, saving).await?;
    let zone = state.usages.zone();
    let saved: Option<Vec<_>> = events.iter().map(|event| SavedUsage::of(event, zone)).collect();
    Ok(told(visible, reply::json(StatusCode::OK, &saved.ok_or(Refusal::Unavailable)?)))
}

/// What the audit log tells of saved usages.
fn audited((events, visible): &(Vec<Event<'static>>, Visible)) -> (&'static str, Vec<u64>) {
    let references = events.iter().map(|event| event.identity_hash().usage_reference()).collect();
    (if *visible == Visible::Yes { "done" } else { "pending" }, references)
}

/// Says in an answer whether what was written has been read back.
pub(super) fn told(visible: Visible, mut response: Response) -> Response {
    let visible = match visible {
        Visible::Yes => "yes",
        Visible::Pending => "pending",
    };
    response.headers_mut().insert("x-meterhouse-visible", HeaderValue::from_static(visible));
    response
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    if !headers.contains_key(KEY) {
        return Ok(None);
    }
    let wrong = || Refusal::invalid(WRONG_KEY);
    let key = single(headers, KEY).map_err(|_| wrong())?.ok_or_else(wrong)?;
    let is_plain = key.len() <= KEY_BYTES_MAX && key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_plain { Ok(Some(key.to_owned())) } else { Err(wrong()) }
}
