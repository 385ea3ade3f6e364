//! Downloads, once: Kafka's jars by Maven, ClickHouse's library by npm.
//!
//! Each download goes to a folder of its own that gets its final name only when it is complete and holds a
//! copy of the file that asked for it (`pom.xml`, `package-lock.json`). So an interrupted download is
//! done again, and so is one that was made for another version. A lock file keeps two set-ups apart.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    thread,
    time::Duration,
};

use crate::{Error, Result, kafka, paths, progress::Progress};

/// The size of the unpacked ClickHouse package, for progress only.
const CLICKHOUSE_MEGABYTES: u64 = 569;
/// Any text of the right form will do: every stack is a cluster of one.
const CLUSTER_ID: &str = "bG9jYWxzdGFja2NsdXN0ZQ";

/// What the servers are started from.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The folder of Kafka's jars, the tools' included.
    pub kafka_libs: PathBuf,
    /// The files of an empty, formatted Kafka storage, to be copied.
    pub kafka_storage: PathBuf,
    /// The ClickHouse library.
    pub libchdb: PathBuf,
}

/// Downloads what is missing into [`crate::local_dir`] and says where it is. Takes no time if nothing is
/// missing; otherwise reports its progress on standard error. Several processes may call it at once.
pub fn setup() -> Result<Installed> {
    let local = paths::local_dir();
    let kafka = local.join("kafka");
    let clickhouse = local.join("clickhouse");
    let installed = Installed {
        kafka_libs: kafka.join("libs"),
        kafka_storage: kafka.join("storage"),
        libchdb: clickhouse.join("node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"),
    };
    let (pom, lock_file) = (source("kafka/pom.xml"), source("clickhouse/package-lock.json"));
    if is_complete(&kafka, &pom) && is_complete(&clickhouse, &lock_file) {
        return Ok(installed);
    }
    check_prerequisites()?;
    install_once(&clickhouse, &lock_file, fetch_clickhouse)?;
    install_once(&kafka, &pom, fetch_kafka)?;
    Ok(installed)
}

/// Makes a folder in [`crate::local_dir`] complete: `fetch` fills another one, which then takes its place. Does nothing if that
/// has been done for what `source` says now. Several processes may call it at once.
///
/// # Errors
/// That of `fetch`, or the folder cannot be written.
pub fn install_once<E: From<Error>>(
    dir: &Path,
    source: &Path,
    fetch: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    if is_complete(dir, source) {
        return Ok(());
    }
    let local = paths::local_dir();
    fs::create_dir_all(&local).map_err(Error::io(|| format!("create {}", local.display())))?;
    let _lock = lock(&local)?;
    // Another process may have done it in the meantime.
    if is_complete(dir, source) { Ok(()) } else { install(dir, source, fetch) }
}

/// Names every missing program and package at once, each with what brings it.
pub(crate) fn check_prerequisites() -> Result<()> {
    let script = source("prerequisites.sh");
    let failed = || format!("run {}", script.display());
    let output = Command::new("sh").arg(&script).output().map_err(Error::io(failed))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Prerequisites(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()))
}

fn source(name: &str) -> PathBuf {
    paths::deploy_dir().join(name)
}

/// Complete means: the folder holds a copy of the very file that asks for it now.
fn is_complete(dir: &Path, source: &Path) -> bool {
    let stamp = source.file_name().map(|name| fs::read(dir.join(name)));
    matches!((stamp, fs::read(source)), (Some(Ok(stamp)), Ok(source)) if stamp == source)
}

fn lock(local: &Path) -> Result<File> {
    let path = local.join("setup.lock");
    let failed = || format!("lock {}", path.display());
    let file = File::create(&path).map_err(Error::io(failed))?;
    if file.try_lock().is_err() {
        eprintln!("setup: waiting for another one that is downloading");
        file.lock().map_err(Error::io(failed))?;
    }
    Ok(file)
}

/// Fetches into a folder beside `dir` and moves it into place.
fn install<E: From<Error>>(
    dir: &Path,
    source: &Path,
    fetch: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    remove_leftovers(dir)?;
    // The process id is in the name because a killed set-up may leave a downloader behind that still writes.
    let part = dir.with_extension(format!("part-{}", process::id()));
    let failed = || format!("prepare {}", dir.display());
    fs::create_dir_all(&part).map_err(Error::io(failed))?;
    fetch(&part)?;
    if let Some(name) = source.file_name() {
        fs::copy(source, part.join(name)).map_err(Error::io(failed))?;
    }
    Ok(fs::rename(&part, dir).map_err(Error::io(failed))?)
}

