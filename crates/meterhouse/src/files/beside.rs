//! The files that values of a watched file come from, such as a merchant's secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::content::{Content, read};

/// Largest of these files, in bytes: a larger one holds something else.
const BYTES_MAX: u64 = 64 * 1024;

/// The files beside one file, each read once for a look and the verdict that follows from it.
pub(super) struct Beside {
    folder: PathBuf,
    read: BTreeMap<PathBuf, (Content, Result<String, String>)>,
    used: BTreeMap<PathBuf, Content>,
}

impl Beside {
    /// Reads the files that the last version of a file has used.
    pub(super) fn look<'p>(path: &Path, used: impl Iterator<Item = &'p PathBuf>) -> Self {
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let read = used.map(|path| (path.clone(), read(path, BYTES_MAX))).collect();
        Self { folder, read, used: BTreeMap::new() }
    }

    /// What the look has seen.
    pub(super) fn seen(&self) -> BTreeMap<PathBuf, Content> {
        self.read.iter().map(|(path, (content, _))| (path.clone(), content.clone())).collect()
    }

    /// The text of a file whose path starts at the folder of the watched one, or why there is none.
    pub(super) fn text(&mut self, path: impl AsRef<Path>) -> Result<String, String> {
        let path = self.folder.join(path);
        let (content, text) = self.read.entry(path.clone()).or_insert_with(|| read(&path, BYTES_MAX));
        self.used.insert(path, content.clone());
        text.clone()
    }

    /// What the verdict is about, beside the file itself.
    pub(super) fn used(self) -> BTreeMap<PathBuf, Content> {
        self.used
    }
}
