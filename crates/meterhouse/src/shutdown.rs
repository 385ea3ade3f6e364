//! The end of a long-running command: SIGTERM or SIGINT.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Exit code after a second signal: what was under way is dropped.
const ENDED_AT_ONCE: i32 = 1;

/// A token that the first signal cancels. The second one ends the process at once.
///
/// # Errors
/// Signals cannot be received.
pub(crate) fn on_signals() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot receive SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot receive SIGINT")?;
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if token.is_cancelled() {
                tracing::warn!("second signal, ending at once");
                std::process::exit(ENDED_AT_ONCE);
            }
            tracing::info!("signal received, finishing what is under way");
            token.cancel();
        }
    });
    Ok(shutdown)
}
