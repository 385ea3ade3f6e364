//! The command.

use anyhow::{Context, anyhow};
use clap::Args;
use meterhouse_store::Slice;

use super::{Audit, AuditError, Owners, Report, TopicCheck, Verified};
use crate::config::Config;
use crate::failure::{ExitKind, Failure};
use crate::files::Files;
use crate::rules::RuleSource;
use crate::schema::{self, check_ready, store_failure};

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Also read the topic again, as far as it is still there, and judge it by the rules of today
    #[arg(long)]
    from_kafka: bool,
}

/// Audits the database and prints the report.
///
/// # Errors
/// Something is wrong with what is billed (exit code 1), or a server cannot be reached.
pub(crate) fn run(args: &VerifyArgs, config: &Config) -> Result<(), Failure> {
    let store = schema::store(config)?;
    let files = Files::load(config)?;
    let kafka = args.from_kafka.then(|| TopicCheck {
        kafka: config.kafka.client_config(&config.ingest),
        rules: RuleSource::new(config, &files).current(),
    });
    let owners = Owners { registry: files.subscriptions(), zone: config.billing.zone.clone() };
    let audit = Audit {
        store: &store,
        topic: &config.kafka.topic,
        margin: config.rollup.margin,
        owners: &owners,
        slice: Slice::WHOLE,
        kafka: kafka.as_ref(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let report = runtime.block_on(async {
        check_ready(&store, config).await?;
        audit.run(&mut Verified::default()).await.map_err(|error| failure(error, config))
    })?;
    print(&report, args.json)?;
    match report.findings.len() {
        0 => Ok(()),
        count => Err(Failure::new(ExitKind::Finding, anyhow!("{count} differences were found"))),
    }
}

fn print(report: &Report, json: bool) -> Result<(), Failure> {
    if json {
        println!("{}", serde_json::to_string_pretty(report).context("cannot print the report")?);
    } else {
        println!("{report}");
    }
    Ok(())
}

fn failure(error: AuditError, config: &Config) -> Failure {
    match error {
        AuditError::Store(error) => store_failure(error, config),
        AuditError::Kafka(why) => {
            let brokers = &config.kafka.brokers;
            Failure::new(ExitKind::Unreachable, anyhow!("kafka at {brokers}: {why}"))
        }
    }
}
