//! The body, which the request does not need: it is only read to see whether it is JSON.

use axum::body::Body;
use serde::de::IgnoredAny;

use super::refusal::Refusal;
use crate::Limits;
use crate::body::{BodyFault, read};

/// Accepts no body, or one that is JSON.
pub(super) async fn check(body: Body, limits: &Limits) -> Result<(), Refusal> {
    let bytes = read(body, limits).await.map_err(|fault| match fault {
        BodyFault::TooLarge => Refusal::BodyTooLarge,
        BodyFault::TooSlow => Refusal::BodyTooSlow,
        BodyFault::Broken => Refusal::InvalidBody,
    })?;
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
        check(Body::from(bytes.into()), &Limits::default()).await
    }

    #[tokio::test]
    async fn no_body_and_any_json_pass() {
        assert_eq!(check(Body::empty(), &Limits::default()).await, Ok(()));
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
        let longest = format!("\"{}\"", "x".repeat(Limits::default().body_bytes - 2));
        assert_eq!(outcome(longest.clone()).await, Ok(()));
        assert_eq!(outcome(longest + " ").await, Err(Refusal::BodyTooLarge));
    }
}
