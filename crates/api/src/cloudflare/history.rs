//! The handler of the route: filter, order, and page.

use std::cmp::Reverse;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::credentials::principal;
use super::envelope::{ResultInfo, success};
use super::item::Item;
use super::parameters::{self, Filter, Order, Parameters};
use super::refusal::Refusal;
use crate::ApiState;
use crate::auth::Principal;
use crate::clock::now_micros;
use crate::observe::called_by;
use crate::read::in_time;

const PERMIT: &str = "#billing:read";

/// Answers a request for the bill.
pub(super) async fn list(State(state): State<ApiState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let mut caller = None;
    let outcome = answer(&state, &parts, &mut caller).await;
    called_by(caller.as_ref(), outcome.unwrap_or_else(Refusal::into_response))
}

/// The checks in their order: see the module's documentation.
async fn answer(
    state: &ApiState,
    parts: &Parts,
    caller: &mut Option<Principal>,
) -> Result<Response, Refusal> {
    let principal = principal(&state.authority, &parts.headers, now_micros())?;
    let principal = caller.insert(principal);
    if !principal.has_permit(PERMIT) {
        return Err(Refusal::NotAuthorized);
    }
    state.rate_limit.check(principal).map_err(Refusal::TooMany)?;
    let customer = principal.only_customer().ok_or(Refusal::SeveralCustomers)?;
    let parameters =
        parameters::parse(parts.uri.query().unwrap_or_default()).map_err(Refusal::InvalidParameters)?;
    let charges = in_time(&state.slots, "billing history", state.history.charges(&customer)).await;
    let items: Option<_> = charges.and_then(|charges| charges.iter().map(Item::of).collect());
    let items = items.ok_or(Refusal::Unavailable)?;
    Ok(render(items, &parameters))
}

fn render(mut items: Vec<Item>, parameters: &Parameters) -> Response {
    let Parameters { page, per_page, order, filter } = parameters;
    let total_count = items.len() as u64;
    items.retain(|item| filter.matches(item));
    match order {
        Order::Kind => items.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id))),
        Order::Action => items.sort_by(|a, b| (a.action, &a.id).cmp(&(b.action, &b.id))),
        Order::OccurredAt => {
            items.sort_by(|a, b| (Reverse(a.occurred_at), &a.id).cmp(&(Reverse(b.occurred_at), &b.id)));
        }
    }
    let found = items.len() as u64;
    // A page behind the last is empty: clients page on until they see one.
    let first = (page - 1).saturating_mul(*per_page).min(found);
    let end = first.saturating_add(*per_page).min(found);
    let shown = &items[to_usize(first)..to_usize(end)];
    let info = ResultInfo {
        page: *page,
        per_page: *per_page,
        count: end - first,
        total_count,
        total_pages: found.div_ceil(*per_page),
    };
    success(shown, info)
}

/// For numbers that are below the length of a vector.
fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Filter {
    fn matches(&self, item: &Item) -> bool {
        self.occurred_at.is_none_or(|time| time == item.occurred_at)
            && self.kind.as_deref().is_none_or(|kind| kind == item.kind)
            && self.action.as_deref().is_none_or(|action| action == item.action)
    }
}

#[cfg(test)]
mod tests;
