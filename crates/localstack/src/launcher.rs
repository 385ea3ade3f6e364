//! Becomes a ClickHouse server out of `libchdb.so`.
//!
//! The library's `chdb_query_cmdline` is `clickhouse local`; its `SYSTEM START LISTEN` opens the server's
//! own HTTP and TCP handlers. Without a terminal as standard input, `clickhouse local` ends the whole process
//! when any exception leaves a connection's thread (a wrong password over native TCP is enough). So it gets a
//! pseudo-terminal and `--interactive`: after the start queries it waits at its prompt, and the end of
//! that terminal is a clean shutdown. A failed start query leaves it at the prompt too, without a file of ports.
#![expect(unsafe_code, reason = "ClickHouse is a C library that is loaded by path")]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    fs::{self, File},
    io::Read,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, ensure};
use nix::{
    pty::openpty,
    sys::signal::{SigSet, Signal, kill},
    unistd,
};

use crate::vdso;

const PROMPT: &str = "localstack-ready>";
/// As much as a main thread has; parsing of deep queries needs it.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Arguments of `localstack launch-clickhouse`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LauncherArgs {
    /// libchdb.so.
    #[arg(long)]
    library: PathBuf,
    #[arg(long)]
    data_dir: PathBuf,
    /// ClickHouse ignores a missing file without a word, so it is checked here.
    #[arg(long)]
    config_file: PathBuf,
    /// Written when both ports answer: {"http":21236,"tcp":21237,"pid":1234}.
    #[arg(long)]
    ready_file: PathBuf,
    #[arg(long)]
    http_port: u16,
    #[arg(long)]
    tcp_port: u16,
    /// Seconds by which the wall clock is off: eight bytes, little-endian, which may change at any time.
    #[arg(long)]
    clock_offset: Option<PathBuf>,
}

/// How the server came to its end.
#[derive(Debug, Default)]
struct Ending {
    /// The owner, a signal or a failed start asked for it.
    asked: AtomicBool,
    /// The prompt appeared, but no ports.
    start_failed: AtomicBool,
    /// The library returned an error, or returned without being asked to.
    failed: AtomicBool,
    /// The library returned.
    over: AtomicBool,
}

/// Runs the server until standard input ends or a signal comes; then ends this process.
pub(crate) fn launch(arguments: LauncherArgs) -> Result<()> {
    let config = &arguments.config_file;
    ensure!(config.is_file(), "no configuration file {}", config.display());
    fs::create_dir_all(&arguments.data_dir).context("create the data folder")?;
    // ClickHouse writes it piece by piece; the ready file appears when it is complete.
    let ports = arguments.data_dir.join(format!("ports.{}.json", process::id()));
    let command_line = command_line(&arguments, &ports)?;
    if let Some(file) = &arguments.clock_offset {
        vdso::shift_clock(file)?;
    }

    let Streams { owner, terminal, console } = Streams::replace()?;
    // Blocked before any other thread exists, so that only `sigwait` below gets them.
    let signals: SigSet = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect();
    signals.thread_block().context("block signals")?;
    let ending = Arc::new(Ending::default());
    thread::spawn(move || {
        drain(owner, |_| {});
        wake();
    });
    thread::spawn({
        let (ending, ready) = (Arc::clone(&ending), arguments.ready_file);
        move || watch_console(console, &ports, &ready, &ending)
    });
    thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn({
            let ending = Arc::clone(&ending);
            move || serve(&arguments.library, &command_line, &ending)
        })
        .context("start a thread")?;

    let mut terminal = Some(terminal);
    while !ending.over.load(Ordering::SeqCst) {
        signals.wait().context("wait for a signal")?;
        ending.asked.store(true, Ordering::SeqCst);
        drop(terminal.take()); // the end of the terminal's input: ClickHouse leaves its prompt
    }
    let failed = ending.start_failed.load(Ordering::SeqCst) || ending.failed.load(Ordering::SeqCst);
    // SAFETY: `_exit` takes no pointers and does not return. Threads of ClickHouse may still run, so the
    // destructors that a normal exit would call must not.
    unsafe { nix::libc::_exit(c_int::from(failed)) }
}

/// Our ends of what ClickHouse takes for its terminal.
struct Streams {
    /// The former standard input; its end means that the owner is gone.
    owner: OwnedFd,
    /// The master side of the terminal that is now standard input.
    terminal: OwnedFd,
    /// What is written to standard output comes out here: the prompt.
    console: OwnedFd,
}

impl Streams {
    /// Exchanges this process's standard input and output.
    fn replace() -> Result<Self> {
        let owner = unistd::dup(std::io::stdin()).context("keep standard input")?;
        let terminal = openpty(None, None).context("open a terminal")?;
        unistd::dup2_stdin(&terminal.slave).context("use the terminal")?;
        let (console, output) = unistd::pipe().context("open a pipe")?;
        unistd::dup2_stdout(&output).context("use the pipe")?;
        Ok(Self { owner, terminal: terminal.master, console })
    }
}

