//! The runtime of a command that ends by itself and does one thing after the other.

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// Starts it, on the thread of the command.
///
/// # Errors
/// The system refuses it.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Ok(Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?)
}
