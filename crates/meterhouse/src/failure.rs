//! How a command ends when it does not succeed.

use std::fmt;

/// The meaning of an exit code. 0 is success; the command line's own errors are `Usage`, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitKind {
    /// A check found something, or the command failed in a way that has no code of its own.
    Finding = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// A server cannot be reached. Commands that run for long wait instead.
    Unreachable = 3,
    /// Refused for safety.
    Refused = 4,
}

/// Why a command did not succeed, with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: ExitKind,
    error: anyhow::Error,
}

impl Failure {
    /// A failure of some kind. The error's text is for the person at the terminal.
    pub(crate) fn new(kind: ExitKind, error: impl Into<anyhow::Error>) -> Self {
        Self { kind, error: error.into() }
    }

    /// What kind it is of.
    pub(crate) fn kind(&self) -> ExitKind {
        self.kind
    }

    /// The process's exit code.
    pub(crate) fn code(&self) -> u8 {
        self.kind as u8
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(ExitKind::Finding, error)
    }
}

impl From<crate::config::Problems> for Failure {
    fn from(problems: crate::config::Problems) -> Self {
        Self::new(ExitKind::Usage, problems)
    }
}
