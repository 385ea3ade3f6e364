//! The example producers under `docs/producers`. What they need is downloaded below the local folder, once.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use meterhouse_localstack::{install_once, local_dir, workspace_dir};

use crate::clients::{self, copy, node_packages, run};

/// The Go that the example's packages ask for.
const GO_MINOR_MIN: u32 = 24;

/// The folder of all examples.
pub fn folder() -> PathBuf {
    workspace_dir().join("docs/producers")
}

/// The example in Python.
///
/// # Errors
/// Its packages cannot be had.
pub fn python() -> Result<Command> {
    let mut command = Command::new("python3");
    command.arg("-B").arg(folder().join("python/usage.py")).env("PYTHONPATH", python_packages()?);
    Ok(command)
}

/// The folder of the packages that the example in Python needs.
///
/// # Errors
/// They cannot be had.
pub fn python_packages() -> Result<PathBuf> {
    clients::python_packages("guides-python", &folder().join("python/requirements.txt"))
}

/// The example in Go; none where no Go is installed that is new enough.
///
/// # Errors
/// Its packages cannot be had.
pub fn go() -> Result<Option<Command>> {
    if !is_go_new_enough() {
        return Ok(None);
    }
    let cache = local_dir().join("guides-go");
    fs::create_dir_all(&cache)?;
    let mut command = Command::new("go");
    command.args(["run", "-modcacherw", "."]).current_dir(folder().join("go"));
    // The language's own caches: the first run downloads and compiles.
    command.env("GOMODCACHE", cache.join("mod")).env("GOCACHE", cache.join("build")).env("GOFLAGS", "");
    Ok(Some(command))
}

/// `go version go1.24.4 linux/amd64`
fn is_go_new_enough() -> bool {
    let output = Command::new("go").arg("version").env("GOTOOLCHAIN", "local").output();
    let version =
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let minor = version.split("go1.").nth(1).and_then(|rest| rest.split(['.', ' ']).next()?.parse().ok());
    minor.is_some_and(|minor: u32| minor >= GO_MINOR_MIN)
}

/// The example in Java.
///
/// # Errors
/// Its packages cannot be had.
pub fn java() -> Result<Command> {
    let sources = folder().join("java");
    let packages = local_dir().join("guides-java");
    install_once(&packages, &sources.join("pom.xml"), |part| {
        let mut maven = Command::new("mvn");
        maven.args(["--batch-mode", "--quiet", "dependency:copy-dependencies", "--file"]);
        maven.arg(sources.join("pom.xml")).arg(format!("-DoutputDirectory={}", part.display()));
        run(&mut maven)
    })?;
    let mut command = Command::new("java");
    command.arg("-cp").arg(packages.join("*")).arg(sources.join("Usage.java"));
    Ok(command)
}

/// The example for Node.js.
///
/// # Errors
/// Its packages cannot be had.
pub fn node() -> Result<Command> {
    let sources = folder().join("node");
    let packages = node_packages("guides-node", &sources)?;
    // Packages are looked for beside the program.
    copy(&sources, &packages, "usage.js")?;
    let mut command = Command::new("node");
    command.arg(packages.join("usage.js"));
    Ok(command)
}

/// The example in Rust, which is compiled beside the workspace.
///
/// # Errors
/// It cannot be compiled.
pub fn rust() -> Result<Command> {
    let target = workspace_dir().join("target/guides");
    let mut build = Command::new("cargo");
    build.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(folder().join("rust/Cargo.toml"));
    run(build.arg("--target-dir").arg(&target)).context("compile the example")?;
    Ok(Command::new(target.join("debug/usage")))
}
