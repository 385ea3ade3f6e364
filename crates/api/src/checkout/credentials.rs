//! The headers with credentials: `X-Avangate-Authentication`, or `Authorization` with a token.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use thiserror::Error;

use super::signature::{Signature, SignatureFault};
use crate::auth::{Authority, Principal};
use crate::headers::{bearer_token, single};

const SIGNATURE: &str = "X-Avangate-Authentication";

/// Why nobody knows who asks. The client is told the same in all cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Unauthenticated {
    #[error("there is neither {SIGNATURE} nor Authorization")]
    NoCredentials,
    #[error("{0} is given more than once, or is not UTF-8")]
    OddHeader(&'static str),
    #[error("{SIGNATURE}: {0}")]
    Signature(#[from] SignatureFault),
    #[error("Authorization bears no token")]
    NoToken,
    #[error("the merchant, its secret or the token is unknown or has expired")]
    Unknown,
}

/// Who asks. A signature decides where there is one, good or bad; it may be `skew` old, or early.
pub(super) fn principal(
    authority: &Authority,
    headers: &HeaderMap,
    now_micros: i64,
    skew: Duration,
) -> Result<Principal, Unauthenticated> {
    if matches!(authority, Authority::Insecure) {
        return Ok(Principal::Insecure);
    }
    verified(authority, headers, now_micros, skew)
        .inspect_err(|why| tracing::debug!(%why, "a request is not authenticated"))
}

fn verified(
    authority: &Authority,
    headers: &HeaderMap,
    now_micros: i64,
    skew: Duration,
) -> Result<Principal, Unauthenticated> {
    let value = |name: &'static str| single(headers, name).map_err(|_| Unauthenticated::OddHeader(name));
    let known = if let Some(header) = value(SIGNATURE)? {
        let signature = Signature::parse(header)?;
        authority.principal_of_merchant(&signature.signed(now_micros, skew)?, now_micros)
    } else {
        let authorization = value(AUTHORIZATION.as_str())?.ok_or(Unauthenticated::NoCredentials)?;
        let token = bearer_token(authorization).ok_or(Unauthenticated::NoToken)?;
        authority.principal(Some(token), now_micros)
    };
    known.map_err(|_| Unauthenticated::Unknown)
}

#[cfg(test)]
mod tests;
