//! What can go wrong while servers are fetched, started and stopped.

use std::{io, path::PathBuf, time::Duration};

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the local stack. The text is for a person and names the remedy where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Programs or packages that have to be installed first, all of them at once.
    #[error("{0}")]
    Prerequisites(String),
    /// The file system or the operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A download ended without success.
    #[error("fetching {what} failed ({status}); the last lines of {}:\n{tail}", log.display())]
    Download {
        /// The thing that was to be fetched.
        what: &'static str,
        /// How the program that fetches it ended.
        status: String,
        /// Its output.
        log: PathBuf,
        /// The last lines of the output.
        tail: String,
    },
    /// The supervising program is not where Cargo puts it.
    #[error("no `localstack` program in {}; build it: cargo build -p meterhouse-localstack{profile}", dir.display())]
    NoSupervisor {
        /// Where it was looked for.
        dir: PathBuf,
        /// The further argument for the build, if this is a release build.
        profile: &'static str,
    },
    /// The supervising program is of another build than this library.
    #[error("{} does not fit this program (it said {said:?}); build it again: cargo build -p meterhouse-localstack", program.display())]
    OldSupervisor {
        /// The program that was started.
        program: PathBuf,
        /// Its greeting.
        said: String,
    },
    /// A fixed port is in use.
    #[error("port {0} on 127.0.0.1 is in use by another program")]
    PortInUse(u16),
    /// No free port was found.
    #[error("no free port between {0} and {1}")]
    NoFreePort(u16, u16),
    /// A server ended instead of starting.
    #[error("{server} ended while starting ({status}); the last lines of {}:\n{tail}", log.display())]
    Ended {
        /// `kafka` or `clickhouse`.
        server: &'static str,
        /// Exit code or signal.
        status: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// Something did not happen in time.
    #[error("{server}: waited {} s for {awaited}; the last lines of {}:\n{tail}", limit.as_secs(), log.display())]
    TimedOut {
        /// `kafka` or `clickhouse`.
        server: &'static str,
        /// What was waited for.
        awaited: &'static str,
        /// How long.
        limit: Duration,
        /// The server's log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A signal for a server that is not running.
    #[error("{0} is not running")]
    NotRunning(&'static str),
    /// One of Kafka's command-line tools failed.
    #[error("{tool} failed ({status}):\n{output}")]
    Tool {
        /// The tool's Java class.
        tool: String,
        /// Its exit code, or what else ended it.
        status: String,
        /// What it printed, standard error last.
        output: String,
    },
    /// ClickHouse refused a query, or did not answer.
    #[error("clickhouse: {0}")]
    Query(String),
}

impl Error {
    /// Says what was tried when an I/O error came: `.map_err(Error::io(|| format!("write {path}")))`.
    pub(crate) fn io<W: Into<String>>(what: impl FnOnce() -> W) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what().into(), source }
    }
}
