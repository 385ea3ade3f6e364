//! Where things are: the workspace's files, the ignored folder for downloads and data, the supervisor.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{Error, Result};

/// The top of the workspace that this crate was compiled in.
pub fn workspace_dir() -> PathBuf {
    // crates/localstack -> crates -> the workspace
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map_or_else(PathBuf::new, Path::to_path_buf)
}

/// The folder for downloads and data: `METERHOUSE_LOCAL_DIR`, or `.local` at the top of the workspace.
pub fn local_dir() -> PathBuf {
    match env::var_os("METERHOUSE_LOCAL_DIR") {
        Some(dir) if !dir.is_empty() => std::path::absolute(&dir).unwrap_or_else(|_| PathBuf::from(dir)),
        _ => workspace_dir().join(".local"),
    }
}

/// The committed configuration of both servers.
pub(crate) fn deploy_dir() -> PathBuf {
    workspace_dir().join("deploy/local")
}

/// A data folder for one server: the given one, or a new one that is to be removed with the server.
pub(crate) struct DataDir {
    pub(crate) path: PathBuf,
    pub(crate) removed_at_end: bool,
}

impl DataDir {
    pub(crate) fn create(given: Option<PathBuf>, server: &str) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let removed_at_end = given.is_none();
        let path = match given {
            Some(path) => std::path::absolute(&path).map_err(Error::io(|| format!("{}", path.display())))?,
            None => loop {
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let path = local_dir().join("run").join(format!("{server}-{}-{number}", process::id()));
                // A folder of an earlier process with our id may still be there after a crash.
                if !path.exists() {
                    break path;
                }
            },
        };
        fs::create_dir_all(&path).map_err(Error::io(|| format!("create {}", path.display())))?;
        Ok(Self { path, removed_at_end })
    }
}

/// The `localstack` binary beside the running program, or one folder up: test binaries are in `deps/`.
pub(crate) fn supervisor_program() -> Result<PathBuf> {
    let own = env::current_exe().map_err(Error::io(|| "the running program's own path"))?;
    let dir = own.parent().unwrap_or(Path::new("/"));
    let profile_dir = match dir.file_name().and_then(|name| name.to_str()) {
        Some("deps" | "examples") => dir.parent().unwrap_or(dir),
        _ => dir,
    };
    let program = profile_dir.join("localstack");
    match program.try_exists() {
        Ok(true) => Ok(program),
        Ok(false) | Err(_) => {
            let profile = if profile_dir.ends_with("release") { " --release" } else { "" };
            Err(Error::NoSupervisor { dir: profile_dir.to_path_buf(), profile })
        }
    }
}

/// The last lines of a log, for an error's text. Stack traces are left out: they would hide the message.
pub(crate) fn tail(log: &Path) -> String {
    const LINES: usize = 20;
    const BYTES: usize = 64 * 1024;
    let bytes = match fs::read(log) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return "(no log was written)".to_owned(),
        Err(error) => return format!("(cannot be read: {error})"),
    };
    let text = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(BYTES)..]);
    let lines: Vec<&str> = text.lines().filter(|line| !is_noise(line)).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// An empty line, or a frame of Java's or ClickHouse's stack traces (`\tat a.B.c(B.java:1)`, `7. f() @ 0x1`).
fn is_noise(line: &str) -> bool {
    let text = line.trim();
    let clickhouse = text.starts_with(|first: char| first.is_ascii_digit()) && text.contains(" @ 0x");
    text.is_empty() || text.starts_with("at ") || clickhouse
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_keeps_messages_and_drops_frames() {
        let dir = local_dir().join("run");
        fs::create_dir_all(&dir).unwrap();
        let log = dir.join(format!("tail-{}.log", process::id()));
        let frames = "\tat kafka.Kafka.main(Kafka.scala:87)\n12. main @ 0x00100\n\n".repeat(100);
        fs::write(&log, format!("the reason\n2. is kept\n{frames}")).unwrap();
        assert_eq!(tail(&log), "the reason\n2. is kept");
        fs::remove_file(&log).unwrap();
        assert_eq!(tail(&log), "(no log was written)");
    }
}
