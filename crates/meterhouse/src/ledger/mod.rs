//! `meterhouse ledger`: what is accounted for, and new beginnings.

mod accept;
mod show;

use anyhow::anyhow;
use clap::Subcommand;
use meterhouse_ingest::{KafkaConfig, PartitionLog};
use meterhouse_store::Store;
use tokio::runtime::Runtime;

use crate::config::Config;
use crate::failure::{ExitKind, Failure};
use crate::runtime::runtime;
use crate::schema;

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Print what is accounted for, by partition
    Show(show::ShowArgs),
    /// Name a new beginning for a partition whose log is not the one that was read
    Accept(accept::AcceptArgs),
}

impl LedgerCommand {
    /// Whether it is to change the ledger.
    pub(crate) fn is_change(&self) -> bool {
        matches!(self, Self::Accept(args) if args.yes)
    }
}

/// Runs one of the commands.
///
/// # Errors
/// A server cannot be reached, or what is asked for is refused.
pub(crate) fn run(command: &LedgerCommand, config: &Config) -> Result<(), Failure> {
    let servers = Servers::connect(config)?;
    match command {
        LedgerCommand::Show(args) => show::run(args, &servers),
        LedgerCommand::Accept(args) => accept::run(args, &servers),
    }
}

/// Both servers, for commands that ask a few questions.
struct Servers<'c> {
    config: &'c Config,
    store: Store,
    runtime: Runtime,
}

impl<'c> Servers<'c> {
    /// Makes sure that the tables are there.
    fn connect(config: &'c Config) -> Result<Self, Failure> {
        let store = schema::store(config)?;
        let runtime = runtime()?;
        runtime.block_on(schema::check_ready(&store, config))?;
        Ok(Self { config, store, runtime })
    }

    fn topic(&self) -> &str {
        &self.config.kafka.topic
    }

    /// Waits for ClickHouse's answer.
    fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, meterhouse_store::Error>>,
    ) -> Result<T, Failure> {
        self.runtime.block_on(question).map_err(|error| schema::store_failure(error, self.config))
    }

    /// Asks Kafka for the logs of all partitions.
    fn logs(&self) -> Result<Vec<PartitionLog>, Failure> {
        self.ask_kafka(meterhouse_ingest::partition_logs)
    }

    /// Asks Kafka for the topic's id, 0 where there is none.
    fn topic_id(&self) -> Result<u128, Failure> {
        self.ask_kafka(meterhouse_ingest::topic_id).map(Option::unwrap_or_default)
    }

    fn ask_kafka<T>(
        &self,
        question: impl FnOnce(&KafkaConfig) -> Result<T, meterhouse_ingest::Error>,
    ) -> Result<T, Failure> {
        let kafka = self.config.kafka.client_config(&self.config.ingest);
        question(&kafka).map_err(|error| {
            let text = format!("{} does not answer for the topic {}: {error}", kafka.brokers, kafka.topic);
            Failure::new(ExitKind::Unreachable, anyhow!(text))
        })
    }
}
