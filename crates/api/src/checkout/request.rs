//! What all requests of this family begin with.

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use bytes::Bytes;
use meterhouse_query::{Customers, Subscription};
use serde::Deserialize;

use super::credentials;
use super::refusal::Refusal;
use crate::ApiState;
use crate::auth::Principal;
use crate::body::{BodyFault, read};
use crate::clock::now_micros;
use crate::read::in_time;

/// May read usages.
pub(super) const READ: &str = "usages:read";
/// May write usages.
pub(super) const WRITE: &str = "usages:write";

/// A request of somebody who may make it.
pub(super) struct Authorized {
    pub(super) parts: Parts,
    pub(super) body: Body,
    pub(super) principal: Principal,
}

/// Who asks, and whether that is permitted. Whoever turned out to ask stays behind in `caller`.
pub(super) fn authorize(
    state: &ApiState,
    request: Request,
    permit: &str,
    caller: &mut Option<Principal>,
) -> Result<Authorized, Refusal> {
    let (parts, body) = request.into_parts();
    let skew = state.checkout_clock_skew;
    let principal = credentials::principal(&state.authority, &parts.headers, now_micros(), skew)
        .map_err(|_| Refusal::NotAuthenticated)?;
    let principal = caller.insert(principal);
    if !principal.has_permit(permit) {
        return Err(Refusal::NotPermitted);
    }
    state.rate_limit.check(principal).map_err(Refusal::TooMany)?;
    Ok(Authorized { parts, body, principal: principal.clone() })
}

/// The subscription, if the principal's customers have it.
pub(super) async fn subscription(
    state: &ApiState,
    principal: &Principal,
    reference: &str,
) -> Result<Subscription, Refusal> {
    let customers = principal.customers();
    let found = in_time(&state.slots, "subscription", state.usages.subscription(&customers, reference)).await;
    found.ok_or(Refusal::Unavailable)?.ok_or(Refusal::NoSubscription)
}

/// The same, to add usage to it.
pub(super) async fn subscription_to_use(
    state: &ApiState,
    customers: &Customers,
    reference: &str,
) -> Result<Subscription, Refusal> {
    let found =
        in_time(&state.slots, "subscription", state.usages.subscription_to_use(customers, reference)).await;
    found.ok_or(Refusal::Unavailable)?.ok_or(Refusal::NoSubscription)
}

/// The whole body.
pub(super) async fn body(state: &ApiState, body: Body) -> Result<Bytes, Refusal> {
    read(body, &state.limits).await.map_err(|fault| match fault {
        BodyFault::TooLarge => {
            Refusal::TooLarge(format!("The body is larger than {} bytes", state.limits.body_bytes))
        }
        BodyFault::TooSlow => Refusal::BodyTooSlow,
        BodyFault::Broken => Refusal::invalid("The body ended early"),
    })
}

/// Reads a JSON object; an array of its members' values, which serde would take as well, is none.
pub(super) fn object<'b, T: Deserialize<'b>>(json: &'b [u8]) -> Result<T, String> {
    if !json.trim_ascii_start().starts_with(b"{") {
        return Err("it is not an object".to_owned());
    }
    serde_json::from_slice(json).map_err(|error| error.to_string())
}
