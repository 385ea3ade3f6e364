//! A wall clock for a server, which can be set.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use crate::{Error, Result};

/// How far the wall clock of a server is off: eight bytes of a file that the server has mapped.
#[derive(Debug, Clone)]
pub struct Clock {
    file: PathBuf,
}

impl Clock {
    /// A clock that is right, kept in a file of its own.
    pub fn new(file: PathBuf) -> Result<Self> {
        let failed = || format!("write {}", file.display());
        fs::write(&file, 0_i64.to_le_bytes()).map_err(Error::io(failed))?;
        Ok(Self { file })
    }

    /// Sets it so many seconds before the machine's, below zero: behind.
    pub fn shift(&self, seconds: i64) -> Result<()> {
        let failed = || format!("write {}", self.file.display());
        // In place, at once.
        let open = OpenOptions::new().write(true).open(&self.file);
        open.and_then(|mut file| file.write_all(&seconds.to_le_bytes())).map_err(Error::io(failed))
    }

    /// The file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }
}
