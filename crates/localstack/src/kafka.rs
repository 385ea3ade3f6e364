//! The broker: its configuration, its process, Kafka's own tools.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Error, Result,
    paths::{self, DataDir},
    ports::Port,
    process::{Launch, Process},
    setup::{self, Installed},
    tools, wire,
};

/// A start takes 3 s on an idle machine; a machine that builds at the same time needs more.
const START_LIMIT: Duration = Duration::from_secs(120);
/// A broker that stops cleanly writes its indexes first.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// A new topic has leaders after some 50 ms.
const TOPIC_LIMIT: Duration = Duration::from_secs(30);

/// How to start a broker.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    /// Keeps the data there. Without it, a new folder that is removed when the broker is dropped.
    pub data_dir: Option<PathBuf>,
    /// The port on 127.0.0.1; 0 chooses a free one. It stays the same over restarts.
    pub port: u16,
    /// The largest heap of the JVM in MiB.
    pub heap_mebibytes: u32,
    /// A second listener, whose clients are told to come to another address: that of a proxy.
    pub proxied: Option<ProxiedListener>,
    /// The port of a listener with TLS and passwords (`SASL_SSL`) by the name of `SECURED`. What it shows and takes is in
    /// `properties`, as `listener.name.secured.ssl.keystore.key`.
    pub secured_port: Option<u16>,
    /// Further broker properties, over those of `deploy/local/kafka/server.properties`.
    pub properties: Vec<(String, String)>,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            data_dir: None,
            port: 0,
            heap_mebibytes: 512,
            proxied: None,
            secured_port: None,
            properties: Vec::new(),
        }
    }
}

/// A listener behind a proxy on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub struct ProxiedListener {
    /// The port that the broker listens on.
    pub port: u16,
    /// The proxy's port, which clients are told.
    pub advertised_port: u16,
}

/// An Apache Kafka broker of its own on 127.0.0.1. Dropping it kills it.
#[derive(Debug)]
pub struct Kafka {
    process: Process,
    port: Port,
    _controller_port: Port,
    installed: Installed,
}

impl Kafka {
    /// Starts a broker and returns when it accepts work.
    pub fn launch(options: KafkaOptions) -> Result<Self> {
        let installed = setup::setup()?;
        let port = Port::reserve(options.port)?;
        let controller_port = Port::reserve(0)?;
        let data = DataDir::create(options.data_dir.clone(), "kafka")?;
        format_storage(&installed, &data.path.join("data"))?;
        let config = data.path.join("server.properties");
        write_config(&config, &data.path, port.number, controller_port.number, &options)?;
        let mut arguments = java_arguments(&installed, options.heap_mebibytes, "warn");
        arguments.extend(["kafka.Kafka".into(), config.into_os_string()]);
        let log = data.path.join("kafka.log");
        let launch =
            Launch { server: "kafka", program: java_program(), arguments, environment: Vec::new(), log };
        let process = Process::new(launch, &data)?;
        let kafka = Self { process, port, _controller_port: controller_port, installed };
        kafka.start()?;
        Ok(kafka)
    }

    /// The broker's address for clients, such as `127.0.0.1:21234`.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port.number)
    }

    /// The broker's port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// The process id of the JVM.
    pub fn pid(&self) -> Result<u32> {
        self.process.pid()
    }

    /// Starts the broker again on the same data and ports, and returns when it accepts work. Does nothing
    /// if it is running.
    pub fn start(&self) -> Result<()> {
        if let Err(error) = self.process.spawn() {
            setup::check_prerequisites()?; // says it better if Java is missing
            return Err(error);
        }
        self.process.wait_ready("the broker to accept work", START_LIMIT, || {
            wire::live_brokers(self.port.number).is_ok_and(|brokers| brokers > 0)
        })
    }

    /// Ends the broker with SIGKILL and returns when it is gone.
    pub fn kill(&self) -> Result<()> {
        self.process.kill()
    }

    /// Holds the broker with SIGSTOP: connections stay open, nothing is answered.
    pub fn pause(&self) -> Result<()> {
        self.process.pause()
    }

    /// Lets a paused broker go on.
    pub fn resume(&self) -> Result<()> {
        self.process.resume()
    }

    /// Ends the broker cleanly with SIGTERM and returns when it is gone.
    pub fn stop(&self) -> Result<()> {
        self.process.stop(STOP_LIMIT)
    }

    /// The file that holds what the broker said.
    pub fn log(&self) -> &Path {
        self.process.log()
    }

    /// Creates a topic with one replica and returns when every partition has a leader.
    pub fn create_topic(&self, topic: &str, partitions: u16) -> Result<()> {
        self.create_topic_with(topic, partitions, &[])
    }

    /// Creates a topic with settings such as `("max.message.bytes", "4000000")`.
    pub fn create_topic_with(&self, topic: &str, partitions: u16, configs: &[(&str, &str)]) -> Result<()> {
        let failed = || format!("create topic {topic}");
        wire::create_topic(self.port.number, topic, i32::from(partitions), configs)
            .map_err(Error::io(failed))?;
        self.process.wait_ready("the new topic's leaders", TOPIC_LIMIT, || {
            wire::led_partitions(self.port.number, topic).is_ok_and(|led| led == usize::from(partitions))
        })
    }

    /// Runs one of Kafka's command-line tools against this broker and returns what it printed; for example
    /// `tool("org.apache.kafka.tools.TopicCommand", &["--list"])`. `--bootstrap-server` is added. A tool
    /// that has not ended after two minutes is killed: give `ConsoleConsumer` a `--timeout-ms`.
    pub fn tool(&self, class: &str, arguments: &[&str]) -> Result<String> {
        self.tool_with_input(class, arguments, b"")
    }

    /// The same with bytes for the tool's standard input: records for `ConsoleProducer`, one a line.
    pub fn tool_with_input(&self, class: &str, arguments: &[&str], input: &[u8]) -> Result<String> {
        tools::run(&self.installed, &self.bootstrap(), class, arguments, input)
    }
}

