//! `meterhouse generate`: a repeatable load of usage events, to Kafka or to a file.

mod event;
mod invalid;
mod load;
mod share;
mod summary;
mod timeline;

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use clap::Args;
use meterhouse_ingest::{Producer, ProducerError};
use meterhouse_model::Rules;

use crate::config::Config;
use crate::failure::{ExitKind, Failure};
use crate::progress::Progress;
use crate::runtime::runtime;
use load::{Description, Load, Record};
use share::{Share, WHOLE};
use summary::Summary;

/// Partitions of a topic that does not exist yet.
const PARTITIONS: i32 = 8;
/// Progress is shown every so many records.
const PROGRESS_RECORDS: u64 = 4096;
const DAY_SECONDS: i64 = 86_400;
const MONTHS_MAX: i64 = 1200;
const CUSTOMERS_MAX: i64 = 1_000_000;
/// Longest `--customer`, in bytes: with a number behind it, it is still a name that events may have.
const CUSTOMER_BYTES_MAX: usize = 100;

#[derive(Debug, Clone, Args)]
pub(crate) struct GenerateArgs {
    /// Records to publish, of all kinds
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    events: u64,
    /// Customers, each with three subscriptions
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=CUSTOMERS_MAX))]
    customers: u32,
    /// Name of the only customer, or what the names of several begin with: NAME-1, NAME-2, ...
    #[arg(long, value_name = "NAME", default_value = "customer", value_parser = parse_customer)]
    customer: String,
    /// Months of usage in the billing time zone, the last one being the current one
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=MONTHS_MAX))]
    months: u32,
    /// Latest end of usage, RFC 3339; the same options with the same instant give the same bytes [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<DateTime<Utc>>,
    /// Share of exact resends: 0.05 or 5%
    #[arg(long, value_name = "SHARE", default_value = "0")]
    duplicates: Share,
    /// Share of usage that comes after later usage; the rest ascends in time
    #[arg(long, value_name = "SHARE", default_value = "1%")]
    late: Share,
    /// Share of records that are rejected, spread over all reasons that a record alone can give
    #[arg(long, value_name = "SHARE", default_value = "0")]
    invalid: Share,
    /// Another seed gives another load
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Write the records' values as lines to a file, or to the standard output for `-`, instead of publishing them
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Makes the load, and publishes or writes it.
///
/// # Errors
/// The options do not fit together, Kafka cannot be reached or the file cannot be written.
pub(crate) fn run(args: &GenerateArgs, config: &Config) -> Result<(), Failure> {
    let usage = |text: String| Failure::new(ExitKind::Usage, anyhow!(text));
    let shares = [args.duplicates, args.late, args.invalid];
    if shares.iter().map(|share| u64::from(share.billionths())).sum::<u64>() > u64::from(WHOLE) {
        return Err(usage("--duplicates, --late and --invalid are more than 1 together".to_owned()));
    }
    let now = Utc::now();
    let rules = config.ingest.rules(config.billing.zone.clone());
    let load = Load::new(args.description(now), &rules, now.timestamp_millis());
    match &args.output {
        Some(path) => write(&load, args.events, path),
        None => {
            check_age(&load, &rules, now).map_err(usage)?;
            publish(&load, args.events, config)
        }
    }
}

impl GenerateArgs {
    fn description(&self, now: DateTime<Utc>) -> Description {
        Description {
            events: self.events,
            customers: self.customers,
            customer: self.customer.clone(),
            months: self.months,
            until: self.until.unwrap_or(now).timestamp(),
            duplicates: self.duplicates,
            late: self.late,
            invalid: self.invalid,
            seed: self.seed,
        }
    }
}

/// Usage that is too old or in the future when it is published would be rejected.
fn check_age(load: &Load, rules: &Rules, now: DateTime<Utc>) -> Result<(), String> {
    let (start, until) = load.span();
    if until > now.timestamp() {
        return Err("--until is in the future".to_owned());
    }
    let days = i64::from(rules.max_age_days);
    if start < now.timestamp() - days * DAY_SECONDS {
        return Err(format!(
            "the first month begins more than {days} days ago, which is ingest.max_age_days"
        ));
    }
    Ok(())
}

fn publish(load: &Load, events: u64, config: &Config) -> Result<(), Failure> {
    let kafka = &config.kafka;
    let producer = Producer::connect(&kafka.brokers, kafka.properties.as_map()).map_err(producer_failure)?;
    let runtime = runtime()?;
    let is_new =
        runtime.block_on(producer.ensure_topic(&kafka.topic, PARTITIONS)).map_err(producer_failure)?;
    if is_new {
        eprintln!("generate: created the topic {} with {PARTITIONS} partitions", kafka.topic);
    }
    let summary = make_all(
        load,
        events,
        |record| producer.enqueue(&kafka.topic, record.key.as_bytes(), record.value.as_deref()),
        || producer.flush(),
    );
    print!("{}", summary.map_err(producer_failure)?);
    Ok(())
}

/// A line for each value, also the empty one.
fn write(load: &Load, events: u64, path: &Path) -> Result<(), Failure> {
    let out: Box<dyn Write> = match path.to_str() {
        Some("-") => Box::new(io::stdout().lock()),
        _ => Box::new(File::create(path).with_context(|| format!("cannot write {}", path.display()))?),
    };
    let out = std::cell::RefCell::new(BufWriter::new(out));
    let summary = make_all(
        load,
        events,
        |record| {
            let mut out = out.borrow_mut();
            out.write_all(record.value.as_deref().unwrap_or_default())?;
            out.write_all(b"\n")
        },
        || out.borrow_mut().flush(),
    );
    match summary {
        Ok(summary) => eprint!("{summary}"),
        // Whoever read the lines has had enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => return Err(anyhow!(error).context(format!("cannot write {}", path.display())).into()),
    }
    Ok(())
}

fn make_all<E>(
    load: &Load,
    events: u64,
    mut take: impl FnMut(&Record) -> Result<(), E>,
    finish: impl FnOnce() -> Result<(), E>,
) -> Result<Summary, E> {
    let mut progress = Progress::begin("generate", events);
    let mut summary = Summary::default();
    let mut record = Record::default();
    for position in 0..events {
        summary.count(load.make(position, &mut record));
        take(&record)?;
        if position % PROGRESS_RECORDS == 0 {
            progress.set(position);
        }
    }
    finish()?;
    summary.finish(progress.finish());
    Ok(summary)
}

fn producer_failure(error: ProducerError) -> Failure {
    let kind = match error {
        ProducerError::Configuration(_) => ExitKind::Usage,
        ProducerError::Unreachable { .. } | ProducerError::Delivery { .. } => ExitKind::Unreachable,
        ProducerError::Topic { .. } | ProducerError::NoTopic { .. } | ProducerError::TooLarge { .. } => {
            ExitKind::Finding
        }
    };
    Failure::new(kind, error)
}

fn parse_customer(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !(1..=CUSTOMER_BYTES_MAX).contains(&text.len()) || !text.bytes().all(is_plain) {
        return Err(format!("must be 1 to {CUSTOMER_BYTES_MAX} of a-z, A-Z, 0-9, '.', '_' and '-'"));
    }
    Ok(text.to_owned())
}

fn parse_time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|error| error.to_string())?;
    Ok(time.to_utc())
}
