//! `meterhouse rejects`: what is in quarantine, and the way out of it.

mod filter;
mod judge;
mod list;
mod replay;
mod show;
mod text;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::config::Config;
use crate::failure::Failure;
use crate::schema::{self, check_ready, store_failure};
use filter::FilterArgs;
use show::Place;

#[derive(Debug, Args)]
pub(crate) struct RejectsArgs {
    #[command(subcommand)]
    command: RejectsCommand,
}

#[derive(Debug, Subcommand)]
enum RejectsCommand {
    /// Show the newest rejects, a line each
    List(ListArgs),
    /// Show all that is kept of a record
    Show(ShowArgs),
    /// Judge records again by the present rules, and store those that are usable now
    Replay(ReplayArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// So many at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u64,
    /// A line of JSON each
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Partition and offset, and the record's time if there is more than one: 3/12345@2026-10-03T17:00:00Z
    #[arg(value_name = "PARTITION/OFFSET[@TIME]", value_parser = Place::parse)]
    place: Place,
    /// A line of JSON for each reject, bytes in base64
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ReplayArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// So many at most
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Only say what would become of each
    #[arg(long)]
    dry_run: bool,
    /// A line of JSON for each reject, and one for the sum
    #[arg(long)]
    json: bool,
}

impl RejectsArgs {
    /// Whether it is to store something.
    pub(crate) fn is_change(&self) -> bool {
        matches!(&self.command, RejectsCommand::Replay(args) if !args.dry_run)
    }
}

/// Runs one of the commands.
///
/// # Errors
/// A server cannot be reached, the database is not ready, or `show` finds nothing.
pub(crate) fn run(args: &RejectsArgs, config: &Config) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let store = schema::store(config)?;
    runtime.block_on(async {
        check_ready(&store, config).await?;
        let failed = |error| store_failure(error, config);
        match &args.command {
            RejectsCommand::List(args) => {
                let filter = args.filter.filter();
                let (rejects, count) = store.list_rejects(&filter, args.limit).await.map_err(failed)?;
                list::print(&rejects, count, args.json)
            }
            RejectsCommand::Show(args) => {
                let (partition, offset) = (args.place.partition, args.place.offset);
                let mut rejects = store.rejects_of(partition, offset).await.map_err(failed)?;
                rejects.retain(|reject| args.place.is_at(reject));
                show::print(&args.place, &rejects, args.json)
            }
            RejectsCommand::Replay(args) => replay::run(args, config, &store).await,
        }
    })
}
