//! One `meterhouse` process.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use meterhouse_localstack::Port;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::{Client, Metrics, binary, owned, wait};

/// Lines of the log that are shown when a test fails.
const TAIL_LINES: usize = 80;

/// A process of the service, with ports of its own that stay the same when it is started again.
///
/// Dropping this kills it, and it is [`owned()`].
#[derive(Debug)]
pub struct Service {
    child: Option<Child>,
    /// Another program than that of the same build.
    program: Option<PathBuf>,
    command: Vec<String>,
    variables: Vec<(String, String)>,
    config: PathBuf,
    http: Port,
    metrics: Port,
    log: PathBuf,
    is_silent: bool,
}

impl Service {
    /// Starts a command such as `serve` and does not wait for it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(config: &Path, command: &[&str], log: &Path) -> Result<Self> {
        Self::start_with(config, command, log, &[])
    }

    /// The same with environment variables, until others are set.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_with(
        config: &Path,
        command: &[&str],
        log: &Path,
        variables: &[(&str, &str)],
    ) -> Result<Self> {
        let mut service = Self::new(config, command, log)?;
        service.set_variables(variables);
        service.start_again()?;
        Ok(service)
    }

    /// One that is not started yet.
    pub(crate) fn new(config: &Path, command: &[&str], log: &Path) -> Result<Self> {
        Ok(Self {
            child: None,
            program: None,
            command: command.iter().map(|&word| word.to_owned()).collect(),
            variables: Vec::new(),
            config: config.to_owned(),
            http: Port::free()?,
            metrics: Port::free()?,
            log: log.to_owned(),
            is_silent: false,
        })
    }

    /// From its next start on it is this program; none: that of the same build.
    pub fn be_program(&mut self, program: Option<&Path>) {
        self.program = program.map(Path::to_owned);
    }

    /// Environment variables from its next start on, in the place of those before.
    pub fn set_variables(&mut self, variables: &[(&str, &str)]) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.variables = variables.iter().map(owned).collect();
    }

    /// The same, whose log is never shown.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.is_silent = true;
        self
    }

    /// Starts it again after its end, on the same ports and with the configuration as it is now.
    ///
    /// # Errors
    /// It is running, or cannot be started.
    pub fn start_again(&mut self) -> Result<()> {
        if self.child.is_some() {
            bail!("it is still running");
        }
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = owned(self.program.clone().map_or_else(binary::meterhouse, Ok)?);
        command.arg("--config").arg(&self.config).args(&self.command);
        without_settings(&mut command);
        command.env("METERHOUSE_HTTP__LISTEN", format!("127.0.0.1:{}", self.http.number()));
        command.env("METERHOUSE_METRICS__LISTEN", format!("127.0.0.1:{}", self.metrics.number()));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn().context("start setsid, of Debian's package util-linux")?);
        Ok(())
    }

    /// A client of the HTTP interface.
    pub fn client(&self) -> Client {
        Client::new(self.http.number())
    }

    /// A client of the metrics listener.
    pub fn operations(&self) -> Client {
        Client::new(self.metrics.number())
    }

    /// The port of the HTTP interface.
    pub fn http_port(&self) -> u16 {
        self.http.number()
    }

    /// The port of the metrics listener.
    pub fn metrics_port(&self) -> u16 {
        self.metrics.number()
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The status and body of `/readyz`.
    ///
    /// # Errors
    /// It does not answer.
    pub fn readiness(&self) -> Result<(u16, Value)> {
        let reply = self.operations().get("/readyz")?;
        Ok((reply.status, reply.json()?))
    }

    /// Waits until `/readyz` is as wanted.
    ///
    /// # Errors
    /// It ends before, or it takes too long.
    pub fn wait_readiness(&mut self, what: &str, wanted: impl Fn(u16, &Value) -> bool) -> Result<Value> {
        let mut last = String::new();
        let seen = wait::until(what, || {
            if let Some(status) = self.ended() {
                return Some(Err(status));
            }
            match self.readiness() {
                Ok((status, body)) if wanted(status, &body) => Some(Ok(body)),
                other => {
                    last = format!("{other:?}");
                    None
                }
            }
        });
        match seen.with_context(|| format!("last seen: {last}"))? {
            Ok(body) => Ok(body),
            Err(status) => bail!("waited for {what}, but it ended: {status}\n{}", self.log_tail()),
        }
    }

    /// Waits until it is ready.
    ///
    /// # Errors
    /// It ends before, or it takes too long.
    pub fn wait_ready(&mut self) -> Result<()> {
        self.wait_readiness("the service to be ready", |status, _| status == 200).map(|_| ())
    }

    /// Waits until one check of `/readyz` tells a fault that has a text in it.
    ///
    /// # Errors
    /// It never does.
    pub fn wait_fault(&mut self, check: &str, text: &str) -> Result<Value> {
        let is_told = |status: u16, body: &Value| {
            let told = body["checks"][check].as_str().unwrap_or("ok");
            let is_fault = told != "ok" && told != "not checked yet";
            status == 503 && body["ready"] == Value::Bool(false) && is_fault && told.contains(text)
        };
        self.wait_readiness(&format!("a fault of {check}: {text}"), is_told)
    }

    /// What it counts.
    ///
    /// # Errors
    /// It does not answer.
    pub fn scrape(&self) -> Result<Metrics> {
        Metrics::parse(&self.operations().get("/metrics")?.body)
    }

    /// The value of a metric that counts something, summed over what the labels leave open; 0 where there is no such
    /// series.
    ///
    /// # Errors
    /// It does not answer, or the value is no count.
    pub fn metric(&self, name: &str, labels: &[(&str, &str)]) -> Result<u64> {
        let value = self.scrape()?.sum(name, labels).unwrap_or_default();
        value.to_string().parse().with_context(|| format!("{name} is {value}"))
    }

    /// Waits until it has stored so many records, and returns how many there are by then.
    ///
    /// # Errors
    /// It takes too long.
    pub fn wait_stored(&self, records: u64) -> Result<u64> {
        let stored = || self.metric("meterhouse_records_total", &[]);
        wait::until_is(&format!("{records} records to be stored"), stored, |stored| *stored >= records)
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// It is not running.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let child = self.child.as_ref().context("it is not running")?;
        kill(Pid::from_raw(child.id().cast_signed()), signal).context("send a signal")
    }

    /// Ends it with SIGKILL.
    ///
    /// # Errors
    /// It has ended by itself before.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("it is not running")?;
        child.kill()?;
        let status = child.wait()?;
        if status.signal() != Some(Signal::SIGKILL as i32) {
            bail!("it had ended by itself: {status}\n{}", self.log_tail());
        }
        Ok(())
    }

    /// Asks it to end with SIGTERM and returns how it did.
    ///
    /// # Errors
    /// It does not end.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        self.wait_end()
    }

    /// Waits for its end and returns how it ended.
    ///
    /// # Errors
    /// It does not end.
    pub fn wait_end(&mut self) -> Result<ExitStatus> {
        let status = wait::until("the end of the service", || self.ended())?;
        self.child = None;
        Ok(status)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().ok().flatten())
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}

impl Drop for Service {
    /// Shows the log, which the test runner prints for a test that fails and for no other.
    fn drop(&mut self) {
        let was_running = self.child.is_some();
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if !self.is_silent && (was_running || thread::panicking()) {
            println!("--- the end of {} ---\n{}", self.log.display(), self.log_tail());
        }
    }
}

/// Keeps settings of the person who runs the tests away from the program.
pub(crate) fn without_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("METERHOUSE_") {
            command.env_remove(name);
        }
    }
}
