//! The headers with credentials: `Authorization`, or `X-Auth-Email` and `X-Auth-Key`.

use axum::http::HeaderMap;

use super::refusal::{AuthHeader, Refusal};
use crate::auth::{Authority, Principal};
use crate::headers::{bearer_token, single};

/// Longest address or key that can be one, in bytes.
const BYTES_MAX: usize = 128;

/// Who asks. A token decides where there is one: official clients send all the credentials that they were given.
pub(super) fn principal(
    authority: &Authority,
    headers: &HeaderMap,
    now_micros: i64,
) -> Result<Principal, Refusal> {
    if matches!(authority, Authority::Insecure) {
        return Ok(Principal::Insecure);
    }
    let value =
        |header: AuthHeader| single(headers, header.name()).map_err(|_| Refusal::MalformedHeader(header));
    if let Some(authorization) = value(AuthHeader::Authorization)? {
        let malformed = Refusal::MalformedHeader(AuthHeader::Authorization);
        let token = bearer_token(authorization).ok_or(malformed)?;
        return authority.principal(Some(token), now_micros).map_err(|_| Refusal::NotAuthorized);
    }
    let (email, key) = (value(AuthHeader::Email)?, value(AuthHeader::Key)?);
    let (Some(email), Some(key)) = (email, key) else { return Err(Refusal::NoCredentials) };
    if !email.contains('@') || !is_plain(email) {
        return Err(Refusal::MalformedHeader(AuthHeader::Email));
    }
    if !is_plain(key) {
        return Err(Refusal::MalformedHeader(AuthHeader::Key));
    }
    authority.principal_of_email(email, key, now_micros).map_err(|_| Refusal::UnknownKey)
}

fn is_plain(text: &str) -> bool {
    text.len() <= BYTES_MAX && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}
