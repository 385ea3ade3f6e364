//! `meterhouse`: usage events from Kafka become an exact monthly history in ClickHouse.

mod audit;
mod certificate;
mod check_config;
mod cli;
mod config;
#[cfg(test)]
mod documents;
mod failure;
mod files;
mod generate;
mod ingest;
mod ledger;
mod log;
mod metrics;
mod migrate;
mod parts;
mod principal;
mod probes;
mod progress;
mod ready;
mod rejects;
mod rollup;
mod rules;
mod runtime;
mod schema;
mod service;
mod shutdown;
mod sweep;
mod time;
mod token;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, RollupAction};
use config::{Config, Problems};
use failure::Failure;
use service::Roles;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = run(&cli);
    if let Some(action) = cli.command.audited() {
        audit::tell_command(action, &outcome);
    }
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("meterhouse: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    match &cli.command {
        Command::Token => token::run(),
        Command::CheckConfig(args) if args.reference => check_config::print(&config::reference()),
        Command::CheckConfig(_) => check_config::run(config::load(cli.config.as_deref())),
        Command::Catalog(command) => files::check_catalog(command, || configuration(cli)),
        Command::Subscriptions(command) => files::check_subscriptions(command, || configuration(cli)),
        Command::Generate(args) => generate::run(args, &configure(cli)?),
        Command::Verify(args) => verify::run(args, &configure(cli)?),
        Command::Ledger(command) => ledger::run(command, &configure(cli)?),
        Command::Rejects(args) => rejects::run(args, &configure(cli)?),
        Command::Migrate(args) if args.users => migrate::users(args, &configure(cli)?),
        Command::Migrate(_) => migrate::tables(&configure(cli)?),
        Command::Ready => ready::run(&configuration(cli)?),
        Command::Serve(args) => {
            let is_insecure = args.insecure_no_auth;
            let roles = Roles { ingests: true, answers: true, rolls_up: true, migrates: true, is_insecure };
            service::run(configure(cli)?, roles)
        }
        Command::Ingest => service::run(configure(cli)?, Roles { ingests: true, ..Roles::default() }),
        Command::Api(args) => {
            let is_insecure = args.insecure_no_auth;
            service::run(configure(cli)?, Roles { answers: true, is_insecure, ..Roles::default() })
        }
        Command::Rollup(args) => match &args.action {
            Some(RollupAction::Rebuild(args)) => rollup::rebuild(args, &configure(cli)?),
            None => service::run(configure(cli)?, Roles { rolls_up: true, ..Roles::default() }),
        },
    }
}

/// Reads the configuration and starts the log.
fn configure(cli: &Cli) -> Result<Config, Failure> {
    let config = configuration(cli)?;
    log::start(&config.log)?;
    Ok(config)
}

fn configuration(cli: &Cli) -> Result<Config, Problems> {
    Ok(config::load(cli.config.as_deref())?.config)
}
