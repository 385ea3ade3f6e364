//! The parts of a long-running process.

use anyhow::anyhow;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// A part that cannot fail.
pub(crate) async fn done(part: impl Future<Output = ()>) -> Result<(), Failure> {
    part.await;
    Ok(())
}

/// The parts of a process. One that fails ends all of them.
pub(crate) struct Parts {
    running: JoinSet<Result<(), Failure>>,
    /// Ends them.
    pub(crate) shutdown: CancellationToken,
    background: Handle,
}

impl Parts {
    /// None yet. `background` is where those run that no customer waits for.
    pub(crate) fn new(shutdown: CancellationToken, background: Handle) -> Self {
        Self { running: JoinSet::new(), shutdown, background }
    }

    /// Starts one.
    pub(crate) fn run(&mut self, part: impl Future<Output = Result<(), Failure>> + Send + 'static) {
        self.running.spawn(part);
    }

    /// Starts one that no customer waits for.
    pub(crate) fn run_behind(&mut self, part: impl Future<Output = Result<(), Failure>> + Send + 'static) {
        self.running.spawn_on(part, &self.background);
    }

    /// Waits for all parts.
    ///
    /// # Errors
    /// The first failure, which the process ends with.
    pub(crate) async fn ended(mut self) -> Result<(), Failure> {
        let mut outcome = Ok(());
        while let Some(ended) = self.running.join_next().await {
            let ended =
                ended.unwrap_or_else(|error| Err(anyhow!(error).context("a part has panicked").into()));
            if let Err(failure) = ended {
                tracing::error!(error = %failure, "cannot go on");
                self.shutdown.cancel();
                outcome = outcome.and(Err(failure));
            }
        }
        outcome
    }
}
