//! All answers that are not a history.

use axum::http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::ext::ReasonPhrase;

use super::parameters::InvalidParameters;
use crate::auth::TooMany;
use crate::read::RETRY_SECONDS;
use crate::reply;

/// What a request costs of the limit.
const COST: u64 = 1;
/// The name of the limit.
const BUCKET: &str = "service_usage_history";
/// Reason phrase of a 470.
const MISSING_PHRASE: ReasonPhrase = ReasonPhrase::from_static(b"Required Header Missing");
/// Reason phrase of a 471.
const INCORRECT_PHRASE: ReasonPhrase = ReasonPhrase::from_static(b"Header Incorrect");

/// Why a request gets no history.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 400: a body that is not JSON.
    InvalidBody,
    /// 401: no token at all.
    NoToken,
    /// 401: an unknown token, or not one for this customer, club or product.
    NotAuthorized,
    /// 402: a feature that the club does not have.
    FeatureMissing,
    /// 403: the token lacks the permit.
    PermitMissing(&'static str),
    /// 408: the body did not arrive in time.
    BodyTooSlow,
    /// 413: the body is longer than a request could need.
    BodyTooLarge,
    /// 422: wrong parameters.
    InvalidParameters(InvalidParameters),
    /// 429: too many requests of one principal.
    TooMany(TooMany),
    /// 470: a required header is missing.
    MissingHeader(&'static str),
    /// 471: a header is incorrect: its name, and why.
    IncorrectHeader(&'static str, &'static str),
    /// 503: the history cannot be had in full now.
    Unavailable,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::InvalidBody => reply::empty(StatusCode::BAD_REQUEST),
            Self::NoToken => challenge("Token is missing"),
            Self::NotAuthorized => challenge("Token is invalid, or not for this customer, club or product"),
            Self::FeatureMissing => {
                reply::error(StatusCode::PAYMENT_REQUIRED, "Feature is not enabled for this club")
            }
            Self::PermitMissing(permit) => {
                reply::error(StatusCode::FORBIDDEN, &format!("Token lacks the permit {permit}"))
            }
            Self::BodyTooSlow => {
                closing(reply::error(StatusCode::REQUEST_TIMEOUT, "Body did not arrive in time"))
            }
            Self::BodyTooLarge => closing(reply::error(StatusCode::PAYLOAD_TOO_LARGE, "Body is too large")),
            Self::InvalidParameters(invalid) => reply::json(StatusCode::UNPROCESSABLE_ENTITY, &invalid),
            Self::TooMany(too_many) => limited(too_many),
            Self::MissingHeader(name) => {
                header_fault(470, MISSING_PHRASE, &format!("Header is missing: {name}"))
            }
            Self::IncorrectHeader(name, why) => {
                header_fault(471, INCORRECT_PHRASE, &format!("Header is incorrect: {name} {why}"))
            }
            Self::Unavailable => {
                let message = "Service usage history is temporarily unavailable";
                let response = reply::error(StatusCode::SERVICE_UNAVAILABLE, message);
                with_number(response, RETRY_AFTER, RETRY_SECONDS)
            }
        }
    }
}

fn challenge(message: &str) -> Response {
    let mut response = reply::error(StatusCode::UNAUTHORIZED, message);
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// The rest of the body is not read, so no further request can be on the connection.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

fn limited(too_many: TooMany) -> Response {
    let mut response = reply::error(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
    response.headers_mut().insert("ratelimit-bucket", HeaderValue::from_static(BUCKET));
    let response = with_number(response, HeaderName::from_static("ratelimit-remaining"), 0);
    let response = with_number(response, HeaderName::from_static("ratelimit-cost"), COST);
    with_number(response, RETRY_AFTER, too_many.retry_after_seconds)
}

fn with_number(mut response: Response, name: HeaderName, number: u64) -> Response {
    response.headers_mut().insert(name, HeaderValue::from(number));
    response
}

/// An answer with one of the two statuses that HTTP does not know, so the reason phrase is stated.
fn header_fault(status: u16, phrase: ReasonPhrase, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = reply::error(status, message);
    response.extensions_mut().insert(phrase);
    response
}
