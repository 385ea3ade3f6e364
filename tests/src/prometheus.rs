//! A real Prometheus, of Debian's package, with the alerts of `deploy/prometheus`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::{Port, workspace_dir};

use crate::{Client, owned, wait};

/// A server that scrapes some processes every second. Dropping this kills it, and it is [`owned()`].
#[derive(Debug)]
pub struct Prometheus {
    child: Child,
    port: Port,
    log: PathBuf,
}

/// What ClickHouse tells of its disks by metrics of its own. The local one, a library, has no such metrics: they come from
/// the table that they are made of, under the same names.
const DISKS: &str = "SELECT concat('ClickHouseAsyncMetrics_DiskAvailable_', name) AS name, toFloat64(free_space) AS value \
    FROM system.disks UNION ALL SELECT concat('ClickHouseAsyncMetrics_DiskTotal_', name), toFloat64(total_space) \
    FROM system.disks FORMAT Prometheus";

impl Prometheus {
    /// Whether the program is installed.
    pub fn is_installed() -> bool {
        Command::new("prometheus").arg("--version").output().is_ok_and(|output| output.status.success())
    }

    /// Starts a server with its files in a folder, and returns when it answers. It scrapes the metrics listener of a service,
    /// and a ClickHouse by its HTTP port.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub fn start(dir: &Path, service: u16, clickhouse: u16) -> Result<Self> {
        let dir = dir.join("prometheus");
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("prometheus.yml"), config(service, clickhouse))?;
        let (port, log) = (Port::free()?, dir.join("prometheus.log"));
        let output = File::create(&log)?;
        let mut command = owned("prometheus");
        command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"]);
        command.arg(format!("--web.listen-address=127.0.0.1:{}", port.number()));
        command.current_dir(&dir).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().context("start setsid, of Debian's package util-linux")?;
        let mut server = Self { child, port, log };
        server.wait_ready()?;
        Ok(server)
    }

    fn wait_ready(&mut self) -> Result<()> {
        let ready = wait::until("prometheus to be ready", || {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(Err(status));
            }
            let answer = self.client().get("/-/ready").ok()?;
            (answer.status == 200).then_some(Ok(()))
        })?;
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        ensure!(ready.is_ok(), "prometheus has ended: {ready:?}\n{log}");
        Ok(())
    }

    /// Where a person finds it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// A client of its HTTP interface.
    pub fn client(&self) -> Client {
        Client::new(self.port.number())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(service: u16, clickhouse: u16) -> String {
    let rules = workspace_dir().join("deploy/prometheus/meterhouse.rules.yml");
    format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
         rule_files: [{rules:?}]\n\
         scrape_configs:\n  \
         - job_name: meterhouse\n    \
           static_configs: [{{ targets: ['127.0.0.1:{service}'] }}]\n  \
         - job_name: clickhouse\n    \
           static_configs: [{{ targets: ['127.0.0.1:{clickhouse}'] }}]\n    \
           metrics_path: /\n    \
           params: {{ query: [{DISKS:?}] }}\n"
    )
}
