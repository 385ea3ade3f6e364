//! `/rest/6.0/subscriptions/{SubscriptionReference}/usages`: reading and writing the usages of a subscription.
//!
//! The documents are 2Checkout's. Paths end with a slash or without one. What is written goes to Kafka as one record, like
//! the usage of anybody else, and is answered once it can be read back: [`crate::writes`].
//!
//! # Order of checks
//!
//! A request with several faults gets the first of these answers:
//!
//! 1. 404 and 405: another path, another method.
//! 2. 401: no credentials, or none that are good.
//! 3. 403: credentials that do not permit this.
//! 4. 429: only requests of somebody who is known count towards the limit.
//! 5. 400, 408, 413: parameters, headers and body, as far as they can be judged by themselves.
//! 6. 404: a subscription that the principal's customers do not have.
//! 7. 400, 404, 409: what is to be written does not fit.
//! 8. 503: the answer cannot be had in full, or what was written cannot be read back in time.

mod audit;
mod credentials;
mod criteria;
mod list;
mod new_usages;
mod parameters;
mod path;
mod refusal;
mod remove;
mod request;
mod save;
mod signature;
mod update;
mod usage;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, put};

use crate::ApiState;
use refusal::Refusal;

const USAGES: [&str; 2] =
    ["/rest/6.0/subscriptions/{subscription}/usages", "/rest/6.0/subscriptions/{subscription}/usages/"];
const USAGE: [&str; 2] = [
    "/rest/6.0/subscriptions/{subscription}/usages/{usage}",
    "/rest/6.0/subscriptions/{subscription}/usages/{usage}/",
];

/// All routes below `/rest/6.0`.
pub(crate) fn routes() -> Router<ApiState> {
    let no_route = || async { Refusal::NoRoute.into_response() };
    let mut router = Router::new();
    for path in ["/rest/6.0", "/rest/6.0/", "/rest/6.0/{*rest}"] {
        router = router.route(path, any(no_route));
    }
    for path in USAGES {
        let methods = get(list::list).post(save::save).delete(remove::remove);
        router = router.route(path, methods.head(wrong_method_of_usages).fallback(wrong_method_of_usages));
    }
    for path in USAGE {
        router = router.route(path, put(update::update).fallback(wrong_method_of_usage));
    }
    router
}

async fn wrong_method_of_usages() -> Response {
    Refusal::WrongMethod("GET, POST, DELETE").into_response()
}

async fn wrong_method_of_usage() -> Response {
    Refusal::WrongMethod("PUT").into_response()
}
