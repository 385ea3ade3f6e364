//! One file that is re-read when it changes.

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::metrics::FileMetrics;

/// Largest file, in bytes: some millions of subscriptions.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Problems of one file that are logged; a file with more is another kind of file.
const LOGGED_PROBLEMS_MAX: usize = 20;
/// A file system's clock may stand still that long, so a change within it may leave the times as they were.
const CLOCK_STEP_MAX: Duration = Duration::from_secs(2);

/// What a file means.
pub(super) struct Kind<T: 'static> {
    /// For logs and metrics.
    pub(super) name: &'static str,
    /// From its text to its value.
    pub(super) parse: fn(&Path, &str) -> Result<T, Vec<FileProblem>>,
    /// What its end means.
    pub(super) vanished: Vanished,
}

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
pub(super) struct Watched<T: 'static> {
    kind: &'static Kind<T>,
    path: Option<PathBuf>,
    value: watch::Sender<Arc<T>>,
    /// What the last verdict was about.
    judged: Content,
    /// What the last look saw, if that is something else: a file may be half written.
    changing: Option<Content>,
    /// The file's stamp, where it is old enough to say that nothing has changed.
    settled: Option<Stamp>,
}

/// What a look sees.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Text([u8; 32]),
    Missing,
    Unreadable(String),
}

/// What changes whenever a file does, within the accuracy of the file system's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
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
    pub(super) fn load(kind: &'static Kind<T>, path: Option<&Path>) -> Result<Self, Vec<FileProblem>> {
        let mut watched = Self {
            kind,
            path: path.map(Path::to_owned),
            value: watch::Sender::new(Arc::default()),
            judged: Content::Missing,
            changing: None,
            settled: None,
        };
        if let Some(path) = path {
            let (content, text) = read(path);
            let value = watched.judge(path, &content, text.as_deref())?;
            watched.value.send_replace(Arc::new(value));
            watched.judged = content;
        }
        Ok(watched)
    }

    /// The value, now and later.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<T>> {
        self.value.subscribe()
    }

    /// The path, if the file is not there.
    pub(super) fn missing(&self) -> Option<&Path> {
        self.path.as_deref().filter(|_| self.judged == Content::Missing)
    }

    /// Looks for a change. It counts when a second look sees the same, so a file that is written in several steps, or
    /// removed to be written anew, is not taken for what it is in between.
    pub(super) fn look(&mut self, metrics: &FileMetrics) {
        let Some(path) = self.path.clone() else { return };
        let stamp = fs::metadata(&path).ok().map(|metadata| Stamp::of(&metadata));
        if stamp.is_some() && stamp == self.settled {
            return;
        }
        let (content, text) = read(&path);
        if content == self.judged {
            self.changing = None;
            self.settled = stamp.filter(Stamp::is_old);
        } else if self.changing.as_ref() == Some(&content) {
            self.accept(&path, content, text.as_deref(), metrics);
        } else {
            self.changing = Some(content);
        }
    }

    fn accept(&mut self, path: &Path, content: Content, text: Option<&str>, metrics: &FileMetrics) {
        let file = self.kind.name;
        match self.judge(path, &content, text) {
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
        self.judged = content;
        self.changing = None;
    }

    fn judge(&self, path: &Path, content: &Content, text: Option<&str>) -> Result<T, Vec<FileProblem>> {
        match (content, text) {
            (Content::Text(_), Some(text)) => (self.kind.parse)(path, text),
            (Content::Missing, _) if self.kind.vanished == Vanished::Empties => Ok(T::default()),
            (Content::Unreadable(why), _) => Err(vec![FileProblem::new(path, None, why)]),
            (Content::Missing | Content::Text(_), _) => {
                Err(vec![FileProblem::new(path, None, "there is no such file")])
            }
        }
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            // Nobody can set this one.
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether a later change must have another stamp.
    fn is_old(&self) -> bool {
        let seconds = u64::try_from(self.changed.0.max(self.modified.0)).unwrap_or_default();
        let latest = UNIX_EPOCH + Duration::from_secs(seconds);
        SystemTime::now().duration_since(latest).is_ok_and(|age| age > CLOCK_STEP_MAX)
    }
}

/// What is in a file now, and the text where it is one.
fn read(path: &Path) -> (Content, Option<String>) {
    match read_text(path) {
        Ok(text) => (Content::Text(Sha256::digest(text.as_bytes()).into()), Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            (Content::Missing, None)
        }
        Err(error) => (Content::Unreadable(error.to_string()), None),
    }
}

fn read_text(path: &Path) -> std::io::Result<String> {
    // To open a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(std::io::Error::other(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8"))
}
