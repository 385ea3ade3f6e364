//! The configuration: defaults, below one TOML file, below environment variables.
//!
//! A module for each section holds what its keys are, and a plain struct of their values. Everything that is wrong comes at
//! once, each with the line or the variable where it was given.

mod clickhouse;
mod definition;
mod http;
mod ingest;
mod kafka;
mod layers;
mod problem;
mod reader;
mod reference;
mod rollup;
mod secret;
mod service;
mod show;
mod suggest;
mod sweep;
#[cfg(test)]
mod tests;
mod users;
mod verify;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use clickhouse::ClickHouseConfig;
pub(crate) use http::{HttpConfig, TlsFiles};
pub(crate) use ingest::IngestConfig;
pub(crate) use kafka::KafkaConfig;
pub(crate) use problem::{Problem, Problems};
use reader::{Effective, Reader};
pub(crate) use rollup::RollupConfig;
pub(crate) use service::{ApiConfig, BillingConfig, FileConfig, LogConfig, LogFormat, MetricsConfig};
pub(crate) use sweep::SweepConfig;
pub(crate) use verify::VerifyConfig;

/// The file that is read where none is named, if it exists.
const DEFAULT_FILE: &str = "meterhouse.toml";
/// The variable that names the file.
const FILE_VARIABLE: &str = "METERHOUSE_CONFIG";
/// Largest file, in bytes: a larger one is something else.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// All keys.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) kafka: KafkaConfig,
    pub(crate) clickhouse: ClickHouseConfig,
    pub(crate) ingest: IngestConfig,
    pub(crate) sweep: SweepConfig,
    pub(crate) rollup: RollupConfig,
    pub(crate) billing: BillingConfig,
    pub(crate) http: HttpConfig,
    pub(crate) metrics: MetricsConfig,
    pub(crate) api: ApiConfig,
    pub(crate) verify: VerifyConfig,
    pub(crate) catalog: FileConfig,
    pub(crate) subscriptions: FileConfig,
    pub(crate) credentials: FileConfig,
    pub(crate) log: LogConfig,
}

/// A configuration and where each of its values comes from.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    effective: Vec<Effective>,
}

/// Reads the configuration of this process. `file` is the one that the command line names.
///
/// # Errors
/// All that is wrong.
pub(crate) fn load(file: Option<&Path>) -> Result<Loaded, Problems> {
    let named = std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    let text = match file.map(Path::to_owned).or(named) {
        Some(path) => Some(read_file(&path).map(|text| (path, text))),
        None => {
            let path = PathBuf::from(DEFAULT_FILE);
            path.exists().then(|| read_file(&path).map(|text| (path, text)))
        }
    };
    read(text, std::env::vars_os())
}

/// All keys with their meanings, as Markdown: `docs/configuration.md`.
pub(crate) fn reference() -> String {
    let mut reader = Reader::new(layers::Layers::default());
    Config::read(&mut reader);
    reference::to_markdown(&reader.into_definitions())
}

/// Reads a configuration from a file's path and text, and from variables.
fn read(
    file: Option<Result<(PathBuf, String), Problem>>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, Problems> {
    let mut layers = layers::Layers::default();
    match file {
        Some(Ok((path, text))) => layers.add_file(&path, &text),
        Some(Err(problem)) => layers.problems.push(problem),
        None => {}
    }
    layers.add_environment(variables);
    let mut reader = Reader::new(layers);
    let config = Config::read(&mut reader);
    let (config, effective) = reader.finish(config)?;
    Ok(Loaded { config, effective })
}

fn read_file(path: &Path) -> Result<String, Problem> {
    let wrong = |why: String| Problem::anywhere(format!("{}: {why}", path.display()));
    let bytes = fs::read(path).map_err(|error| wrong(format!("cannot read the file: {error}")))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(wrong(format!("the file has more than {FILE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| wrong("the file is not UTF-8".to_owned()))
}

impl Config {
    /// Reads all sections, also behind one that is wrong.
    fn read(reader: &mut Reader) -> Option<Self> {
        let kafka = KafkaConfig::read(reader);
        let clickhouse = ClickHouseConfig::read(reader);
        let ingest = IngestConfig::read(reader);
        let sweep = SweepConfig::read(reader);
        let rollup = RollupConfig::read(reader);
        let billing = BillingConfig::read(reader);
        let http = HttpConfig::read(reader);
        let metrics = MetricsConfig::read(reader);
        let api = ApiConfig::read(reader);
        let verify = VerifyConfig::read(reader);
        let [catalog, subscriptions, credentials] = FileConfig::read(reader);
        let log = LogConfig::read(reader);
        if let (Some(http), Some(metrics)) = (&http, &metrics) {
            check_addresses(http, metrics, reader);
        }
        if let (Some(kafka), Some(ingest)) = (&kafka, &ingest) {
            check_mirror(kafka, ingest, reader);
        }
        if let (Some(ingest), Some(catalog), Some(subscriptions)) = (&ingest, &catalog, &subscriptions) {
            check_strict_keys(ingest, catalog, subscriptions, reader);
        }
        if let (Some(rollup), Some(clickhouse)) = (&rollup, &clickhouse) {
            rollup.check_margin(clickhouse, reader);
        }
        Some(Self {
            kafka: kafka?,
            clickhouse: clickhouse?,
            ingest: ingest?,
            sweep: sweep?,
            rollup: rollup?,
            billing: billing?,
            http: http?,
            metrics: metrics?,
            api: api?,
            verify: verify?,
            catalog: catalog?,
            subscriptions: subscriptions?,
            credentials: credentials?,
            log: log?,
        })
    }
}

fn check_addresses(http: &HttpConfig, metrics: &MetricsConfig, reader: &mut Reader) {
    if http.listen == metrics.listen && http.listen.port() != 0 {
        reader.complain("metrics.listen", format!("metrics.listen and http.listen are both {}", http.listen));
    }
}

/// A reject on the topic itself would be rejected again, and mirrored again, for ever.
fn check_mirror(kafka: &KafkaConfig, ingest: &IngestConfig, reader: &mut Reader) {
    if ingest.mirror_topic.as_ref() == Some(&kafka.topic) {
        let what = format!("ingest.mirror_topic and kafka.topic are both {}", kafka.topic);
        reader.complain("ingest.mirror_topic", what);
    }
}

/// What must be known is looked up in a file.
fn check_strict_keys(
    ingest: &IngestConfig,
    catalog: &FileConfig,
    subscriptions: &FileConfig,
    reader: &mut Reader,
) {
    let strict = [
        (
            "ingest.require_known_subscription",
            ingest.require_known_subscription,
            "subscriptions.path",
            subscriptions,
        ),
        ("ingest.require_known_option", ingest.require_known_option, "catalog.path", catalog),
    ];
    for (key, is_required, file_key, file) in strict {
        if is_required && file.path.is_none() {
            reader.complain(key, format!("{key} is true, but {file_key} is not set"));
        }
    }
}

impl Loaded {
    /// The effective configuration as TOML, secrets masked, with the source of each value that is no default.
    pub(crate) fn to_toml(&self) -> String {
        show::to_toml(&self.effective)
    }
}
