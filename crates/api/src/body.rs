//! Bodies of requests, within a length and a time.

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::Limits;

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFault {
    TooLarge,
    TooSlow,
    /// The connection ended, or its framing is wrong.
    Broken,
}

/// The whole body, within the limits.
pub(crate) async fn read(body: Body, limits: &Limits) -> Result<Bytes, BodyFault> {
    // Who announces too much need not send it.
    if body.size_hint().lower() > limits.body_bytes as u64 {
        return Err(BodyFault::TooLarge);
    }
    match tokio::time::timeout(limits.body_timeout, Limited::new(body, limits.body_bytes).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyFault::TooLarge),
        Ok(Err(_)) => Err(BodyFault::Broken),
        Err(_) => Err(BodyFault::TooSlow),
    }
}
