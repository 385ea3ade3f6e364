//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::files::FileCommand;
use crate::generate::GenerateArgs;
use crate::ledger::LedgerCommand;
use crate::migrate::MigrateArgs;
use crate::rejects::RejectsArgs;
use crate::rollup::RebuildArgs;
use crate::verify::VerifyArgs;

/// Usage metering: events from Kafka become an exact monthly history in ClickHouse.
///
/// Settings come from defaults, the configuration file and environment variables such as METERHOUSE_KAFKA__BROKERS, the
/// later ones above the earlier. Exit codes: 0 done, 1 a finding or failure, 2 wrong usage or configuration, 3 a server
/// cannot be reached, 4 refused for safety.
#[derive(Debug, Parser)]
#[command(name = "meterhouse", version)]
pub(crate) struct Cli {
    /// Configuration file, also named by METERHOUSE_CONFIG [default: meterhouse.toml, if it exists]
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ingest and answer in one process; an empty database is migrated first
    Serve(ServeArgs),
    /// Only ingest: from Kafka into ClickHouse
    Ingest,
    /// Only answer: the HTTP API
    Api(ServeArgs),
    /// Only sum up days that have got usage, so that answers stay fast
    Rollup(RollupArgs),
    /// Create or update the tables, or the users
    Migrate(MigrateArgs),
    /// Ask the running process whether it is ready: exit code 1, and what is in the way, where it is not
    Ready,
    /// Print the effective configuration, or all that is wrong with it and its files
    CheckConfig(CheckConfigArgs),
    /// Audit everything that is billed: exit code 1 where something is wrong
    Verify(VerifyArgs),
    /// List, show and replay what is in quarantine
    Rejects(RejectsArgs),
    /// Publish a repeatable load of usage events
    Generate(GenerateArgs),
    /// Show what is accounted for, or accept a new beginning
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Check the catalog, which maps option codes to services and prices
    #[command(subcommand)]
    Catalog(FileCommand),
    /// Check the registry of subscriptions and their customers
    #[command(subcommand)]
    Subscriptions(FileCommand),
    /// Make a token and the hash of it for the credentials file
    Token,
}

impl Command {
    /// The name of the change in the audit log; none where nothing is to be changed.
    pub(crate) fn audited(&self) -> Option<&'static str> {
        match self {
            Self::Migrate(args) if args.users => (!args.dry_run).then_some("users.migrate"),
            Self::Migrate(_) => Some("tables.migrate"),
            Self::Ledger(command) => command.is_change().then_some("ledger.accept"),
            Self::Rejects(args) => args.is_change().then_some("rejects.replay"),
            Self::Rollup(args) => args.action.is_some().then_some("rollup.rebuild"),
            Self::Generate(_) => Some("usages.generate"),
            _ => None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Let everybody read everything; only on a loopback address
    #[arg(long)]
    pub(crate) insecure_no_auth: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckConfigArgs {
    /// Print all keys with their meanings instead, as Markdown
    #[arg(long)]
    pub(crate) reference: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RollupArgs {
    #[command(subcommand)]
    pub(crate) action: Option<RollupAction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RollupAction {
    /// Throw sums of days away and make them again from the events; answers are exact all the time
    Rebuild(RebuildArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
