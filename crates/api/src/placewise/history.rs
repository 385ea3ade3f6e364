//! The handler of the route, and the shape of its answer.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use meterhouse_query::{CustomerId, MonthUsage};
use serde::Serialize;

use super::context::{CLUB, Context, token};
use super::refusal::Refusal;
use super::{body, parameters};
use crate::ApiState;
use crate::auth::{Denied, Principal};
use crate::clock::now_micros;
use crate::observe::called_by;
use crate::read::in_time;
use crate::reply;

/// The route, exactly as documented: there is nothing at the same path with a slash behind it.
pub(crate) const PATH: &str = "/v1/billing/service_usage/history";

const PERMIT: &str = "Billing:Api:ServiceUsageHistory:Show";
const FEATURE: &str = "billing";

/// Answers a request for the history.
pub(crate) async fn show(State(state): State<ApiState>, request: Request) -> Response {
    let now_micros = now_micros();
    let (parts, body) = request.into_parts();
    let mut caller = None;
    let outcome = answer(&state, &parts, body, now_micros, &mut caller).await;
    called_by(caller.as_ref(), outcome.unwrap_or_else(Refusal::into_response))
}

/// The checks in their order: see the module's documentation.
async fn answer(
    state: &ApiState,
    parts: &Parts,
    body: Body,
    now_micros: i64,
    caller: &mut Option<Principal>,
) -> Result<Response, Refusal> {
    let context = Context::from_headers(&parts.headers)?;
    body::check(body, &state.limits).await?;
    let principal = state.authority.principal(token(&parts.headers)?, now_micros).map_err(denied)?;
    let principal = caller.insert(principal);
    let customer = authorize(principal, &context)?;
    state.rate_limit.check(principal).map_err(Refusal::TooMany)?;
    let range =
        parameters::parse(parts.uri.query().unwrap_or_default()).map_err(Refusal::InvalidParameters)?;
    let usage = state.history.service_usage(&customer, range, now_micros);
    let months = in_time(&state.slots, "service usage history", usage).await.ok_or(Refusal::Unavailable)?;
    Ok(render(&months))
}

fn denied(denied: Denied) -> Refusal {
    match denied {
        Denied::NoToken => Refusal::NoToken,
        Denied::Unknown => Refusal::NotAuthorized,
    }
}

/// The customer that the request is about, if the principal may see its history.
fn authorize(principal: &Principal, context: &Context<'_>) -> Result<CustomerId, Refusal> {
    if !principal.may_use_product(context.product) {
        return Err(Refusal::NotAuthorized);
    }
    let name = customer_name(principal, context)?;
    let customer = principal.customer(name).ok_or(Refusal::NotAuthorized)?;
    if !principal.has_permit(PERMIT) {
        return Err(Refusal::PermitMissing(PERMIT));
    }
    if principal.has_feature(FEATURE) { Ok(customer) } else { Err(Refusal::FeatureMissing) }
}

/// The customer's name: of the club, of the header, or of both where they agree.
fn customer_name<'a>(principal: &'a Principal, context: &Context<'a>) -> Result<&'a str, Refusal> {
    let Some(slug) = context.club else { return context.customer.ok_or(Refusal::NotAuthorized) };
    match (principal.club(slug), context.customer) {
        (Some(club), Some(customer)) if club != customer => {
            Err(Refusal::IncorrectHeader(CLUB, "is not the club of X-Customer"))
        }
        (Some(club), _) => Ok(club),
        // Nobody's credentials are read, so no club is known: the slug can say nothing.
        (None, Some(customer)) if matches!(principal, Principal::Insecure) => Ok(customer),
        (None, None) if matches!(principal, Principal::Insecure) => {
            Err(Refusal::IncorrectHeader(CLUB, "is not known without credentials: use X-Customer"))
        }
        (None, _) => Err(Refusal::NotAuthorized),
    }
}

/// The body of a 200: exactly the documented members.
#[derive(Serialize)]
struct HistoryBody<'a> {
    service_usage_history: Vec<PeriodBody<'a>>,
}

#[derive(Serialize)]
struct PeriodBody<'a> {
    period: String,
    data: Vec<ServiceBody<'a>>,
}

#[derive(Serialize)]
struct ServiceBody<'a> {
    service: &'a str,
    usage: String,
}

fn render(months: &[MonthUsage]) -> Response {
    let service_usage_history = months.iter().map(PeriodBody::from).collect();
    reply::json(StatusCode::OK, &HistoryBody { service_usage_history })
}

impl<'a> From<&'a MonthUsage> for PeriodBody<'a> {
    fn from(month: &'a MonthUsage) -> Self {
        let services = month.services.iter();
        let data = services.map(|used| ServiceBody { service: &used.service, usage: used.usage.to_string() });
        Self { period: month.month.to_string(), data: data.collect() }
    }
}

#[cfg(test)]
mod tests;
