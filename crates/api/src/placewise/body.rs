//! The body, which the request does not need: it is only read to see whether it is JSON.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::IgnoredAny;

use super::refusal::Refusal;

/// Longest body that is read.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Longest time for the whole body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Accepts no body, or one that is JSON.
pub(super) async fn check(body: Body) -> Result<(), Refusal> {
    if body.is_end_stream() {
        return Ok(());
    }
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(Refusal::BodyTooLarge);
    }
    let read = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, BODY_BYTES_MAX).collect());
    let bytes = match read.await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Refusal::BodyTooLarge),
        Ok(Err(_)) => return Err(Refusal::InvalidBody),
        Err(_) => return Err(Refusal::BodyTooSlow),
    };
    if bytes.is_empty() || is_json(&bytes) { Ok(()) } else { Err(Refusal::InvalidBody) }
}

fn is_json(bytes: &[u8]) -> bool {
    // A skipped string's bytes are not looked at, and JSON is UTF-8.
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn outcome(bytes: impl Into<Vec<u8>>) -> Result<(), Refusal> {
        check(Body::from(bytes.into())).await
    }

    #[tokio::test]
    async fn no_body_and_any_json_pass() {
        assert_eq!(check(Body::empty()).await, Ok(()));
        for json in ["", "{}", "null", " [1, \"é\"]\n", "\"\"", "-0.5e3"] {
            assert_eq!(outcome(json).await, Ok(()), "{json}");
        }
        assert_eq!(outcome("[".repeat(30_000) + &"]".repeat(30_000)).await, Ok(()), "depth costs no stack");
    }

    #[tokio::test]
    async fn what_is_not_json_is_refused() {
        for text in ["{", "{}{}", "a=1", " ", "'x'", "NaN", "01", "{\"a\":}", "\u{feff}{}"] {
            assert_eq!(outcome(text).await, Err(Refusal::InvalidBody), "{text}");
        }
        assert_eq!(outcome(*b"\"\xff\"").await, Err(Refusal::InvalidBody));
    }

    #[tokio::test]
    async fn the_length_is_bounded() {
        let longest = format!("\"{}\"", "x".repeat(BODY_BYTES_MAX - 2));
        assert_eq!(outcome(longest.clone()).await, Ok(()));
        assert_eq!(outcome(longest + " ").await, Err(Refusal::BodyTooLarge));
    }
}
