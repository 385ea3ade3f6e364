//! Ctrl-C, at any moment.

use std::process;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

/// How long the demo may take to end by itself. It may be in the middle of a start or a download; servers and service end
/// with it in any case.
const PATIENCE: Duration = Duration::from_secs(3);

/// Somebody wants the demo to end.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// Whether somebody wants the demo to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<(Mutex<bool>, Condvar)>);

impl Interrupt {
    /// Takes note of SIGINT, SIGTERM and SIGHUP from now on. A second one ends the process at once.
    pub(crate) fn listen() -> Result<Self> {
        let interrupt = Self::default();
        let noted = interrupt.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("listen for signals")?;
        let mut signals = {
            // Handlers, not a mask: a mask would be inherited by the service, which could then not be asked to end.
            let _guard = runtime.enter();
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal)
        };
        thread::spawn(move || {
            runtime.block_on(async {
                let [Ok(interrupt), Ok(terminate), Ok(hangup)] = &mut signals else { return };
                for _ in 0..2 {
                    let again = async {
                        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hangup.recv() => {} }
                    };
                    if noted.is_set() {
                        let _ = tokio::time::timeout(PATIENCE, again).await;
                    } else {
                        again.await;
                        noted.set();
                    }
                }
            });
            process::exit(130)
        });
        Ok(interrupt)
    }

    /// Fails if somebody wants the demo to end.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_set() {
            bail!(Interrupted);
        }
        Ok(())
    }

    /// Waits until somebody does.
    pub(crate) fn wait(&self) {
        let (is_set, changed) = &*self.0;
        let is_set = is_set.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_while(is_set, |is_set| !*is_set));
    }

    fn is_set(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }
}
