//! The database: its process and a way to ask it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Clock, Error, Result,
    paths::{self, DataDir},
    ports::Port,
    process::{Launch, Process},
    setup,
};

/// A start takes 0.2 s on an idle machine, and longer with much data to load.
const START_LIMIT: Duration = Duration::from_secs(60);
/// A clean stop takes 5 s while a client is connected.
const STOP_LIMIT: Duration = Duration::from_secs(30);
const QUERY_LIMIT: Duration = Duration::from_secs(300);

/// How to start a ClickHouse.
#[derive(Debug, Clone)]
pub struct ClickHouseOptions {
    /// Keeps the data there. Without it, a new folder that is removed when the server is dropped.
    pub data_dir: Option<PathBuf>,
    /// The HTTP port on 127.0.0.1; 0 chooses a free one. It stays the same over restarts.
    pub http_port: u16,
    /// The port of the native protocol; 0 chooses a free one. It stays the same over restarts.
    pub tcp_port: u16,
    /// Queries beyond this many MiB fail with code 241.
    pub memory_mebibytes: u32,
    /// Another configuration than `deploy/local/clickhouse/config.xml`; it names its users file.
    pub config_file: Option<PathBuf>,
    /// A wall clock of its own, instead of the machine's.
    pub clock: Option<Clock>,
}

impl Default for ClickHouseOptions {
    fn default() -> Self {
        Self {
            data_dir: None,
            http_port: 0,
            tcp_port: 0,
            memory_mebibytes: 4096,
            config_file: None,
            clock: None,
        }
    }
}

/// A ClickHouse server of its own on 127.0.0.1. Dropping it kills it.
///
/// User `default` has no password; user `meterhouse` has the same rights and the password `local`.
#[derive(Debug)]
pub struct ClickHouse {
    process: Process,
    http_port: Port,
    tcp_port: Port,
    ready_file: PathBuf,
    agent: ureq::Agent,
}

impl ClickHouse {
    /// Starts a server and returns when both ports answer.
    pub fn launch(options: ClickHouseOptions) -> Result<Self> {
        let installed = setup()?;
        let (http_port, tcp_port) = (Port::reserve(options.http_port)?, Port::reserve(options.tcp_port)?);
        let data = DataDir::create(options.data_dir, "clickhouse")?;
        let log = data.path.join("clickhouse.log");
        let ready_file = data.path.join("ready.json");
        let config = options.config_file.unwrap_or_else(|| paths::deploy_dir().join("clickhouse/config.xml"));
        let mut arguments = vec![
            "launch-clickhouse".into(),
            "--library".into(),
            installed.libchdb.into_os_string(),
            "--data-dir".into(),
            data.path.join("data").into_os_string(),
            "--config-file".into(),
            config.into_os_string(),
            "--ready-file".into(),
            ready_file.clone().into_os_string(),
            format!("--http-port={}", http_port.number).into(),
            format!("--tcp-port={}", tcp_port.number).into(),
        ];
        if let Some(clock) = &options.clock {
            arguments.extend(["--clock-offset".into(), clock.file().into()]);
        }
        let memory_bytes = u64::from(options.memory_mebibytes) * 1024 * 1024;
        let environment = vec![
            ("METERHOUSE_CLICKHOUSE_LOG", log.clone().into_os_string()),
            ("METERHOUSE_CLICKHOUSE_MEMORY", memory_bytes.to_string().into()),
            // The server's own zone: nothing of ours may depend on it.
            ("TZ", "UTC".into()),
        ];
        let program = paths::supervisor_program()?.into_os_string();
        let launch = Launch { server: "clickhouse", program, arguments, environment, log };
        let process = Process::new(launch, &data)?;
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(QUERY_LIMIT))
            .http_status_as_error(false)
            // An idle connection would hold up a clean stop by 5 s.
            .max_idle_connections(0)
            .build()
            .into();
        let server = Self { process, http_port, tcp_port, ready_file, agent };
        server.start()?;
        Ok(server)
    }

    /// The URL of the HTTP interface, such as `http://127.0.0.1:21236`.
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http_port.number)
    }

    /// The HTTP port on 127.0.0.1.
    pub fn http_port(&self) -> u16 {
        self.http_port.number
    }

    /// The port of the native protocol on 127.0.0.1.
    pub fn tcp_port(&self) -> u16 {
        self.tcp_port.number
    }

    /// The process id of the server.
    pub fn pid(&self) -> Result<u32> {
        self.process.pid()
    }

    /// Starts the server again on the same data and ports, and returns when it answers. Does nothing if it
    /// is running.
    pub fn start(&self) -> Result<()> {
        if self.pid().is_err() && self.ready_file.exists() {
            // Left by a run that was killed; the launcher writes a new one.
            let failed = || format!("remove {}", self.ready_file.display());
            fs::remove_file(&self.ready_file).map_err(Error::io(failed))?;
        }
        self.process.spawn()?;
        self.process.wait_ready("both ports to answer", START_LIMIT, || {
            self.ready_file.exists() && self.query("SELECT 1").is_ok()
        })
    }

    /// Ends the server with SIGKILL and returns when it is gone.
    pub fn kill(&self) -> Result<()> {
        self.process.kill()
    }

    /// Holds the server with SIGSTOP: connections stay open, nothing is answered.
    pub fn pause(&self) -> Result<()> {
        self.process.pause()
    }

    /// Lets a paused server go on.
    pub fn resume(&self) -> Result<()> {
        self.process.resume()
    }

    /// Ends the server cleanly with SIGTERM and returns when it is gone, after 5 s if a client is connected.
    pub fn stop(&self) -> Result<()> {
        self.process.stop(STOP_LIMIT)
    }

    /// How the last run ended: `exit status: 0` after a clean stop.
    pub fn last_status(&self) -> String {
        self.process.last_status()
    }

    /// The server's log.
    pub fn log(&self) -> &Path {
        self.process.log()
    }

    /// Runs one statement as user `default` and returns the answer's text.
    pub fn query(&self, sql: &str) -> Result<String> {
        let failed = |error: ureq::Error| Error::Query(error.to_string());
        let mut response = self.agent.post(self.http_url()).send(sql).map_err(failed)?;
        let text = response.body_mut().read_to_string().map_err(failed)?;
        if response.status().is_success() { Ok(text) } else { Err(Error::Query(text.trim_end().to_owned())) }
    }
}
