//! `GET /client/v4/user/billing/history`: what one customer's usage costs, item by item.
//!
//! The document is Cloudflare's; what it leaves open is our choice: an item is one month of a subscription's usage of a
//! service that has a price.
//!
//! # Order of checks
//!
//! A request with several faults gets the first of these answers:
//!
//! 1. 404 and 405: another route below `/client/v4`, another method.
//! 2. 400: no credentials, or headers that cannot be any.
//! 3. 403: an unknown address and key, an unknown token, or one without the permit.
//! 4. 429: only requests of somebody who is known count towards the limit.
//! 5. 403: a principal that may read several customers: the report is for one.
//! 6. 400: the parameters, all wrong ones at once.
//! 7. 503: the answer cannot be had in full, or not within a minute, or not begun within five seconds because of others.

mod credentials;
mod envelope;
mod history;
mod item;
mod parameters;
mod refusal;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};

use crate::ApiState;
use refusal::Refusal;

/// All routes below `/client/v4`.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .route(
            "/client/v4/user/billing/history",
            get(history::list).head(wrong_method).fallback(wrong_method),
        )
        .route("/client/v4", any(no_route))
        .route("/client/v4/", any(no_route))
        .route("/client/v4/{*rest}", any(no_route))
}

async fn no_route() -> Response {
    Refusal::NoRoute.into_response()
}

async fn wrong_method() -> Response {
    Refusal::WrongMethod.into_response()
}
