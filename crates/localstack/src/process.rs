//! One server process, owned through its supervisor.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    Error, Result,
    paths::{self, DataDir},
    protocol,
};

/// SIGKILL needs no help from the server, only a moment of the kernel's.
const KILL_LIMIT: Duration = Duration::from_secs(20);

/// What to run, and where.
pub(crate) struct Launch {
    pub(crate) server: &'static str,
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// Standard output and standard error are appended to this file.
    pub(crate) log: PathBuf,
}

/// A server that can be started, signalled and started again. Dropping it kills the server.
#[derive(Debug)]
pub(crate) struct Process {
    server: &'static str,
    log: PathBuf,
    state: Arc<(Mutex<State>, Condvar)>,
    line: Mutex<Line>,
    supervisor: Child,
}

/// What the supervisor last said about the server.
#[derive(Debug, Default)]
struct State {
    pid: Option<u32>,
    last_status: String,
}

/// The two ends of the conversation; one request at a time.
#[derive(Debug)]
struct Line {
    requests: Option<ChildStdin>,
    replies: Receiver<String>,
}

impl Process {
    /// Starts the supervisor, not yet the server.
    pub(crate) fn new(launch: Launch, data: &DataDir) -> Result<Self> {
        let program = paths::supervisor_program()?;
        let mut command = Command::new(&program);
        command.arg("supervise").arg("--log").arg(&launch.log).arg("--dir").arg(&data.path);
        if data.removed_at_end {
            command.arg("--remove-dir");
        }
        command.arg("--").arg(&launch.program).args(&launch.arguments);
        command.envs(launch.environment);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let failed = || format!("start {}", program.display());
        let mut supervisor = command.spawn().map_err(Error::io(failed))?;
        let requests = supervisor.stdin.take();
        let mut reader = supervisor.stdout.take().map(BufReader::new);
        let mut said = String::new();
        if let Some(reader) = &mut reader {
            reader.read_line(&mut said).map_err(Error::io(failed))?;
        }
        let state = Arc::default();
        let (sender, replies) = channel();
        match reader {
            Some(reader) if said.trim_end() == protocol::GREETING => {
                listen(reader, Arc::clone(&state), sender);
            }
            _ => {
                drop(requests);
                let _ = supervisor.wait();
                return Err(Error::OldSupervisor { program, said });
            }
        }
        let line = Mutex::new(Line { requests, replies });
        Ok(Self { server: launch.server, log: launch.log, state, line, supervisor })
    }

    /// The process id of the running server.
    pub(crate) fn pid(&self) -> Result<u32> {
        self.state().pid.ok_or(Error::NotRunning(self.server))
    }

    /// Makes the server's process; does not wait until it answers. Does nothing if it is running.
    pub(crate) fn spawn(&self) -> Result<()> {
        if self.state().pid.is_some() {
            return Ok(());
        }
        let reply = self.request(protocol::START)?;
        match reply.strip_prefix(protocol::FAILED) {
            None => Ok(()),
            Some(reason) => {
                let what = format!("start {}", self.server);
                Err(Error::Io { what, source: std::io::Error::other(reason.trim().to_owned()) })
            }
        }
    }

    /// Waits until `ready` says so; fails if the server ends before, or when the limit is over.
    pub(crate) fn wait_ready(
        &self,
        awaited: &'static str,
        limit: Duration,
        ready: impl Fn() -> bool,
    ) -> Result<()> {
        const POLL: Duration = Duration::from_millis(20);
        let begun = Instant::now();
        while !ready() {
            {
                let state = self.state();
                if state.pid.is_none() {
                    let (status, log) = (state.last_status.clone(), self.log.clone());
                    let tail = paths::tail(&log);
                    return Err(Error::Ended { server: self.server, status, log, tail });
                }
            }
            if begun.elapsed() > limit {
                return Err(self.timed_out(awaited, limit));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// SIGKILL; returns when the process is gone.
    pub(crate) fn kill(&self) -> Result<()> {
        self.signal(protocol::KILL)?;
        self.wait_ended("its end after SIGKILL", KILL_LIMIT)
    }

    /// SIGSTOP: the server answers nobody until [`Process::resume`].
    pub(crate) fn pause(&self) -> Result<()> {
        self.signal(protocol::PAUSE)
    }

    /// SIGCONT.
    pub(crate) fn resume(&self) -> Result<()> {
        self.signal(protocol::RESUME)
    }

    /// SIGTERM; returns when the process is gone. Does nothing if it is not running.
    pub(crate) fn stop(&self, limit: Duration) -> Result<()> {
        match self.signal(protocol::TERM) {
            Err(Error::NotRunning(_)) => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.wait_ended("its clean end after SIGTERM", limit),
        }
    }

    /// The exit code or signal of the last run that ended.
    pub(crate) fn last_status(&self) -> String {
        self.state().last_status.clone()
    }

    fn signal(&self, request: &str) -> Result<()> {
        match self.request(request)?.as_str() {
            protocol::DONE => Ok(()),
            _ => Err(Error::NotRunning(self.server)),
        }
    }

    fn request(&self, request: &str) -> Result<String> {
        let lost = || format!("the supervisor of {} is gone", self.server);
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(requests) = &mut line.requests {
            writeln!(requests, "{request}").map_err(Error::io(lost))?;
        }
        line.replies.recv().map_err(std::io::Error::other).map_err(Error::io(lost))
    }

    fn wait_ended(&self, awaited: &'static str, limit: Duration) -> Result<()> {
        let (_, changed) = &*self.state;
        let (_guard, timeout) = changed
            .wait_timeout_while(self.state(), limit, |state| state.pid.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() { Err(self.timed_out(awaited, limit)) } else { Ok(()) }
    }

    fn timed_out(&self, awaited: &'static str, limit: Duration) -> Error {
        let log = self.log.clone();
        let tail = paths::tail(&log);
        Error::TimedOut { server: self.server, awaited, limit, log, tail }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file that holds the server's output.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The end of its input makes the supervisor kill the server and leave.
        self.line.get_mut().unwrap_or_else(PoisonError::into_inner).requests = None;
        let _ = self.supervisor.wait();
    }
}

/// Sorts what the supervisor says into the state and the replies, until it ends.
fn listen(reader: BufReader<ChildStdout>, state: Arc<(Mutex<State>, Condvar)>, replies: Sender<String>) {
    let update = move |pid: Option<u32>, status: &str| {
        let (lock, changed) = &*state;
        let mut state = lock.lock().unwrap_or_else(PoisonError::into_inner);
        state.pid = pid;
        state.last_status = status.to_owned();
        changed.notify_all();
    };
    thread::spawn(move || {
        for line in reader.lines().map_while(|line| line.ok()) {
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match word {
                protocol::ENDED => update(None, rest),
                protocol::STARTED => {
                    update(rest.parse().ok(), "");
                    let _ = replies.send(line);
                }
                _ => {
                    let _ = replies.send(line);
                }
            }
        }
        update(None, "its supervisor is gone");
    });
}
