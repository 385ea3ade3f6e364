//! Packages that tests use, such as the vendors' own clients of the documented APIs, and the programs under
//! `tests/conformance` that use them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::{install_once, local_dir, workspace_dir};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Runs a Python program with a vendor's client: `tests/conformance/python/PROGRAM.py BASE_URL`, with JSON as its input and
/// output.
///
/// # Errors
/// Its packages cannot be had, or it fails.
pub fn python<T: DeserializeOwned>(program: &str, base_url: &str, settings: &Value) -> Result<T> {
    python_in("python", program, base_url, settings)
}

/// Asks all routes for whether the answers are as their document says: `tests/conformance/openapi/answers.py`.
///
/// # Errors
/// The packages cannot be had, the document is not valid, or an answer is not as it says.
pub fn documented_answers<T: DeserializeOwned>(base_url: &str, settings: &Value) -> Result<T> {
    python_in("openapi", "answers", base_url, settings)
}

/// Runs a Python program of a folder, with the packages that the folder's `requirements.txt` names; they are installed once.
fn python_in<T: DeserializeOwned>(
    language: &str,
    program: &str,
    base_url: &str,
    settings: &Value,
) -> Result<T> {
    let requirements = folder(language).join("requirements.txt");
    let packages = python_packages(&format!("clients-{language}"), &requirements)?;
    let mut command = Command::new("python3");
    // -B: no compiled files in the tree.
    command.arg("-B").arg(folder(language).join(format!("{program}.py"))).env("PYTHONPATH", packages);
    answer(command.arg(base_url), settings)
}

/// Installs the packages that a `requirements.txt` names, once, and returns the folder with them; programs are in its `bin`.
///
/// # Errors
/// They cannot be had.
pub fn python_packages(name: &str, requirements: &Path) -> Result<PathBuf> {
    let packages = local_dir().join(name);
    install_once(&packages, requirements, |part| {
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
            "--no-compile",
        ]);
        pip.args(["--no-deps", "--root-user-action", "ignore", "--target"]).arg(part);
        run(pip.arg("--requirement").arg(requirements))
    })?;
    Ok(packages)
}

/// Runs a program for Node.js: `tests/conformance/node/PROGRAM.js BASE_URL`, with JSON as its input and output.
///
/// # Errors
/// Its packages cannot be had, or it fails.
pub fn node<T: DeserializeOwned>(program: &str, base_url: &str, settings: &Value) -> Result<T> {
    let sources = folder("node");
    let packages = node_packages("clients-node", &sources)?;
    // Packages are looked for beside the program.
    let program = format!("{program}.js");
    copy(&sources, &packages, &program)?;
    answer(Command::new("node").arg(packages.join(program)).arg(base_url), settings)
}

/// Installs the packages that a folder's `package-lock.json` names, once, and returns the folder with them. npm compares each
/// with the checksum of the lock file.
///
/// # Errors
/// They cannot be had.
pub fn node_packages(name: &str, sources: &Path) -> Result<PathBuf> {
    let packages = local_dir().join(name);
    install_once(&packages, &sources.join("package-lock.json"), |part| {
        for name in ["package.json", "package-lock.json", ".npmrc"] {
            copy(sources, part, name)?;
        }
        run(Command::new("npm").arg("ci").current_dir(part))
    })?;
    Ok(packages)
}

fn folder(language: &str) -> PathBuf {
    workspace_dir().join("tests/conformance").join(language)
}

pub(crate) fn copy(from: &Path, to: &Path, name: &str) -> Result<()> {
    fs::copy(from.join(name), to.join(name)).with_context(|| format!("copy {name}")).map(|_| ())
}

/// Runs a command that has to succeed.
///
/// # Errors
/// It fails, with what it said.
pub fn run(command: &mut Command) -> Result<()> {
    output(command, "").map(|_| ())
}

fn answer<T: DeserializeOwned>(command: &mut Command, settings: &Value) -> Result<T> {
    let output = output(command, &settings.to_string())?;
    serde_json::from_slice(&output.stdout).with_context(|| format!("the answer of {command:?}"))
}

fn output(command: &mut Command, input: &str) -> Result<Output> {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().with_context(|| format!("run {:?}", command.get_program()))?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
    Ok(output)
}
