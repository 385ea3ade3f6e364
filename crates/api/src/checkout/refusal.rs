//! All answers of this family that are no success: `{"error_code":"...","message":"..."}`.
//!
//! The code and the message of 401 are the vendor's, and the messages of wrong parameters; the other codes are our choice.

use std::borrow::Cow;

use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::auth::TooMany;
use crate::read::RETRY_SECONDS;
use crate::reply;
use crate::writes::WriteError;

/// Why a request is not answered, or not done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 401: no credentials that are good.
    NotAuthenticated,
    /// 403: the credentials do not permit it.
    NotPermitted,
    /// 404: nothing is there.
    NoRoute,
    /// 405: another method than these.
    WrongMethod(&'static str),
    /// 429: too many requests of one principal.
    TooMany(TooMany),
    /// 400: a parameter, a header or the body is wrong.
    Invalid(Cow<'static, str>),
    /// 408: the body did not arrive in time.
    BodyTooSlow,
    /// 413: the body is too large, or makes too large a record.
    TooLarge(String),
    /// 404: a subscription that the principal's customers do not have.
    NoSubscription,
    /// 404: no such usage of the subscription.
    NoUsage,
    /// 409: another request had this key.
    KeyTaken,
    /// 409: several usages of the subscription share the reference.
    Ambiguous,
    /// 409: the usage has been changed as often as it can be.
    NoMoreRevisions,
    /// 503: there is no answer now. Repeating the request does no harm.
    Unavailable,
    /// 503: it is not known whether what was sent is saved, and sending it again may save it twice.
    Unknown,
}

#[derive(Serialize)]
struct Body<'m> {
    error_code: &'static str,
    message: &'m str,
}

impl Refusal {
    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(message.into())
    }

    /// The error code of the answer.
    pub(super) fn code(&self) -> &'static str {
        self.parts().1
    }

    fn parts(&self) -> (StatusCode, &'static str, Cow<'_, str>) {
        let fixed = |status, code, message: &'static str| (status, code, Cow::Borrowed(message));
        match self {
            Self::NotAuthenticated => fixed(
                StatusCode::UNAUTHORIZED,
                "AUTHENTICATION_ERROR",
                "Authentication needed for this resource",
            ),
            Self::NotPermitted => fixed(
                StatusCode::FORBIDDEN,
                "AUTHORIZATION_ERROR",
                "These credentials do not permit this operation",
            ),
            Self::NoRoute => fixed(StatusCode::NOT_FOUND, "NOT_FOUND", "No such resource"),
            Self::WrongMethod(_) => fixed(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "Method is not possible for this resource",
            ),
            Self::TooMany(_) => {
                fixed(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", "Too many requests")
            }
            Self::Invalid(message) => {
                (StatusCode::BAD_REQUEST, "USAGE_VALIDATION_ERROR", Cow::Borrowed(message))
            }
            Self::BodyTooSlow => {
                fixed(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "The body did not arrive in time")
            }
            Self::TooLarge(message) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "REQUEST_TOO_LARGE", Cow::Borrowed(message))
            }
            Self::NoSubscription => {
                fixed(StatusCode::NOT_FOUND, "SUBSCRIPTION_NOT_FOUND", "Subscription not found")
            }
            Self::NoUsage => fixed(StatusCode::NOT_FOUND, "USAGE_NOT_FOUND", "Usage not found"),
            Self::KeyTaken => fixed(
                StatusCode::CONFLICT,
                "IDEMPOTENCY_KEY_CONFLICT",
                "This Idempotency-Key was used for another request",
            ),
            Self::Ambiguous => fixed(
                StatusCode::CONFLICT,
                "USAGE_REFERENCE_AMBIGUOUS",
                "Several usages of the subscription have this UsageReference",
            ),
            Self::NoMoreRevisions => fixed(
                StatusCode::CONFLICT,
                "USAGE_NOT_CHANGEABLE",
                "This usage has the highest revision that there is",
            ),
            Self::Unavailable => fixed(
                StatusCode::SERVICE_UNAVAILABLE,
                "SERVICE_UNAVAILABLE",
                "Service temporarily unavailable, the request may be repeated",
            ),
            Self::Unknown => fixed(
                StatusCode::SERVICE_UNAVAILABLE,
                "OUTCOME_UNKNOWN",
                "It is not known whether the usages were saved: look for them before they are sent again, and send an \
                 Idempotency-Key to be safe",
            ),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error_code, message) = self.parts();
        let mut response = reply::json(status, &Body { error_code, message: &message });
        let headers = response.headers_mut();
        match self {
            Self::TooMany(too_many) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(too_many.retry_after_seconds));
            }
            Self::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
            }
            Self::NotAuthenticated => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::WrongMethod(allowed) => {
                headers.insert(ALLOW, HeaderValue::from_static(allowed));
            }
            _ => {}
        }
        response
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Invalid(message) => Self::Invalid(message.into()),
            WriteError::TooLarge(message) => Self::TooLarge(message),
            WriteError::NotFound => Self::NoUsage,
            WriteError::KeyTaken => Self::KeyTaken,
            WriteError::Ambiguous => Self::Ambiguous,
            WriteError::NoMoreRevisions => Self::NoMoreRevisions,
            WriteError::Unavailable => Self::Unavailable,
            WriteError::Unknown => Self::Unknown,
        }
    }
}
