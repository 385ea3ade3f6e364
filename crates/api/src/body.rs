//! Bodies of requests, within a length and a time.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Time for a body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFault {
    TooLarge,
    TooSlow,
    /// The connection ended, or its framing is wrong.
    Broken,
}

/// The whole body, of so many bytes at most.
pub(crate) async fn read(body: Body, bytes_max: usize) -> Result<Bytes, BodyFault> {
    // Who announces too much need not send it.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(BodyFault::TooLarge);
    }
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyFault::TooLarge),
        Ok(Err(_)) => Err(BodyFault::Broken),
        Err(_) => Err(BodyFault::TooSlow),
    }
}
