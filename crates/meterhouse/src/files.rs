//! The three files that are re-read when they change: catalog, subscriptions and credentials.
//!
//! What counts is the last good version: a file that becomes wrong, or a catalog or registry that vanishes, is logged and
//! shown in a metric, and changes nothing. A credentials file that vanishes, or is missing at the start, lets nobody in:
//! to delete it is the quickest way to revoke every credential. A file with a merchant's secret is a part of the credentials
//! file: it is looked at as often, and where it is missing or unreadable the credentials file is wrong.

mod beside;
mod check;
mod content;
mod watched;

use std::env::VarError;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use meterhouse_api::{Credentials, SecretPlace};
use meterhouse_model::{Catalog, LoadError, Registry};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Problem, Problems};
use crate::metrics::FileMetrics;
use beside::Beside;
pub(crate) use check::{FileCommand, check_catalog, check_subscriptions};
use watched::{FileProblem, Kind, Vanished, Watched};

/// Time between two looks. A change counts after the second look that sees it.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

const CATALOG: Kind<Catalog> = Kind { name: "catalog", parse: parse_catalog, vanished: Vanished::KeepsLast };
const SUBSCRIPTIONS: Kind<Registry> =
    Kind { name: "subscriptions", parse: parse_registry, vanished: Vanished::KeepsLast };
const CREDENTIALS: Kind<Credentials> =
    Kind { name: "credentials", parse: parse_credentials, vanished: Vanished::Empties };

/// The files in effect. One that is not named is empty for ever.
pub(crate) struct Files {
    catalog: Watched<Catalog>,
    subscriptions: Watched<Registry>,
    credentials: Watched<Credentials>,
}

impl Files {
    /// Reads the files that a configuration names.
    ///
    /// # Errors
    /// All that is wrong with all of them.
    pub(crate) fn load(config: &Config) -> Result<Self, Problems> {
        let catalog = Watched::load(&CATALOG, config.catalog.path.as_deref());
        let subscriptions = Watched::load(&SUBSCRIPTIONS, config.subscriptions.path.as_deref());
        let credentials = Watched::load(&CREDENTIALS, config.credentials.path.as_deref());
        match (catalog, subscriptions, credentials) {
            (Ok(catalog), Ok(subscriptions), Ok(credentials)) => {
                Ok(Self { catalog, subscriptions, credentials })
            }
            (catalog, subscriptions, credentials) => {
                let wrong = [catalog.err(), subscriptions.err(), credentials.err()];
                let problems = wrong.into_iter().flatten().flatten();
                Err(problems.map(|problem| Problem::anywhere(problem.to_string())).collect::<Vec<_>>().into())
            }
        }
    }

    /// The catalog in effect, now and later.
    pub(crate) fn catalog(&self) -> watch::Receiver<Arc<Catalog>> {
        self.catalog.subscribe()
    }

    /// The registry in effect, now and later.
    pub(crate) fn subscriptions(&self) -> watch::Receiver<Arc<Registry>> {
        self.subscriptions.subscribe()
    }

    /// The credentials in effect, now and later.
    pub(crate) fn credentials(&self) -> watch::Receiver<Arc<Credentials>> {
        self.credentials.subscribe()
    }

    /// The credentials file, if it is named and missing.
    pub(crate) fn missing_credentials(&self) -> Option<&Path> {
        self.credentials.missing()
    }

    /// Looks for changes until the shutdown.
    pub(crate) async fn watch(mut self, metrics: FileMetrics, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let metrics = metrics.clone();
            // A large registry takes a while to read.
            let looked = tokio::task::spawn_blocking(move || {
                self.look(&metrics);
                self
            });
            self = match looked.await {
                Ok(files) => files,
                Err(error) => {
                    tracing::error!(%error, "watched files are not re-read any more");
                    return;
                }
            };
        }
    }

    fn look(&mut self, metrics: &FileMetrics) {
        self.catalog.look(metrics);
        self.subscriptions.look(metrics);
        self.credentials.look(metrics);
    }
}

fn parse_catalog(path: &Path, text: &str, _: &mut Beside) -> Result<Catalog, Vec<FileProblem>> {
    by_extension(path, text, Catalog::from_toml, Catalog::from_csv)
}

fn parse_registry(path: &Path, text: &str, _: &mut Beside) -> Result<Registry, Vec<FileProblem>> {
    by_extension(path, text, Registry::from_toml, Registry::from_csv)
}

fn parse_credentials(path: &Path, text: &str, beside: &mut Beside) -> Result<Credentials, Vec<FileProblem>> {
    let find = |place: SecretPlace<'_>| match place {
        SecretPlace::File(path) => beside.text(path),
        SecretPlace::Variable(name) => variable(name),
    };
    Credentials::from_toml(text, find).map_err(|error| {
        let problem = |(line, what): (usize, &str)| FileProblem::new(path, Some(line as u64), what);
        error.mistakes().map(problem).collect()
    })
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|error| match error {
        VarError::NotPresent => "there is no such variable".to_owned(),
        VarError::NotUnicode(_) => "it is not UTF-8".to_owned(),
    })
}

fn by_extension<T>(
    path: &Path,
    text: &str,
    from_toml: fn(&str) -> Result<T, LoadError>,
    from_csv: fn(&str) -> Result<T, LoadError>,
) -> Result<T, Vec<FileProblem>> {
    let parse = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => from_toml,
        Some("csv") => from_csv,
        _ => return Err(vec![FileProblem::new(path, None, "the name must end with .toml or .csv")]),
    };
    parse(text).map_err(|error| {
        let problems = error.problems.iter();
        problems.map(|problem| FileProblem::new(path, Some(problem.line), &problem.text)).collect()
    })
}
