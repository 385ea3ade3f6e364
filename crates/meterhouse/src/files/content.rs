//! What is in a file, and whether it can have changed.

use std::fs::{self, File, Metadata};
use std::io::{Error, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

/// A file system's clock may stand still that long, so a change within it may leave the times as they were.
pub(super) const CLOCK_STEP_MAX: Duration = Duration::from_secs(2);

/// What a look sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Text([u8; 32]),
    Missing,
    Unreadable(String),
}

/// What changes whenever a file does, within the accuracy of the file system's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    pub(super) modified: (i64, i64),
    pub(super) changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
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
    pub(super) fn is_old(&self) -> bool {
        let seconds = u64::try_from(self.changed.0.max(self.modified.0)).unwrap_or_default();
        let latest = UNIX_EPOCH + Duration::from_secs(seconds);
        SystemTime::now().duration_since(latest).is_ok_and(|age| age > CLOCK_STEP_MAX)
    }
}

/// What is in a file now, and its text of so many bytes at most, or why there is none.
pub(super) fn read(path: &Path, bytes_max: u64) -> (Content, Result<String, String>) {
    match read_text(path, bytes_max) {
        Ok(text) => (Content::Text(Sha256::digest(text.as_bytes()).into()), Ok(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            (Content::Missing, Err("there is no such file".to_owned()))
        }
        Err(error) => (Content::Unreadable(error.to_string()), Err(error.to_string())),
    }
}

fn read_text(path: &Path, bytes_max: u64) -> std::io::Result<String> {
    // To open a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(Error::other(format!("it has more than {bytes_max} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| Error::other("it is not UTF-8"))
}
