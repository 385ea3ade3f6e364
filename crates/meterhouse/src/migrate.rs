//! `meterhouse migrate`: the tables; and `migrate --users`, who may do what with them.

use std::io::Write;

use anyhow::{Context, anyhow};
use clap::Args;
use meterhouse_store::{DatabaseUser, Role, access_statements};

use crate::config::Config;
use crate::failure::{ExitKind, Failure};
use crate::runtime::runtime;
use crate::schema::{elsewhere, store, store_failure};

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    /// Instead of tables, make roles with the least rights, and the users of `clickhouse.users` that have a password
    #[arg(long)]
    pub(crate) users: bool,
    /// Only print the statements, with hashes of the passwords, for somebody who may run them
    #[arg(long, requires = "users")]
    pub(crate) dry_run: bool,
}

/// Brings the tables to this program's schema and says what it did.
///
/// # Errors
/// ClickHouse cannot be reached, or going on is refused.
pub(crate) fn tables(config: &Config) -> Result<(), Failure> {
    let store = store(config)?;
    let migrated = runtime()?
        .block_on(store.migrate(&config.billing.zone))
        .map_err(|error| store_failure(error, config))?;
    for migration in &migrated.applied {
        println!("applied {}", migration.name);
    }
    let database = &config.clickhouse.database;
    if let Some(why) = migrated.others {
        println!("this server's tables of {database} are up to date; {}", elsewhere(&why.to_string()));
        return Ok(());
    }
    println!("database {database} is up to date, billing time zone {}", config.billing.zone.name());
    Ok(())
}

/// Makes roles and users, or brings them to what this program needs, and says what it did.
///
/// # Errors
/// ClickHouse cannot be reached, or refuses: its users may be kept in a file.
pub(crate) fn users(args: &MigrateArgs, config: &Config) -> Result<(), Failure> {
    let database = &config.clickhouse.database;
    let users = config.clickhouse.users.with_passwords();
    let statements = access_statements(database, config.clickhouse.cluster.as_ref(), &users);
    if args.dry_run {
        let text = format!("{};\n", statements.join(";\n"));
        std::io::stdout().write_all(text.as_bytes()).context("cannot print the statements")?;
        return Ok(());
    }
    check_own_user(config, &users)?;
    let store = store(config)?;
    runtime()?
        .block_on(store.run_access_statements(&statements))
        .map_err(|error| store_failure(error, config))?;
    for role in Role::ALL {
        println!("role {database}_{} has its rights in the database {database}", role.suffix());
    }
    for DatabaseUser { role, name, .. } in &users {
        println!("user {name} has its password and the role {database}_{}", role.suffix());
    }
    if users.is_empty() {
        println!("no user was made: no password is set in clickhouse.users");
    }
    Ok(())
}

/// Whoever does this would lose its password in the middle.
fn check_own_user(config: &Config, users: &[DatabaseUser]) -> Result<(), Failure> {
    let own = &config.clickhouse.user;
    if users.iter().any(|user| user.name == *own) {
        let what = format!(
            "clickhouse.user is {own}, which clickhouse.users names, too: use one that manages access"
        );
        return Err(Failure::new(ExitKind::Usage, anyhow!(what)));
    }
    Ok(())
}
