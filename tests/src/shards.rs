//! Two ClickHouse servers as the shards of a cluster.

use std::fs;

use anyhow::{Context, Result};
use meterhouse_localstack::{ClickHouse, ClickHouseOptions, Port, workspace_dir};
use tempfile::TempDir;

use crate::scratch_dir;

/// Name of the cluster, `clickhouse.cluster`.
pub const CLUSTER: &str = "shards";

/// The servers. They know each other from a file of their configuration, in which their order is that of the shards.
#[derive(Debug)]
pub struct Shards {
    servers: [ClickHouse; 2],
    dir: TempDir,
    _ports: [Port; 2],
}

impl Shards {
    /// Starts both.
    ///
    /// # Errors
    /// One does not start.
    pub fn launch() -> Result<Self> {
        let dir = scratch_dir("shards")?;
        for file in ["config.xml", "users.xml"] {
            let from = workspace_dir().join("deploy/local/clickhouse").join(file);
            fs::copy(&from, dir.path().join(file)).with_context(|| format!("copy {}", from.display()))?;
        }
        let ports = [Port::free()?, Port::free()?];
        write_order(&dir, [ports[0].number(), ports[1].number()])?;
        let launch = |port: &Port| {
            let config_file = Some(dir.path().join("config.xml"));
            let tcp_port = port.number();
            ClickHouse::launch(ClickHouseOptions { tcp_port, config_file, ..ClickHouseOptions::default() })
        };
        let servers = [launch(&ports[0])?, launch(&ports[1])?];
        Ok(Self { servers, dir, _ports: ports })
    }

    /// A server by its place at the start, from 0.
    pub fn server(&self, number: usize) -> &ClickHouse {
        &self.servers[number]
    }

    /// Lets the servers take each other's place, which they notice when they are started again.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn swap(&self) -> Result<()> {
        let [first, second] = [&self.servers[0], &self.servers[1]].map(ClickHouse::tcp_port);
        write_order(&self.dir, [second, first])
    }
}

fn write_order(dir: &TempDir, ports: [u16; 2]) -> Result<()> {
    let shard = |port| format!("<shard><replica><host>127.0.0.1</host><port>{port}</port></replica></shard>");
    let text = format!(
        "<clickhouse><remote_servers><{CLUSTER}><secret>local</secret>{}</{CLUSTER}></remote_servers></clickhouse>\n",
        ports.map(shard).concat()
    );
    fs::create_dir_all(dir.path().join("config.d"))?;
    Ok(fs::write(dir.path().join("config.d/cluster.xml"), text)?)
}