/// Removes the folder of another version and what interrupted downloads left.
fn remove_leftovers(dir: &Path) -> Result<()> {
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name().and_then(|name| name.to_str())) else {
        return Ok(());
    };
    let failed = || format!("clean {}", parent.display());
    let part = format!("{name}.part-");
    for entry in fs::read_dir(parent).map_err(Error::io(failed))? {
        let entry = entry.map_err(Error::io(failed))?;
        let found = entry.file_name();
        if found == name || found.to_string_lossy().starts_with(&part) {
            fs::remove_dir_all(entry.path()).map_err(Error::io(failed))?;
        }
    }
    Ok(())
}

fn fetch_clickhouse(part: &Path) -> Result<()> {
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        let from = source("clickhouse").join(name);
        let failed = || format!("copy {}", from.display());
        fs::copy(&from, part.join(name)).map_err(Error::io(failed))?;
    }
    let mut command = Command::new("npm");
    command.arg("ci").current_dir(part);
    run("clickhouse", "fetching the library by npm", command, part, |_| {
        let megabytes = size(&part.join("node_modules")) / 1_000_000;
        format!("{megabytes} of {CLICKHOUSE_MEGABYTES} MB")
    })
}

fn fetch_kafka(part: &Path) -> Result<()> {
    let libs = part.join("libs");
    let mut command = Command::new("mvn");
    command.args(["--batch-mode", "-Dstyle.color=never", "dependency:copy-dependencies", "--file"]);
    command.arg(source("kafka/pom.xml"));
    let mut output = std::ffi::OsString::from("-DoutputDirectory=");
    output.push(&libs);
    command.arg(output);
    run("kafka", "fetching the jars by Maven", command, part, |log| {
        let fetched = fs::read_to_string(log).unwrap_or_default();
        format!("{} files", fetched.lines().filter(|line| line.contains("Downloaded")).count())
    })?;
    format_storage(part)
}

/// Formats an empty storage once, because a JVM for it takes two seconds at each start of a stack.
fn format_storage(part: &Path) -> Result<()> {
    let installed = Installed {
        kafka_libs: part.join("libs"),
        kafka_storage: part.join("storage"),
        libchdb: PathBuf::new(),
    };
    let common = source("kafka/server.properties");
    let failed = || format!("read {}", common.display());
    let text = fs::read_to_string(&common).map_err(Error::io(failed))?;
    let config = part.join("format.properties");
    // The ports are not looked at here.
    let text = format!(
        "{text}\nlisteners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2\n\
         controller.quorum.voters=1@127.0.0.1:2\nlog.dirs={}\n",
        installed.kafka_storage.display()
    );
    fs::write(&config, text).map_err(Error::io(|| format!("write {}", config.display())))?;
    let mut command = Command::new(kafka::java_program());
    command.args(kafka::java_arguments(&installed, 256, "warn"));
    command.args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"]).arg(&config);
    run("kafka", "formatting an empty storage", command, part, |_| "needed once".to_owned())
}

/// Runs a command with its output in a file, and shows `state` of that file while it runs.
fn run(
    name: &'static str,
    what: &str,
    mut command: Command,
    part: &Path,
    state: impl Fn(&Path) -> String,
) -> Result<()> {
    const POLL: Duration = Duration::from_millis(250);
    let program = command.get_program().to_string_lossy().into_owned();
    let short_name = program.rsplit('/').next().unwrap_or_default();
    // Beside the folder, so that it outlives it.
    let log = part.with_file_name(format!("setup-{short_name}.log"));
    let file = File::create(&log).map_err(Error::io(|| format!("create {}", log.display())))?;
    let second = file.try_clone().map_err(Error::io(|| format!("open {}", log.display())))?;
    command.stdin(Stdio::null()).stdout(file).stderr(second);
    let mut progress = Progress::begin(name, what);
    let failed = || format!("run {program}");
    let mut child = command.spawn().map_err(Error::io(failed))?;
    let status = loop {
        match child.try_wait().map_err(Error::io(failed))? {
            Some(status) => break status,
            None => progress.update(format!("{what}, {}", state(&log))),
        }
        thread::sleep(POLL);
    };
    if status.success() {
        progress.finish(&format!("{what}, {}: done", state(&log)));
        return Ok(());
    }
    progress.finish(&format!("{what}: failed"));
    let tail = paths::tail(&log);
    Err(Error::Download { what: name, status: status.to_string(), log, tail })
}

/// The bytes in a folder that is being written.
fn size(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => size(&entry.path()),
            Ok(data) => data.len(),
            Err(_) => 0,
        })
        .sum()
}
