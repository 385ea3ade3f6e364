//! The files that are re-read when they change: catalog, subscriptions, credentials and the listener's certificate.
//!
//! What counts is the last good version: a file that becomes wrong, or a catalog or registry that vanishes, is logged and
//! shown in a metric, and changes nothing. A credentials file that vanishes, or is missing at the start, lets nobody in:
//! to delete it is the quickest way to revoke every credential. A file with a merchant's secret is a part of the credentials
//! file: it is looked at as often, and where it is missing or unreadable the credentials file is wrong. So is the key a part
//! of the certificate: a new pair counts once both files are there and belong together.

mod beside;
mod check;
mod content;
mod watched;

use std::env::VarError;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use meterhouse_api::{Credentials, Identity, IdentityError, SecretPlace};
use meterhouse_model::{Catalog, LoadError, Registry};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Problem, Problems, TlsFiles};
use crate::metrics::FileMetrics;
use beside::Beside;
pub(crate) use check::{FileCommand, check_catalog, check_subscriptions};
use watched::{FileProblem, Kind, Vanished, Watched};

/// Time between two looks. A change counts after the second look that sees it.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

fn catalog() -> Kind<Catalog> {
    Kind::new("catalog", Vanished::KeepsLast, parse_catalog)
}

fn subscriptions() -> Kind<Registry> {
    Kind::new("subscriptions", Vanished::KeepsLast, parse_registry)
}

fn credentials() -> Kind<Credentials> {
    Kind::new("credentials", Vanished::Empties, parse_credentials)
}

fn certificate(tls: Option<&TlsFiles>) -> Kind<Option<Identity>> {
    let key = tls.map(|tls| tls.key.clone()).unwrap_or_default();
    let parse =
        move |path: &Path, text: &str, beside: &mut Beside| parse_certificate(path, &key, text, beside);
    Kind::new("certificate", Vanished::KeepsLast, parse)
}

/// The files in effect. One that is not named is empty for ever.
pub(crate) struct Files {
    catalog: Watched<Catalog>,
    subscriptions: Watched<Registry>,
    credentials: Watched<Credentials>,
    certificate: Watched<Option<Identity>>,
}

impl Files {
    /// Reads the files that a configuration names.
    ///
    /// # Errors
    /// All that is wrong with all of them.
    pub(crate) fn load(config: &Config) -> Result<Self, Problems> {
        let tls = config.http.tls.as_ref();
        let catalog = Watched::load(catalog(), config.catalog.path.as_deref());
        let subscriptions = Watched::load(subscriptions(), config.subscriptions.path.as_deref());
        let credentials = Watched::load(credentials(), config.credentials.path.as_deref());
        let certificate = Watched::load(certificate(tls), tls.map(|tls| tls.certificate.as_path()));
        match (catalog, subscriptions, credentials, certificate) {
            (Ok(catalog), Ok(subscriptions), Ok(credentials), Ok(certificate)) => {
                Ok(Self { catalog, subscriptions, credentials, certificate })
            }
            (catalog, subscriptions, credentials, certificate) => {
                let wrong = [catalog.err(), subscriptions.err(), credentials.err(), certificate.err()];
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

    /// The certificate of the listener for customers in effect, now and later; none where it speaks plain HTTP.
    pub(crate) fn certificate(&self) -> watch::Receiver<Arc<Option<Identity>>> {
        self.certificate.subscribe()
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
        self.certificate.look(metrics);
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

/// The key's path starts at the working directory, as all paths of the configuration do.
fn parse_certificate(
    path: &Path,
    key: &Path,
    text: &str,
    beside: &mut Beside,
) -> Result<Option<Identity>, Vec<FileProblem>> {
    let wrong = |path: &Path, why: &str| vec![FileProblem::new(path, None, why)];
    let absolute = std::path::absolute(key).map_err(|why| wrong(key, &why.to_string()))?;
    let key_text = beside.text(&absolute).map_err(|why| wrong(key, &why))?;
    Identity::from_pem(text, &key_text).map(Some).map_err(|error| match error {
        IdentityError::Certificate(why) => wrong(path, &why),
        IdentityError::Key(why) => wrong(key, &why),
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
