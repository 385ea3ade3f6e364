//! `up` and `down`: the pair on its usual ports, held by a process of its own.
//!
//! That process holds a lock on the file with its id for as long as it lives. So `down` can trust the id,
//! and a second `up` notices the first.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Seek, Write},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use meterhouse_localstack::{ClickHouseOptions, KafkaOptions, Stack, StackOptions, local_dir, setup};
use nix::{
    sys::signal::{SigSet, Signal, kill},
    unistd::{self, Pid},
};

/// The detached process says this when both servers answer.
const READY: &str = "ready";
/// More than both servers' own limits for a clean stop.
const DOWN_LIMIT: Duration = Duration::from_secs(100);

/// Arguments of `localstack up`.
#[derive(Debug, clap::Args)]
pub(crate) struct UpArgs {
    /// Kafka's port on 127.0.0.1.
    #[arg(long, default_value_t = 9092)]
    kafka_port: u16,
    /// ClickHouse's HTTP port on 127.0.0.1.
    #[arg(long, default_value_t = 8123)]
    http_port: u16,
    /// ClickHouse's native port on 127.0.0.1.
    #[arg(long, default_value_t = 9000)]
    tcp_port: u16,
    /// Kafka's largest heap in MiB.
    #[arg(long, default_value_t = 1024)]
    kafka_heap: u32,
    /// Stay until Ctrl-C instead of going to the background.
    #[arg(long)]
    foreground: bool,
    /// The process in the background.
    #[arg(long, hide = true)]
    detached: bool,
}

/// Starts both servers and returns when they answer, or at Ctrl-C with `--foreground`.
pub(crate) fn up(arguments: &UpArgs) -> Result<()> {
    let mut pid_file = open_pid_file()?;
    if pid_file.try_lock().is_err() {
        println!("already up (process {}); `make down` ends it", read_pid(&mut pid_file)?);
        return Ok(());
    }
    if arguments.foreground {
        return hold(arguments, pid_file);
    }
    setup()?;
    drop(pid_file); // the process in the background locks it again
    detach(arguments)
}

/// Ends what `up` started, cleanly.
pub(crate) fn down() -> Result<()> {
    let mut pid_file = open_pid_file()?;
    if pid_file.try_lock().is_ok() {
        println!("not running");
        return Ok(());
    }
    let pid = read_pid(&mut pid_file)?;
    kill(pid, Signal::SIGTERM).with_context(|| format!("signal process {pid}"))?;
    println!("stopping kafka and clickhouse");
    let begun = Instant::now();
    while pid_file.try_lock().is_err() {
        if begun.elapsed() > DOWN_LIMIT {
            bail!("process {pid} did not end within {} s", DOWN_LIMIT.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
    println!("stopped; the data stays in {}", up_dir().display());
    Ok(())
}

/// Runs ourselves again in the background and passes on what that says until both servers answer.
fn detach(arguments: &UpArgs) -> Result<()> {
    let log = up_dir().join("localstack.log");
    let errors = File::create(&log).with_context(|| format!("create {}", log.display()))?;
    let mut command = Command::new(std::env::current_exe().context("our own path")?);
    command.args(["up", "--foreground", "--detached"]);
    for (name, value) in [
        ("--kafka-port", u32::from(arguments.kafka_port)),
        ("--http-port", u32::from(arguments.http_port)),
        ("--tcp-port", u32::from(arguments.tcp_port)),
        ("--kafka-heap", arguments.kafka_heap),
    ] {
        command.arg(name).arg(value.to_string());
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn()?;
    let output = child.stdout.take().context("no pipe from the background")?;
    for line in BufReader::new(output).lines() {
        let line = line.context("read from the background")?;
        if line == READY {
            return Ok(());
        }
        println!("{line}");
    }
    let status = child.wait().context("wait for the background")?;
    bail!("not started ({status}):\n{}", fs::read_to_string(&log).unwrap_or_default().trim_end())
}

/// Starts both servers and holds them until a signal asks to end.
fn hold(arguments: &UpArgs, mut pid_file: File) -> Result<()> {
    if arguments.detached {
        unistd::setsid().context("leave the terminal")?;
    }
    let signals: SigSet = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect();
    signals.thread_block().context("block signals")?;
    pid_file.set_len(0)?;
    pid_file.rewind()?;
    writeln!(pid_file, "{}", unistd::getpid()).context("write our process id")?;

    println!("starting kafka and clickhouse");
    let begun = Instant::now();
    let stack = Stack::start(options(arguments))?;
    let (kafka, clickhouse) = (stack.kafka(), stack.clickhouse());
    println!("kafka:      {} (process {}, log {})", kafka.bootstrap(), kafka.pid()?, kafka.log().display());
    println!(
        "clickhouse: {}, native protocol on port {} (process {}, log {})",
        clickhouse.http_url(),
        clickhouse.tcp_port(),
        clickhouse.pid()?,
        clickhouse.log().display()
    );
    println!("up after {:.1} s; data in {}", begun.elapsed().as_secs_f64(), up_dir().display());
    if arguments.detached {
        println!("{READY}");
    }
    signals.wait().context("wait for a signal")?;
    // Nobody reads our standard output any more: say nothing from here on.
    thread::scope(|scope| {
        let kafka = scope.spawn(|| stack.kafka().stop());
        let clickhouse = stack.clickhouse().stop();
        kafka.join().unwrap_or(Ok(())).and(clickhouse)
    })?;
    Ok(())
}

fn options(arguments: &UpArgs) -> StackOptions {
    let dir = up_dir();
    StackOptions {
        kafka: KafkaOptions {
            data_dir: Some(dir.join("kafka")),
            port: arguments.kafka_port,
            heap_mebibytes: arguments.kafka_heap,
            ..KafkaOptions::default()
        },
        clickhouse: ClickHouseOptions {
            data_dir: Some(dir.join("clickhouse")),
            http_port: arguments.http_port,
            tcp_port: arguments.tcp_port,
            ..ClickHouseOptions::default()
        },
    }
}

fn up_dir() -> PathBuf {
    local_dir().join("up")
}

fn open_pid_file() -> Result<File> {
    let dir = up_dir();
    fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
    let path = dir.join("pid");
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    options.open(&path).with_context(|| format!("open {}", path.display()))
}

fn read_pid(file: &mut File) -> Result<Pid> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    // It is written a moment after the lock was taken.
    let pid = text.trim().parse().context("another start is under way; try again")?;
    Ok(Pid::from_raw(pid))
}
