//! `meterhouse catalog check` and `meterhouse subscriptions check`: what is in a file, or all that is wrong with it.

use std::collections::HashSet;
use std::io::Write;
use std::iter;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};

use super::beside::Beside;
use super::content::read;
use super::watched::{FILE_BYTES_MAX, Kind};
use super::{catalog, subscriptions};
use crate::config::{Config, FileConfig, Problems};
use crate::failure::{ExitKind, Failure};

#[derive(Debug, Subcommand)]
pub(crate) enum FileCommand {
    /// Tell what is in the file, or all that is wrong with it (exit code 1)
    Check(CheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The file, whose name ends with .toml or .csv [default: the configured one]
    file: Option<PathBuf>,
}

/// Reads a catalog. The configuration is asked for where no file is named.
///
/// # Errors
/// All that is wrong with the file, or why it cannot be read.
pub(crate) fn check_catalog(
    command: &FileCommand,
    configure: impl FnOnce() -> Result<Config, Problems>,
) -> Result<(), Failure> {
    let kind = catalog();
    let path = path(command, &kind, || Ok(configure()?.catalog))?;
    let catalog = parsed(&kind, &path)?;
    let services: HashSet<&str> = catalog.options().map(|(_, option)| option.service.as_str()).collect();
    let prices = || catalog.options().filter_map(|(_, option)| option.price.as_ref());
    let currencies: HashSet<_> = prices().map(|price| price.currency).collect();
    let counts = [
        ("options", catalog.len()),
        ("services", services.len()),
        ("prices", prices().count()),
        ("currencies", currencies.len()),
    ];
    print(&summary(&path, &counts))
}

/// Reads a registry of subscriptions. The configuration is asked for where no file is named.
///
/// # Errors
/// All that is wrong with the file, or why it cannot be read.
pub(crate) fn check_subscriptions(
    command: &FileCommand,
    configure: impl FnOnce() -> Result<Config, Problems>,
) -> Result<(), Failure> {
    let kind = subscriptions();
    let path = path(command, &kind, || Ok(configure()?.subscriptions))?;
    let registry = parsed(&kind, &path)?;
    let intervals = || registry.subscriptions().flat_map(|(_, intervals)| intervals);
    let customers: HashSet<&str> = intervals().map(|interval| interval.customer.as_str()).collect();
    let counts = [
        ("subscriptions", registry.len()),
        ("customers", customers.len()),
        ("intervals", intervals().count()),
    ];
    print(&summary(&path, &counts))
}

fn path<T>(
    command: &FileCommand,
    kind: &Kind<T>,
    configured: impl FnOnce() -> Result<FileConfig, Problems>,
) -> Result<PathBuf, Failure> {
    let FileCommand::Check(args) = command;
    if let Some(path) = &args.file {
        return Ok(path.clone());
    }
    let none = || Failure::new(ExitKind::Usage, anyhow!("name a file: {}.path is not set", kind.name));
    configured()?.path.ok_or_else(none)
}

/// What is in a file. All that is wrong with it goes to the standard output, a line each.
fn parsed<T>(kind: &Kind<T>, path: &Path) -> Result<T, Failure> {
    let unreadable =
        |why| Failure::new(ExitKind::Usage, anyhow!("{}: cannot read the file: {why}", path.display()));
    let text = read(path, FILE_BYTES_MAX).1.map_err(unreadable)?;
    let problems = match (kind.parse)(path, &text, &mut Beside::look(path, iter::empty())) {
        Ok(value) => return Ok(value),
        Err(problems) => problems,
    };
    print(&problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())?;
    let what = format!("{}: {} problems were found", path.display(), problems.len());
    Err(Failure::new(ExitKind::Finding, anyhow!(what)))
}

/// One line: `catalog.toml: options 3, services 2`.
fn summary(path: &Path, counts: &[(&str, usize)]) -> String {
    let counts: Vec<_> = counts.iter().map(|(what, count)| format!("{what} {count}")).collect();
    format!("{}: {}\n", path.display(), counts.join(", "))
}

fn print(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot print the result")?;
    Ok(())
}
