//! The certificate of the HTTP listener: when it expires, as a metric and in the log.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use meterhouse_api::Identity;
use prometheus::IntGauge;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Tells of each certificate that comes into effect until when it is valid. One that is not valid now is only warned of:
/// whether to trust it is for clients to decide, and a listener that is silent helps nobody.
pub(crate) async fn watch(
    mut latest: watch::Receiver<Arc<Option<Identity>>>,
    expiry: IntGauge,
    shutdown: CancellationToken,
) {
    loop {
        if let Some(identity) = &**latest.borrow_and_update() {
            expiry.set(identity.not_after());
            warn_if_invalid(identity);
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            changed = latest.changed() => if changed.is_err() { return },
        }
    }
}

fn warn_if_invalid(identity: &Identity) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed());
    let (not_before, not_after) = (identity.not_before(), identity.not_after());
    if now > not_after {
        tracing::warn!(not_after, "the certificate of the HTTP listener has expired");
    } else if now < not_before {
        tracing::warn!(not_before, "the certificate of the HTTP listener is not valid yet");
    }
}
