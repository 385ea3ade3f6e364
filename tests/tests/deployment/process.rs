//! A container whose process runs, on ports of its own.

use std::fs::File;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use meterhouse_localstack::Port;
use meterhouse_tests::{Client, Reply, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::container::Container;

/// A running one. It ends with this.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) container: Container,
    child: Child,
    http: Port,
    metrics: Port,
}

impl Process {
    /// Starts it with its own arguments, and returns when it listens. Only its ports are others than in its manifest.
    pub(crate) fn start(mut container: Container) -> Result<Self> {
        let (http, metrics) = (Port::free()?, Port::free()?);
        for (name, port) in [("HTTP", &http), ("METRICS", &metrics)] {
            let address = format!("127.0.0.1:{}", port.number());
            container.variables.insert(format!("METERHOUSE_{name}__LISTEN"), address);
        }
        let log = File::create(container.outside("/log"))?;
        let arguments: Vec<&str> = container.arguments.iter().map(String::as_str).collect();
        let mut command = container.command(&arguments);
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let mut process = Self { container, child, http, metrics };
        wait::until("the process to listen", || {
            let ended = process.child.try_wait().ok().flatten();
            (ended.is_some() || process.operations().get("/healthz").is_ok()).then_some(())
        })
        .with_context(|| process.log())?;
        Ok(process)
    }

    /// A client of the HTTP listener.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.http.number())
    }

    /// A client of the metrics listener.
    pub(crate) fn operations(&self) -> Client {
        Client::new(self.metrics.number())
    }

    /// The answer of a probe at one of the listeners, by the port's name in manifests.
    pub(crate) fn probe(&self, port: &str, path: &str) -> Result<Reply> {
        let client = if port == "http" { self.client() } else { self.operations() };
        client.get(path).with_context(|| self.log())
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.container.outside("/log")).unwrap_or_default()
    }

    /// Asks it to end, and tells how and how fast it did.
    pub(crate) fn end(&mut self) -> Result<(ExitStatus, Duration)> {
        let begun = Instant::now();
        self.terminate()?;
        let status = wait::until("the end of the process", || self.child.try_wait().ok().flatten())?;
        Ok((status, begun.elapsed()))
    }

    fn terminate(&self) -> Result<()> {
        kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM).context("send a signal")
    }
}

impl Drop for Process {
    /// A second signal ends it at once.
    fn drop(&mut self) {
        while let Ok(None) = self.child.try_wait() {
            let _ = self.terminate();
            std::thread::sleep(Duration::from_millis(50));
        }
        if std::thread::panicking() {
            println!("--- {:?}\n{}", self.container.arguments, self.log());
        }
    }
}
