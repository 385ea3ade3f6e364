//! What one test, or the demo, has of the servers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::{ClickHouse, Kafka};
use tempfile::TempDir;

use crate::kafka::{self, Logged};
use crate::oracle::{self, Expected, Question};
use crate::service::without_settings;
use crate::settings::Value;
use crate::{Publisher, Service, Token, binary, clickhouse, scratch_dir, shared, wait};

/// The partitions of a test's topic.
const PARTITIONS: u16 = 4;
const CONFIG: &str = "meterhouse.toml";
const CATALOG: &str = "catalog.csv";
const SUBSCRIPTIONS: &str = "subscriptions.csv";
const CREDENTIALS: &str = "credentials.toml";
/// Longest time of a statement.
const QUERY_LIMIT: Duration = Duration::from_secs(60);

/// A test waits until dates are rolled up, which takes the margin at least, and that more than two inserts.
const SHORT_TIMES: [(&str, Value); 3] = [
    ("clickhouse.insert_timeout_ms", Value::Number(3000)),
    ("rollup.margin_ms", Value::Number(6500)),
    ("rollup.interval_ms", Value::Number(500)),
];

/// A topic, a group, a database and a folder of configuration files.
#[derive(Debug)]
pub struct Site {
    /// Name of group and database, and of the topic unless it is another site's.
    pub name: String,
    topic: String,
    brokers: String,
    clickhouse_url: String,
    settings: BTreeMap<String, Value>,
    token: Token,
    dir: PathBuf,
    _removed_at_end: Option<TempDir>,
}

impl Site {
    /// A site on the shared servers, with a topic.
    ///
    /// # Errors
    /// The topic cannot be created.
    pub fn new(name: &str) -> Result<Self> {
        let stack = shared();
        stack.kafka().create_topic(name, PARTITIONS)?;
        Self::on(stack.kafka(), stack.clickhouse(), name)
    }

    /// A site on any servers, without a topic.
    ///
    /// # Errors
    /// Its files cannot be written.
    pub fn on(kafka: &Kafka, clickhouse: &ClickHouse, name: &str) -> Result<Self> {
        let dir = scratch_dir(name)?;
        let mut site = Self::in_dir(dir.path(), &kafka.bootstrap(), &clickhouse.http_url(), name)?;
        site._removed_at_end = Some(dir);
        site.set_all(SHORT_TIMES)?;
        Ok(site)
    }

    /// A site with its files in a folder that stays.
    ///
    /// # Errors
    /// Its files cannot be written.
    pub fn in_dir(dir: &Path, brokers: &str, clickhouse_url: &str, name: &str) -> Result<Self> {
        let mut site = Self {
            name: name.to_owned(),
            topic: name.to_owned(),
            brokers: brokers.to_owned(),
            clickhouse_url: clickhouse_url.to_owned(),
            settings: BTreeMap::new(),
            token: Token::new("mh_test"),
            dir: dir.to_owned(),
            _removed_at_end: None,
        };
        let path = |file: &str| Value::from(dir.join(file).to_string_lossy().into_owned());
        let settings = [
            ("kafka.brokers", Value::from(brokers)),
            ("kafka.topic", name.into()),
            ("kafka.group_id", name.into()),
            ("clickhouse.url", clickhouse_url.into()),
            ("clickhouse.database", name.into()),
            ("catalog.path", path(CATALOG)),
            ("subscriptions.path", path(SUBSCRIPTIONS)),
            ("credentials.path", path(CREDENTIALS)),
            ("ingest.batch_age_ms", 100.into()),
            // Every request is logged, which would hide what a failed test is looked into for.
            ("log.level", "info,meterhouse_api::observe=warn".into()),
        ];
        site.write_catalog("code,service\n")?;
        site.write_subscriptions("subscription,customer,start,expires\n")?;
        site.write_credentials(std::slice::from_ref(&site.token))?;
        site.set_all(settings)?;
        Ok(site)
    }