/// Puts a formatted, empty storage in place, unless there is one with data.
fn format_storage(installed: &Installed, dir: &Path) -> Result<()> {
    if dir.join("meta.properties").exists() {
        return Ok(());
    }
    let failed = || format!("prepare {}", dir.display());
    fs::create_dir_all(dir).map_err(Error::io(failed))?;
    for entry in fs::read_dir(&installed.kafka_storage).map_err(Error::io(failed))? {
        let entry = entry.map_err(Error::io(failed))?;
        fs::copy(entry.path(), dir.join(entry.file_name())).map_err(Error::io(failed))?;
    }
    Ok(())
}

fn write_config(
    path: &Path,
    data: &Path,
    port: u16,
    controller_port: u16,
    options: &KafkaOptions,
) -> Result<()> {
    let common = paths::deploy_dir().join("kafka/server.properties");
    let mut text = fs::read_to_string(&common).map_err(Error::io(|| format!("read {}", common.display())))?;
    // Name, protocol, port, and the port that clients are told.
    let mut listeners = vec![("PLAINTEXT", "PLAINTEXT", port, port)];
    if let Some(ProxiedListener { port, advertised_port }) = options.proxied {
        listeners.push(("PROXIED", "PLAINTEXT", port, advertised_port));
    }
    listeners.extend(options.secured_port.map(|port| ("SECURED", "SASL_SSL", port, port)));
    let own = listeners.iter().map(|(name, _, port, _)| format!("{name}://127.0.0.1:{port},"));
    let told: Vec<_> =
        listeners.iter().map(|(name, .., told)| format!("{name}://127.0.0.1:{told}")).collect();
    let protocols = listeners.iter().map(|(name, protocol, ..)| format!("{name}:{protocol},"));
    // A property that is given twice counts as it stands last.
    text.push_str(&format!(
        "\nlisteners={}CONTROLLER://127.0.0.1:{controller_port}\n\
         advertised.listeners={}\n\
         listener.security.protocol.map={}CONTROLLER:PLAINTEXT\n\
         controller.quorum.voters=1@127.0.0.1:{controller_port}\n\
         log.dirs={}\n",
        own.collect::<String>(),
        told.join(","),
        protocols.collect::<String>(),
        data.join("data").display()
    ));
    for (name, value) in &options.properties {
        text.push_str(&format!("{name}={value}\n"));
    }
    fs::write(path, text).map_err(Error::io(|| format!("write {}", path.display())))
}

/// `java`, of `JAVA_HOME` if that is set.
pub(crate) fn java_program() -> OsString {
    match env::var_os("JAVA_HOME") {
        Some(home) if !home.is_empty() => Path::new(&home).join("bin/java").into_os_string(),
        _ => "java".into(),
    }
}

/// Java's arguments up to the class.
pub(crate) fn java_arguments(installed: &Installed, heap_mebibytes: u32, log_level: &str) -> Vec<OsString> {
    let mut log4j = OsString::from("-Dlog4j2.configurationFile=");
    log4j.push(paths::deploy_dir().join("kafka/log4j2.properties"));
    vec![
        format!("-Xmx{heap_mebibytes}m").into(),
        "-XX:+UseSerialGC".into(),
        "-XX:+ExitOnOutOfMemoryError".into(),
        "-XX:-UsePerfData".into(),
        "-Djava.awt.headless=true".into(),
        log4j,
        format!("-Dmeterhouse.log.level={log_level}").into(),
        "-cp".into(),
        installed.kafka_libs.join("*").into_os_string(),
    ]
}
