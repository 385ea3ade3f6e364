//! Owns one server process on behalf of another process.
//!
//! The owner holds the other end of our standard input. Its end, however the owner ended, is the end of
//! the server too. Signals go through here because only the parent of a process knows for certain that
//! its id still means the same process.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::{Context, Result};
use meterhouse_localstack::protocol;
use nix::{
    sys::{
        signal::{SigSet, Signal, kill},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::{Pid, setsid},
};

/// Arguments of `localstack supervise`.
#[derive(Debug, clap::Args)]
pub(crate) struct SuperviseArgs {
    /// The server's output is appended to this file.
    #[arg(long)]
    log: PathBuf,
    /// The server's working directory.
    #[arg(long)]
    dir: PathBuf,
    /// Remove the working directory at the end.
    #[arg(long)]
    remove_dir: bool,
    /// The server's program and arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// The server's process id while it runs, and a signal for changes of it.
#[derive(Debug, Clone, Default)]
struct Running(Arc<(Mutex<Option<Pid>>, Condvar)>);

impl Running {
    fn lock(&self) -> MutexGuard<'_, Option<Pid>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes requests until standard input ends, or until a signal asks us to leave.
pub(crate) fn supervise(arguments: SuperviseArgs) -> Result<()> {
    // A session of its own: Ctrl-C at a terminal is for the owner, which then ends its servers. Linux shares the processors among
    // sessions first, as among the services of a real machine: a server that is nice is so to its own threads.
    setsid().context("begin a session")?;
    let running = Running::default();
    let dir = arguments.remove_dir.then(|| arguments.dir.clone());
    // Blocked before there is a second thread, so that all of them leave these signals to sigwait.
    // Servers inherit this: a JVM unblocks them again, and the ClickHouse launcher waits for them likewise.
    let signals: SigSet = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect();
    signals.thread_block().context("block signals")?;
    thread::spawn({
        let (running, dir) = (running.clone(), dir.clone());
        move || {
            let _ = signals.wait();
            leave(&running, dir.as_deref());
        }
    });
    say(protocol::GREETING);
    for request in io::stdin().lines() {
        let Ok(request) = request else { break };
        let reply = match request.as_str() {
            protocol::START => start(&arguments, &running),
            protocol::TERM => signal(&running, &[Signal::SIGTERM, Signal::SIGCONT]),
            protocol::KILL => signal(&running, &[Signal::SIGKILL]),
            protocol::PAUSE => pause(&running),
            protocol::RESUME => signal(&running, &[Signal::SIGCONT]),
            _ => format!("{} unknown request", protocol::FAILED),
        };
        // An empty reply was given already, together with the change that it tells.
        if !reply.is_empty() {
            say(&reply);
        }
    }
    leave(&running, dir.as_deref())
}

fn start(arguments: &SuperviseArgs, running: &Running) -> String {
    let mut current = running.lock();
    if let Some(pid) = *current {
        return format!("{} {pid}", protocol::STARTED);
    }
    match spawn(arguments) {
        Ok(child) => {
            let pid = Pid::from_raw(child.id().cast_signed());
            *current = Some(pid);
            // Said under the lock: `ended` cannot come first.
            say(&format!("{} {pid}", protocol::STARTED));
            let running = running.clone();
            thread::spawn(move || reap(child, pid, &running));
            String::new()
        }
        Err(error) => format!("{} {error:#}", protocol::FAILED),
    }
}

fn spawn(arguments: &SuperviseArgs) -> Result<Child> {
    let log = &arguments.log;
    let output = File::options().create(true).append(true).open(log);
    let output = output.with_context(|| format!("open {}", log.display()))?;
    let errors = output.try_clone().context("a second handle of the log")?;
    let (program, rest) = arguments.command.split_first().context("no command")?;
    let mut command = Command::new(program);
    command.args(rest).current_dir(&arguments.dir).stdin(Stdio::piped()).stdout(output).stderr(errors);
    // A group of its own: SYSTEM SHUTDOWN makes ClickHouse signal its whole group.
    command.process_group(0);
    command.spawn().with_context(|| program.to_string_lossy().into_owned())
}

/// Waits for the server's end. Its id is given back to the system only under the lock, so that no signal
/// can reach another process that got the same id.
fn reap(mut child: Child, pid: Pid, running: &Running) {
    // `wait` would close it at once, and ClickHouse takes that for its owner's end.
    let input = child.stdin.take();
    // Whatever it says, `wait` below waits for the end, too.
    let _ = wait_for(pid, WaitPidFlag::WEXITED);
    let mut current = running.lock();
    let status = child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
    *current = None;
    say(&format!("{} {status}", protocol::ENDED));
    running.0.1.notify_all();
    drop(input);
}

fn signal(running: &Running, signals: &[Signal]) -> String {
    tell(running, |pid| signals.iter().try_for_each(|&signal| kill(pid, signal)))
}

/// Returns when the last thread of the server stands still: until then it may go on to answer.
fn pause(running: &Running) -> String {
    // The kernel reports a process as stopped when all of its threads are.
    let stopped = WaitPidFlag::WSTOPPED | WaitPidFlag::WEXITED;
    tell(running, |pid| kill(pid, Signal::SIGSTOP).and_then(|()| wait_for(pid, stopped)))
}

/// Does something to the server while it keeps its id.
fn tell(running: &Running, act: impl FnOnce(Pid) -> nix::Result<()>) -> String {
    let current = running.lock();
    match current.map(act) {
        None => protocol::IDLE.to_owned(),
        Some(Ok(())) => protocol::DONE.to_owned(),
        Some(Err(error)) => format!("{} {error}", protocol::FAILED),
    }
}

/// Waits for a change of the server's state, and leaves its report to others.
fn wait_for(pid: Pid, change: WaitPidFlag) -> nix::Result<()> {
    loop {
        match waitid(Id::Pid(pid), change | WaitPidFlag::WNOWAIT) {
            Err(nix::errno::Errno::EINTR) => {}
            outcome => return outcome.map(drop),
        }
    }
}

/// Kills the server (also a paused one), removes its folder if asked, and ends this process.
fn leave(running: &Running, dir: Option<&Path>) -> ! {
    let mut current = running.lock();
    if let Some(pid) = *current {
        let _ = kill(pid, Signal::SIGKILL);
    }
    while current.is_some() {
        current = running.0.1.wait(current).unwrap_or_else(PoisonError::into_inner);
    }
    // The lock is held to the end: no server can start any more.
    if let Some(dir) = dir {
        let _ = fs::remove_dir_all(dir);
    }
    process::exit(0)
}

/// Says one line to the owner. If the owner is gone, nobody needs to know.
fn say(line: &str) {
    let mut output = io::stdout().lock();
    let _ = writeln!(output, "{line}");
    let _ = output.flush();
}
