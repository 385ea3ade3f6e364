//! The program under test.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The `meterhouse` program of the same build: beside the running one, or one folder up from a test binary.
///
/// # Errors
/// It was not built. Cargo builds a package's own programs for its tests, and this one is another package's.
pub fn meterhouse() -> Result<PathBuf> {
    let own = env::current_exe().context("the running program's own path")?;
    let dir = own.parent().unwrap_or(Path::new("/"));
    let profile_dir = match dir.file_name().and_then(|name| name.to_str()) {
        Some("deps") => dir.parent().unwrap_or(dir),
        _ => dir,
    };
    let program = profile_dir.join("meterhouse");
    if !program.exists() {
        let profile = if profile_dir.ends_with("release") { " --release" } else { "" };
        bail!(
            "no `meterhouse` program in {}; build it: cargo build{profile} -p meterhouse -p meterhouse-localstack",
            profile_dir.display()
        );
    }
    Ok(program)
}
