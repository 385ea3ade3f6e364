//! Runtimes: of a command that does one thing after the other, and of the parts of a long-running process.

use anyhow::Context;
use rustix::process::{getpriority_process, setpriority_process};
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// Linux's nice value of threads behind the answers. ClickHouse is asked for the same. A tenth of the processor is left to them
/// where answers want all of it: with much less, an insert would not end within its limit.
const NICE: i32 = 10;

/// Starts one for a command that ends by itself, on its thread.
///
/// # Errors
/// The system refuses it.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Ok(Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?)
}

/// Starts one for answers, on all cores.
///
/// # Errors
/// The system refuses it.
pub(crate) fn of_answers() -> Result<Runtime, Failure> {
    Ok(Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?)
}

/// Starts one for work that no customer waits for. Its threads, and those that they start, have the processor when nobody
/// else wants it, and a tenth of it otherwise: an answer of 3 ms does not wait behind a batch of 300.
///
/// # Errors
/// The system refuses it.
pub(crate) fn behind_answers() -> Result<Runtime, Failure> {
    let mut builder = Builder::new_multi_thread();
    builder.enable_all().thread_name("background").on_thread_start(give_way);
    Ok(builder.build().context("cannot start the runtime of background work")?)
}

/// Makes the thread nicer, unless the whole process is nicer already. No right is needed for that.
fn give_way() {
    let niced = getpriority_process(None)
        .and_then(|nice| if nice < NICE { setpriority_process(None, NICE) } else { Ok(()) });
    if let Err(error) = niced {
        tracing::debug!(%error, "a thread keeps its priority");
    }
}
