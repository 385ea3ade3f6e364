//! `meterhouse check-config`: what counts, or all that is wrong.

use std::io::Write;

use anyhow::Context;

use crate::config::{Loaded, Problems};
use crate::failure::Failure;
use crate::files::Files;

/// Prints the effective configuration after a look into the files that it names.
///
/// # Errors
/// All that is wrong with the configuration, or with the files.
pub(crate) fn run(loaded: Result<Loaded, Problems>) -> Result<(), Failure> {
    let loaded = loaded?;
    let files = Files::load(&loaded.config)?;
    if let Some(path) = files.missing_credentials() {
        eprintln!("warning: there is no file {}: every request will be refused", path.display());
    }
    print(&loaded.to_toml())
}

/// Prints a text as it is.
///
/// # Errors
/// Nobody takes it.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot print the configuration")?;
    Ok(())
}
