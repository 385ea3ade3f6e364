//! All answers that are not a bill. Codes and messages are those of the vendor's live answers where there are any.

use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::envelope::{Error, failure};
use super::parameters::Fault;
use crate::auth::TooMany;
use crate::read::RETRY_SECONDS;

/// Why a request gets no bill.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 400: no credentials, or half of them.
    NoCredentials,
    /// 400: a header that cannot be a credential.
    MalformedHeader(AuthHeader),
    /// 403: an unknown address, or not its key.
    UnknownKey,
    /// 403: an unknown token, or one without the permit.
    NotAuthorized,
    /// 403: whose bill is asked for is not clear.
    SeveralCustomers,
    /// 404: nothing is there.
    NoRoute,
    /// 405: another method than GET.
    WrongMethod,
    /// 400: all wrong parameters.
    InvalidParameters(Vec<Fault>),
    /// 429: too many requests of one principal.
    TooMany(TooMany),
    /// 503: the bill cannot be had in full now.
    Unavailable,
}

/// A header with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthHeader {
    Email,
    Key,
    Authorization,
}

impl AuthHeader {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Email => "X-Auth-Email",
            Self::Key => "X-Auth-Key",
            Self::Authorization => "Authorization",
        }
    }

    fn error(self) -> Error {
        let code = match self {
            Self::Email => 6102,
            Self::Key => 6103,
            Self::Authorization => 6111,
        };
        Error::new(code, format!("Invalid format for {} header", self.name()))
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoCredentials | Self::MalformedHeader(_) | Self::InvalidParameters(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::UnknownKey | Self::NotAuthorized | Self::SeveralCustomers => StatusCode::FORBIDDEN,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error(&self) -> Error {
        match self {
            Self::NoCredentials => {
                Error::new(9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
            }
            Self::MalformedHeader(header) => {
                Error { error_chain: vec![header.error()], ..Error::new(6003, "Invalid request headers") }
            }
            Self::UnknownKey => Error::new(9103, "Unknown X-Auth-Key or X-Auth-Email"),
            Self::NotAuthorized => Error::new(10000, "Authentication error"),
            Self::SeveralCustomers => {
                Error::new(10403, "The billing history is of one customer, these credentials are for several")
            }
            Self::NoRoute => Error::new(7003, "No route for the URI"),
            Self::WrongMethod => Error::new(10405, "Method not allowed"),
            Self::InvalidParameters(faults) => Error {
                error_chain: faults.iter().map(Fault::error).collect(),
                ..Error::new(6008, "Invalid request parameters")
            },
            Self::TooMany(too_many) => Error::new(10429, too_many_message(too_many)),
            Self::Unavailable => Error::new(10503, "Service temporarily unavailable"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = failure(self.status(), &[self.error()]);
        let headers = response.headers_mut();
        match self {
            Self::TooMany(too_many) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(too_many.retry_after_seconds));
            }
            Self::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
            }
            Self::WrongMethod => {
                headers.insert(ALLOW, HeaderValue::from_static("GET"));
            }
            _ => {}
        }
        response
    }
}

fn too_many_message(too_many: &TooMany) -> String {
    format!(
        "More than {} requests per 1 seconds reached. Please wait and consider throttling your request speed",
        too_many.per_second
    )
}
