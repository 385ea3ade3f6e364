//! Downloads happen once and completely; what is missing to download is named.
//!
//! The downloaders are scripts, so that these tests can slow them down, make them fail and count them.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{self, Command, Output, Stdio},
    thread,
    time::Duration,
};

use meterhouse_localstack::{local_dir, workspace_dir};

const NPM: &str = r#"
echo npm >> "$METERHOUSE_LOCAL_DIR/calls"
if [ -e "$METERHOUSE_LOCAL_DIR/slow" ]; then sleep 3; fi
if [ -e "$METERHOUSE_LOCAL_DIR/fail" ]; then echo "no route to the registry" >&2; exit 7; fi
mkdir -p node_modules/@chdb/lib-linux-x64-gnu
echo library > node_modules/@chdb/lib-linux-x64-gnu/libchdb.so
"#;

const MVN: &str = r#"
echo mvn >> "$METERHOUSE_LOCAL_DIR/calls"
for word; do case $word in -DoutputDirectory=*) mkdir -p "${word#*=}" ;; esac; done
"#;

const JAVA: &str = r#"
if [ "$1" = -version ]; then echo 'openjdk version "17.0.1"' >&2; exit; fi
for word; do config=$word; done
mkdir -p "$(sed -n 's/^log.dirs=//p' "$config")"
"#;

/// Packages that are missed for tests alone.
const OF_TESTS: [&str; 6] = ["python3-pip", "chromium", "chromium-driver", "curl", "openssl", "patch"];

/// A folder of its own with the three programs in front of the others.
struct Sandbox(PathBuf);

impl Sandbox {
    fn new(name: &str) -> io::Result<Self> {
        let dir = local_dir().join(format!("run/setup-{name}-{}", process::id()));
        fs::create_dir_all(dir.join("bin"))?;
        for (program, script) in [("npm", NPM), ("mvn", MVN), ("java", JAVA)] {
            let path = dir.join("bin").join(program);
            fs::write(&path, format!("#!/bin/sh\n{script}"))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self(dir))
    }

    fn setup(&self) -> Command {
        let rest = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(env!("CARGO_BIN_EXE_localstack"));
        command.arg("setup").env("METERHOUSE_LOCAL_DIR", &self.0).env_remove("JAVA_HOME");
        command.env("PATH", format!("{}:{rest}", self.0.join("bin").display()));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.0.join("calls")).unwrap_or_default().replace('\n', " ")
    }

    fn parts(&self) -> usize {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().contains(".part-")).count()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_second_setup_downloads_nothing() {
    let sandbox = Sandbox::new("twice").unwrap();
    let first = sandbox.setup().output().unwrap();
    assert!(first.status.success(), "{}", stderr(&first));
    assert!(
        stderr(&first).contains("kafka: fetching the jars by Maven, 0 files: done"),
        "{}",
        stderr(&first)
    );
    let second = sandbox.setup().output().unwrap();
    assert!(second.status.success() && stderr(&second).is_empty(), "{}", stderr(&second));
    assert_eq!(sandbox.calls(), "npm mvn ");

    // Another version asks for another file: only that is fetched again.
    fs::write(sandbox.0.join("kafka/pom.xml"), "an older one").unwrap();
    assert!(sandbox.setup().status().unwrap().success());
    assert_eq!(sandbox.calls(), "npm mvn mvn ");
}

#[test]
fn two_at_once_download_once() {
    let sandbox = Sandbox::new("both").unwrap();
    fs::write(sandbox.0.join("slow"), "").unwrap();
    let one = sandbox.setup().spawn().unwrap();
    thread::sleep(Duration::from_millis(500));
    let two = sandbox.setup().output().unwrap();
    let one = one.wait_with_output().unwrap();
    assert!(one.status.success() && two.status.success(), "{}{}", stderr(&one), stderr(&two));
    assert!(stderr(&two).contains("waiting for another"), "{}", stderr(&two));
    assert_eq!(sandbox.calls(), "npm mvn ");
}

#[test]
fn an_interrupted_download_is_done_again() {
    let sandbox = Sandbox::new("cut").unwrap();
    fs::write(sandbox.0.join("slow"), "").unwrap();
    let mut one = sandbox.setup().spawn().unwrap();
    while sandbox.calls().is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    one.kill().unwrap();
    one.wait().unwrap();
    assert_eq!(sandbox.parts(), 1, "what the killed one left");
    fs::remove_file(sandbox.0.join("slow")).unwrap();
    let two = sandbox.setup().output().unwrap();
    assert!(two.status.success(), "{}", stderr(&two));
    assert_eq!((sandbox.calls().as_str(), sandbox.parts()), ("npm npm mvn ", 0));
    thread::sleep(Duration::from_secs(3)); // until the first npm is over: it must not spoil anything
    assert!(sandbox.setup().output().unwrap().status.success());
    assert_eq!(sandbox.calls(), "npm npm mvn ");
}

#[test]
fn a_failed_download_shows_why() {
    let sandbox = Sandbox::new("fail").unwrap();
    fs::write(sandbox.0.join("fail"), "").unwrap();
    let output = sandbox.setup().output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("fetching clickhouse failed (exit status: 7)"), "{text}");
    assert!(text.contains("no route to the registry"), "{text}");
    fs::remove_file(sandbox.0.join("fail")).unwrap();
    assert!(sandbox.setup().output().unwrap().status.success());
}

/// A sandbox, and in it a folder of programs in which all is missing that has a package.
fn bare(name: &str) -> io::Result<(Sandbox, PathBuf)> {
    let sandbox = Sandbox::new(name)?;
    let bare = sandbox.0.join("bare");
    fs::create_dir(&bare)?;
    for program in ["sh", "sed", "head", "uname", "getconf"] {
        let found = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(program));
        if let Some(found) = found.iter().find(|path| path.exists()) {
            symlink(found, bare.join(program))?;
        }
    }
    Ok((sandbox, bare))
}

#[test]
fn everything_missing_is_named_at_once() {
    let (sandbox, bare) = bare("bare").unwrap();
    let output = sandbox.setup().env("PATH", &bare).output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    for package in "openjdk-17-jdk-headless maven nodejs npm gcc g++ make pkg-config libssl-dev zlib1g-dev \
                    python3 rustup"
        .split(' ')
        .filter(|word| !word.is_empty())
    {
        assert!(text.contains(&format!("package {package}")), "{package} in: {text}");
    }
    for package in OF_TESTS {
        assert!(!text.contains(&format!("package {package}")), "{package} in: {text}");
    }
    assert_eq!(sandbox.calls(), "");
}

#[test]
fn what_only_tests_need_is_named_for_tests() {
    let (_sandbox, bare) = bare("bare-tests").unwrap();
    let script = workspace_dir().join("deploy/local/prerequisites.sh");
    let output = Command::new("sh").arg(script).arg("tests").env("PATH", bare).output().unwrap();
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    for package in OF_TESTS.iter().chain(&["python3", "rustup"]) {
        assert!(text.contains(&format!("package {package}")), "{package} in: {text}");
    }
}
