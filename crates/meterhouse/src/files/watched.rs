//! One file that is re-read when it changes, or one that a value of it comes from.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs, iter};

use tokio::sync::watch;

use super::beside::Beside;
use super::content::{Content, Stamp, read};
use crate::metrics::FileMetrics;

/// Largest file, in bytes: some millions of subscriptions.
pub(super) const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Problems of one file that are logged; a file with more is another kind of file.
const LOGGED_PROBLEMS_MAX: usize = 20;

/// What a file means.
pub(super) struct Kind<T> {
    /// For logs and metrics.
    pub(super) name: &'static str,
    /// What its end means.
    vanished: Vanished,
    /// From its text to its value.
    pub(super) parse: Box<Parse<T>>,
}

/// From the path and the text of a file to its value, parts of which may be in files beside it.
type Parse<T> = dyn Fn(&Path, &str, &mut Beside) -> Result<T, Vec<FileProblem>> + Send + Sync;

/// What it means if a file is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vanished {
    /// An accident: the last version counts. At the start it is an error.
    KeepsLast,
    /// The same as an empty file.
    Empties,
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileProblem {
    path: PathBuf,
    line: Option<u64>,
    text: String,
}

/// A file, and the value that counts.
pub(super) struct Watched<T> {
    kind: Kind<T>,
    path: Option<PathBuf>,
    value: watch::Sender<Arc<T>>,
    /// What the last verdict was about.
    judged: Seen,
    /// What the last look saw, if that is something else: a file may be half written.
    changing: Option<Seen>,
    /// The stamps of all files, where they are old enough to say that nothing has changed.
    settled: Option<Vec<Stamp>>,
}

/// What a look sees, or a verdict is about: the file, and those that values of it come from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    file: Content,
    beside: BTreeMap<PathBuf, Content>,
}

impl<T> Kind<T> {
    pub(super) fn new(
        name: &'static str,
        vanished: Vanished,
        parse: impl Fn(&Path, &str, &mut Beside) -> Result<T, Vec<FileProblem>> + Send + Sync + 'static,
    ) -> Self {
        Self { name, vanished, parse: Box::new(parse) }
    }
}

impl FileProblem {
    pub(super) fn new(path: &Path, line: Option<u64>, text: &str) -> Self {
        Self { path: path.to_owned(), line, text: text.to_owned() }
    }
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        match self.line {
            Some(line) => write!(f, "{line}: {}", self.text),
            None => write!(f, " {}", self.text),
        }
    }
}

impl<T: Default> Watched<T> {
    /// Reads a file for the first time. Without a path the value is the empty one, for ever.
    pub(super) fn load(kind: Kind<T>, path: Option<&Path>) -> Result<Self, Vec<FileProblem>> {
        let mut watched = Self {
            kind,
            path: path.map(Path::to_owned),
            value: watch::Sender::new(Arc::default()),
            judged: Seen { file: Content::Missing, beside: BTreeMap::new() },
            changing: None,
            settled: None,
        };
        if let Some(path) = path {
            let mut beside = Beside::look(path, iter::empty());
            let (file, text) = read(path, FILE_BYTES_MAX);
            let value = watched.judge(path, &file, &text, &mut beside)?;
            watched.value.send_replace(Arc::new(value));
            watched.judged = Seen { file, beside: beside.used() };
        }
        Ok(watched)
    }

    /// The value, now and later.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<T>> {
        self.value.subscribe()
    }

    /// The path, if the file is not there.
    pub(super) fn missing(&self) -> Option<&Path> {
        self.path.as_deref().filter(|_| self.judged.file == Content::Missing)
    }

    /// Looks for a change. It counts when a second look sees the same, so a file that is written in several steps, or
    /// removed to be written anew, is not taken for what it is in between.
    pub(super) fn look(&mut self, metrics: &FileMetrics) {
        let Some(path) = self.path.clone() else { return };
        let stamps = self.stamps(&path);
        if stamps.is_some() && stamps == self.settled {
            return;
        }
        let beside = Beside::look(&path, self.judged.beside.keys());
        let (file, text) = read(&path, FILE_BYTES_MAX);
        let seen = Seen { file, beside: beside.seen() };
        if seen == self.judged {
            self.changing = None;
            self.settled = stamps.filter(|stamps| stamps.iter().all(Stamp::is_old));
        } else if self.changing.as_ref() == Some(&seen) {
            self.accept(&path, seen.file, &text, beside, metrics);
        } else {
            self.changing = Some(seen);
        }
    }

    /// The stamps of all files that the verdict is about, if all are there.
    fn stamps(&self, path: &Path) -> Option<Vec<Stamp>> {
        let paths = iter::once(path).chain(self.judged.beside.keys().map(PathBuf::as_path));
        paths.map(|path| Some(Stamp::of(&fs::metadata(path).ok()?))).collect()
    }

    fn accept(
        &mut self,
        path: &Path,
        content: Content,
        text: &Result<String, String>,
        mut beside: Beside,
        metrics: &FileMetrics,
    ) {
        let file = self.kind.name;
        match self.judge(path, &content, text, &mut beside) {
            Ok(value) => {
                self.value.send_replace(Arc::new(value));
                metrics.loaded(file);
                if content == Content::Missing {
                    tracing::warn!(file, path = %path.display(), "file has vanished and counts as empty");
                } else {
                    tracing::info!(file, path = %path.display(), "changed file is in effect");
                }
            }
            Err(problems) => {
                metrics.failed(file);
                tracing::error!(
                    file,
                    path = %path.display(),
                    problems = problems.len(),
                    "changed file cannot be used, its last good version stays in effect"
                );
                for problem in problems.iter().take(LOGGED_PROBLEMS_MAX) {
                    tracing::error!(file, %problem, "file is wrong");
                }
            }
        }
        // A file that is named for the first time is read only now: a change of it is seen by the next looks.
        self.judged = Seen { file: content, beside: beside.used() };
        self.changing = None;
        self.settled = None;
    }

    fn judge(
        &self,
        path: &Path,
        content: &Content,
        text: &Result<String, String>,
        beside: &mut Beside,
    ) -> Result<T, Vec<FileProblem>> {
        match text {
            Ok(text) => (self.kind.parse)(path, text, beside),
            Err(_) if *content == Content::Missing && self.kind.vanished == Vanished::Empties => {
                Ok(T::default())
            }
            Err(why) => Err(vec![FileProblem::new(path, None, why)]),
        }
    }
}
