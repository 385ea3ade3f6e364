//! Folders for one run, among the others of the local stack.

use std::fs;

use anyhow::Result;
use meterhouse_localstack::local_dir;
use tempfile::TempDir;

/// A new folder whose name begins like this, removed at the end.
///
/// # Errors
/// It cannot be made.
pub fn scratch_dir(prefix: &str) -> Result<TempDir> {
    let run = local_dir().join("run");
    fs::create_dir_all(&run)?;
    Ok(tempfile::Builder::new().prefix(&format!("{prefix}-")).tempdir_in(run)?)
}
