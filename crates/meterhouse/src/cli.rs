//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::generate::GenerateArgs;
use crate::rejects::RejectsArgs;

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
    /// Create or update the tables
    Migrate,
    /// Print the effective configuration, or all that is wrong with it and its files
    CheckConfig,
    /// List, show and replay what is in quarantine
    Rejects(RejectsArgs),
    /// Publish a repeatable load of usage events
    Generate(GenerateArgs),
    /// Make a token and the hash of it for the credentials file
    Token,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Let everybody read everything; only on a loopback address
    #[arg(long)]
    pub(crate) insecure_no_auth: bool,
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