/// Runs the server to its end and says how that came.
fn serve(library: &Path, command_line: &[CString], ending: &Ending) {
    let outcome = run_library(library, command_line);
    if let Err(error) = &outcome {
        eprintln!("{error:#}");
    }
    let unasked = !ending.asked.load(Ordering::SeqCst);
    ending.failed.store(outcome.is_err() || unasked, Ordering::SeqCst);
    ending.over.store(true, Ordering::SeqCst);
    wake();
}

/// The arguments of `clickhouse local`.
fn command_line(arguments: &LauncherArgs, ports: &Path) -> Result<Vec<CString>> {
    let path = ports.to_str().context("the data folder's name is not UTF-8")?;
    let quoted = path.replace('\\', "\\\\").replace('\'', "\\'");
    let start = format!(
        "SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; \
         SELECT getServerPort('http_port') AS http, getServerPort('tcp_port') AS tcp, \
         toUInt32({}) AS pid INTO OUTFILE '{quoted}' TRUNCATE FORMAT JSONEachRow",
        process::id()
    );
    let words = [
        "clickhouse".to_owned(),
        format!("--path={}", arguments.data_dir.display()),
        format!("--config-file={}", arguments.config_file.display()),
        "--listen_host=127.0.0.1".to_owned(),
        format!("--http_port={}", arguments.http_port),
        format!("--tcp_port={}", arguments.tcp_port),
        "--interactive".to_owned(),
        "--progress=off".to_owned(),
        "--disable_suggestion".to_owned(),
        "--history_file=/dev/null".to_owned(),
        format!("--prompt={PROMPT} "),
        "--query".to_owned(),
        start,
    ];
    words.into_iter().map(|word| CString::new(word).context("a NUL in an argument")).collect()
}

/// Calls the library; returns when the server has shut down.
fn run_library(path: &Path, command_line: &[CString]) -> Result<()> {
    type Run = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut c_void;
    type ErrorOf = unsafe extern "C" fn(*mut c_void) -> *const c_char;

    let count = c_int::try_from(command_line.len()).context("too many arguments")?;
    let mut pointers: Vec<*mut c_char> = command_line.iter().map(|word| word.as_ptr().cast_mut()).collect();
    // SAFETY: the library's initialisers are ClickHouse's own and expect nothing of us. It is never
    // unloaded, since its threads may outlive the call.
    let library = unsafe { libloading::Library::new(path) }.context("load the ClickHouse library")?;
    let library = std::mem::ManuallyDrop::new(library);
    // SAFETY: both symbols have these C signatures in chdb.h of the pinned version.
    let (run, error_of) = unsafe {
        (library.get::<Run>(b"chdb_query_cmdline\0")?, library.get::<ErrorOf>(b"chdb_result_error\0")?)
    };
    // SAFETY: `pointers` holds `count` NUL-terminated strings that live until the call returns; the
    // library reads them and does not write.
    let result = unsafe { run(count, pointers.as_mut_ptr()) };
    if result.is_null() {
        return Ok(());
    }
    // SAFETY: `result` came from the call above and was not freed.
    let error = unsafe { error_of(result) };
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: a non-null error is a NUL-terminated string owned by `result`, which is never freed.
    let text = unsafe { CStr::from_ptr(error) }.to_string_lossy().into_owned();
    Err(anyhow::Error::msg(text))
}

/// Waits for the prompt, then tells a start from a failure by the file of ports.
fn watch_console(console: OwnedFd, ports: &Path, ready: &Path, ending: &Ending) {
    let started = || {
        let part = ready.with_extension("part");
        fs::copy(ports, &part)?;
        fs::rename(&part, ready)?;
        fs::remove_file(ports)
    };
    let (mut seen, mut decided) = (Vec::new(), false);
    drain(console, |bytes| {
        if decided {
            return;
        }
        seen.extend_from_slice(bytes);
        decided = seen.windows(PROMPT.len()).any(|window| window == PROMPT.as_bytes());
        if decided && started().is_err() {
            ending.start_failed.store(true, Ordering::SeqCst);
            wake();
        }
    });
}

/// Reads to the end and hands every piece to `take`.
fn drain(from: OwnedFd, mut take: impl FnMut(&[u8])) {
    let mut file = File::from(from);
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = file.read(&mut buffer) {
        take(&buffer[..read]);
    }
}

/// Wakes the thread that waits for signals.
fn wake() {
    let _ = kill(unistd::getpid(), Signal::SIGTERM);
}
