//! The names in a path.

use axum::extract::FromRequestParts;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::request::Parts;

use super::refusal::Refusal;

/// The names in the path of a request, decoded; what cannot be decoded names no subscription.
pub(super) async fn subscription(parts: &mut Parts) -> Result<String, Refusal> {
    let path: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, &()).await;
    path.map(|Path(subscription)| subscription).map_err(|_| Refusal::NoSubscription)
}

/// Subscription and usage; what is no integer names no usage that there can be.
pub(super) async fn usage(parts: &mut Parts) -> Result<(String, u64), Refusal> {
    let path: Result<Path<(String, String)>, PathRejection> = Path::from_request_parts(parts, &()).await;
    let Ok(Path((subscription, usage))) = path else { return Err(Refusal::NoSubscription) };
    Ok((subscription, reference(&usage)?))
}

/// A UsageReference: any integer that is not negative. One beyond 64 bits is none of ours.
pub(super) fn reference(text: &str) -> Result<u64, Refusal> {
    let is_integer = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_integer {
        return Err(Refusal::invalid("UsageReference must be a positive integer"));
    }
    Ok(text.parse().unwrap_or(u64::MAX))
}