    /// Sets a key of the configuration, for processes that are started from now on.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> Result<()> {
        self.set_all([(key, value.into())])
    }

    /// Reads another site's topic.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn read_topic_of(&mut self, other: &Self) -> Result<()> {
        self.topic.clone_from(&other.topic);
        self.set("kafka.topic", other.topic.as_str())
    }

    /// The value of a key, if it was set.
    pub(crate) fn setting(&self, key: &str) -> Option<&Value> {
        self.settings.get(key)
    }

    fn set_all<const N: usize>(&mut self, settings: [(&str, Value); N]) -> Result<()> {
        self.settings.extend(settings.map(|(key, value)| (key.to_owned(), value)));
        let lines = self.settings.iter().map(|(key, value)| format!("{key} = {value}\n"));
        self.write(CONFIG, &lines.collect::<String>())
    }

    /// Replaces the catalog.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_catalog(&self, csv: &str) -> Result<()> {
        self.write(CATALOG, csv)
    }

    /// Replaces the registry of subscriptions.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_subscriptions(&self, csv: &str) -> Result<()> {
        self.write(SUBSCRIPTIONS, csv)
    }

    /// Replaces the credentials.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_credentials(&self, tokens: &[Token]) -> Result<()> {
        self.write(CREDENTIALS, &Token::file(tokens))
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        fs::write(self.dir.join(file), text).with_context(|| format!("write {file}"))
    }

    /// Makes this the token that the site's own requests bear, and the only one in the credentials file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn use_token(&mut self, token: Token) -> Result<()> {
        self.token = token;
        self.write_credentials(std::slice::from_ref(&self.token))
    }

    /// The token of the credentials file as it was at first.
    pub fn token(&self) -> &str {
        &self.token.text
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.dir.join(CONFIG)
    }

    /// The folder of its files.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Starts a process; `log` names its log file among those of this site.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self, command: &[&str], log: &str) -> Result<Service> {
        Service::start(&self.config(), command, &self.dir.join(format!("{log}.log")))
    }

    /// The same with environment variables.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_with(&self, command: &[&str], log: &str, variables: &[(&str, &str)]) -> Result<Service> {
        Service::start_with(&self.config(), command, &self.dir.join(format!("{log}.log")), variables)
    }

    /// The same of another program, such as one of another version.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_program(&self, program: &Path, command: &[&str], log: &str) -> Result<Service> {
        let mut service = Service::new(&self.config(), command, &self.dir.join(format!("{log}.log")))?;
        service.be_program(Some(program));
        service.start_again()?;
        Ok(service)
    }

    /// Starts `meterhouse serve` and waits until it is ready.
    ///
    /// # Errors
    /// It is not ready in time.
    pub fn serve(&self) -> Result<Service> {
        let mut service = self.start(&["serve"], "serve")?;
        service.wait_ready()?;
        Ok(service)
    }

    /// Runs a command that ends by itself.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.command(arguments)?.output().context("run meterhouse")
    }

    /// A command of this site's, not started yet.
    ///
    /// # Errors
    /// There is no program.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = Command::new(binary::meterhouse()?);
        command.arg("--config").arg(self.config()).args(arguments);
        without_settings(&mut command);
        Ok(command)
    }

    /// Runs `meterhouse generate`, which must succeed, and returns what it printed.
    ///
    /// # Errors
    /// It fails.
    pub fn generate(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(&[&["generate"], arguments].concat())?;
        ensure!(output.status.success(), "generate failed:\n{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A publisher for the topic.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn publisher(&self) -> Result<Publisher> {
        Publisher::new(&self.brokers, &self.topic)
    }

    /// A publisher with transactions.
    ///
    /// # Errors
    /// The broker does not answer.
    pub fn transactional_publisher(&self) -> Result<Publisher> {
        Publisher::transactional(&self.brokers, &self.topic, &self.name)
    }

    /// What the topic holds.
    ///
    /// # Errors
    /// The broker does not answer.
    pub fn log(&self) -> Result<Vec<Logged>> {
        self.log_of(&self.topic)
    }

    /// What another topic of the same broker holds.
    ///
    /// # Errors
    /// The broker does not answer.
    pub fn log_of(&self, topic: &str) -> Result<Vec<Logged>> {
        kafka::read_log(&self.brokers, topic)
    }

    /// Deletes all records of the topic, as retention would.
    ///
    /// # Errors
    /// The broker refuses it.
    pub fn delete_records(&self) -> Result<()> {
        kafka::delete_records(&self.brokers, &self.name)
    }

    /// The offsets that the group has committed, by partition.
    ///
    /// # Errors
    /// The broker does not answer.
    pub fn committed(&self) -> Result<Vec<i64>> {
        kafka::committed(&self.brokers, &self.name, &self.topic)
    }

    /// Waits until the group has committed the end of every partition: then everything is stored.
    ///
    /// # Errors
    /// It takes too long.
    pub fn wait_consumed(&self) -> Result<()> {
        let ends = kafka::log_ends(&self.brokers, &self.topic)?;
        let what = format!("offsets {ends:?} to be committed");
        wait::until_is(&what, || self.committed(), |committed| *committed == ends).map(|_| ())
    }

    /// What the oracle says of the topic's present content, by this site's zone and files.
    ///
    /// # Errors
    /// The broker does not answer, or the oracle fails.
    pub fn expected(&self) -> Result<Expected> {
        let zone = match self.settings.get("billing.time_zone") {
            Some(Value::Text(zone)) => zone,
            _ => "UTC",
        };
        let (catalog, subscriptions) = (self.dir.join(CATALOG), self.dir.join(SUBSCRIPTIONS));
        let allow_negative_units =
            matches!(self.settings.get("ingest.allow_negative_units"), Some(Value::Flag(true)));
        let question = Question {
            zone,
            catalog: Some(&catalog),
            subscriptions: Some(&subscriptions),
            allow_negative_units,
        };
        oracle::judge(&self.log()?, &question)
    }

    /// Asks ClickHouse, in this site's database.
    ///
    /// # Errors
    /// There is no answer, or a refusal.
    pub fn query(&self, sql: &str) -> Result<String> {
        self.query_within(QUERY_LIMIT, sql)
    }

    /// The same within another time than a minute.
    ///
    /// # Errors
    /// There is no answer in time, or a refusal.
    pub fn query_within(&self, limit: Duration, sql: &str) -> Result<String> {
        clickhouse::query(&self.clickhouse_url, &self.name, sql, limit)
    }

    /// The number that a statement returns.
    ///
    /// # Errors
    /// It returns something else.
    pub fn count(&self, sql: &str) -> Result<u64> {
        self.query(sql)?.trim().parse().with_context(|| format!("no number: {sql}"))
    }
}
