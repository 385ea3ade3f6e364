//! A Kafka that asks for a password behind TLS and has access lists, and a ClickHouse with the users that `migrate --users` would
//! make: the local one cannot make any, but takes the same rights from a file.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use meterhouse_localstack::{
    ClickHouse, ClickHouseOptions, Kafka, KafkaOptions, Port, Stack, StackOptions, workspace_dir,
};
use meterhouse_tests::certificates::{self, Authority};
use meterhouse_tests::{Service, Site, meterhouse};
use rand::RngExt;
use tempfile::TempDir;

/// The databases of this suite; each has a migrator, a writer and a reader.
pub(crate) const DATABASES: [&str; 7] =
    ["sec_rights", "sec_kafka", "sec_tls", "sec_listener", "sec_reload", "sec_secrets", "sec_audit"];
/// Who the service is for Kafka.
pub(crate) const KAFKA_USER: &str = "meterhouse";

/// The servers, and all that opens them.
pub(crate) struct World {
    pub(crate) stack: Stack,
    /// Issues the certificates of all servers.
    pub(crate) authority: Authority,
    /// Its certificate.
    pub(crate) ca_file: PathBuf,
    pub(crate) kafka_password: String,
    secured_port: Port,
    passwords: Passwords,
    _folder: TempDir,
}

/// The same in all databases.
struct Passwords {
    migrator: String,
    writer: String,
    reader: String,
}

/// Whom a process is for ClickHouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    Migrator,
    Writer,
    Reader,
}

impl User {
    pub(crate) fn name(self, database: &str) -> String {
        let role = match self {
            Self::Migrator => "migrator",
            Self::Writer => "writer",
            Self::Reader => "reader",
        };
        format!("{database}_{role}")
    }
}

/// The servers of all tests of this binary.
#[expect(clippy::panic, reason = "every test that asks would have to fail with the same words")]
pub(crate) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| World::start().unwrap_or_else(|error| panic!("{error:#}")))
}

/// A text that nobody else has.
pub(crate) fn secret(of: &str) -> String {
    format!("{of}-{:032x}", rand::rng().random::<u128>())
}

impl World {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new("Authority of the tests")?;
        let ca_file = certificates::write(folder.path(), "ca.pem", &authority.pem())?;
        let [migrator, writer, reader] = ["migrator", "writer", "reader"].map(secret);
        let passwords = Passwords { migrator, writer, reader };
        let kafka_password = secret("kafka");
        let secured_port = Port::free()?;
        let kafka = secured_kafka(&authority, secured_port.number(), &kafka_password)?;
        let clickhouse = ClickHouseOptions {
            config_file: Some(write_users(folder.path().to_owned(), &passwords)?),
            ..ClickHouseOptions::default()
        };
        let stack = Stack::start(StackOptions { kafka, clickhouse })?;
        Ok(Self { stack, authority, ca_file, kafka_password, secured_port, passwords, _folder: folder })
    }

    pub(crate) fn clickhouse(&self) -> &ClickHouse {
        self.stack.clickhouse()
    }

    pub(crate) fn kafka(&self) -> &Kafka {
        self.stack.kafka()
    }

    /// Where Kafka asks for a password.
    pub(crate) fn secured_brokers(&self) -> String {
        format!("127.0.0.1:{}", self.secured_port.number())
    }

    pub(crate) fn password(&self, user: User) -> &str {
        match user {
            User::Migrator => &self.passwords.migrator,
            User::Writer => &self.passwords.writer,
            User::Reader => &self.passwords.reader,
        }
    }

    /// A site with its topic, in a database of the list.
    pub(crate) fn site(&self, name: &str) -> Result<Site> {
        ensure!(DATABASES.contains(&name), "{name} is not in the list of databases");
        self.kafka().create_topic(name, 4)?;
        Site::on(self.kafka(), self.clickhouse(), name)
    }

    /// The settings that make a process of a site a user.
    pub(crate) fn variables(&self, site: &Site, user: User) -> [(&'static str, String); 2] {
        let password = self.password(user).to_owned();
        [
            ("METERHOUSE_CLICKHOUSE__USER", user.name(&site.name)),
            ("METERHOUSE_CLICKHOUSE__PASSWORD", password),
        ]
    }

    /// Starts a process as a user.
    pub(crate) fn start_as(&self, site: &Site, user: User, command: &[&str]) -> Result<Service> {
        let variables = self.variables(site, user);
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        site.start_with(command, command[0], &variables)
    }

    /// Runs a command as a user; it must succeed.
    pub(crate) fn run_as(&self, site: &Site, user: User, command: &[&str]) -> Result<String> {
        let output = site.command(command)?.envs(self.variables(site, user)).output()?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{command:?} as {user:?}: {}\n{error}", output.status);
        Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &error)
    }

    /// What ClickHouse answers to a user's statement.
    pub(crate) fn query_as(&self, database: &str, user: User, sql: &str) -> Result<String> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(self.clickhouse().http_url()).query("database", database);
        let request = request.header("X-ClickHouse-User", user.name(database));
        let mut answer = request.header("X-ClickHouse-Key", self.password(user)).send(sql)?;
        let text = answer.body_mut().read_to_string()?;
        ensure!(answer.status().is_success(), "{}", text.trim_end());
        Ok(text)
    }
}

/// A broker with a listener for the service and one, without TLS, for the tests, which may do everything.
fn secured_kafka(authority: &Authority, port: u16, password: &str) -> Result<KafkaOptions> {
    let identity = authority.issue(&["localhost", "127.0.0.1"])?;
    let on_one_line = |pem: &str| pem.trim_end().replace('\n', "\\n");
    let login = format!(
        "org.apache.kafka.common.security.plain.PlainLoginModule required user_{KAFKA_USER}=\"{password}\";"
    );
    let properties = [
        ("listener.name.secured.ssl.keystore.type", "PEM".to_owned()),
        ("listener.name.secured.ssl.keystore.certificate.chain", on_one_line(&identity.certificate)),
        ("listener.name.secured.ssl.keystore.key", on_one_line(&identity.key)),
        ("listener.name.secured.sasl.enabled.mechanisms", "PLAIN".to_owned()),
        ("listener.name.secured.plain.sasl.jaas.config", login),
        ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned()),
        ("super.users", "User:ANONYMOUS".to_owned()),
    ];
    let properties = properties.map(|(name, value)| (name.to_owned(), value)).to_vec();
    Ok(KafkaOptions { secured_port: Some(port), properties, ..KafkaOptions::default() })
}

/// The statements of `migrate --users` for a database.
fn statements(database: &str, passwords: &Passwords) -> Result<String> {
    let mut command = Command::new(meterhouse()?);
    command.current_dir(std::env::temp_dir()).args(["migrate", "--users", "--dry-run"]);
    command.env("METERHOUSE_CLICKHOUSE__DATABASE", database);
    let users = [
        ("MIGRATOR", User::Migrator, &passwords.migrator),
        ("WRITER", User::Writer, &passwords.writer),
        ("READER", User::Reader, &passwords.reader),
    ];
    for (key, user, password) in users {
        command.env(format!("METERHOUSE_CLICKHOUSE__USERS__{key}"), user.name(database));
        command.env(format!("METERHOUSE_CLICKHOUSE__USERS__{key}_PASSWORD"), password);
    }
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// Writes the configuration of a server with the users of all databases, and returns its path.
fn write_users(folder: PathBuf, passwords: &Passwords) -> Result<PathBuf> {
    let mut users = String::new();
    for database in DATABASES {
        let statements = statements(database, passwords)?;
        for user in [User::Migrator, User::Writer, User::Reader] {
            let name = user.name(database);
            let hash =
                between(&statements, &format!("ALTER USER `{name}` IDENTIFIED WITH sha256_hash BY '"), "';");
            let granted = statements.lines().find(|line| line.ends_with(&format!(" TO `{name}`;")));
            let role = between(granted.context("no role")?, "GRANT ", " TO ")?;
            let tail = format!(" TO {role} WITH REPLACE OPTION;");
            let rights = statements.lines().find_map(|line| line.strip_suffix(&tail)).context("no rights")?;
            write!(
                users,
                "<{name}><password_sha256_hex>{}</password_sha256_hex><networks><ip>127.0.0.1</ip></networks>\
                 <profile>default</profile><quota>default</quota><grants><query>{rights}</query></grants></{name}>",
                hash?
            )?;
        }
    }
    let network = "<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>";
    let text = format!(
        "<clickhouse><profiles><default/></profiles><quotas><default/></quotas>\
         <users><default><password/>{network}<access_management>1</access_management></default>{users}</users></clickhouse>"
    );
    fs::write(folder.join("users.xml"), text)?;
    fs::copy(workspace_dir().join("deploy/local/clickhouse/config.xml"), folder.join("config.xml"))?;
    Ok(folder.join("config.xml"))
}

fn between<'t>(text: &'t str, before: &str, behind: &str) -> Result<&'t str> {
    let (_, rest) = text.split_once(before).with_context(|| format!("no {before:?} in {text}"))?;
    Ok(rest.split_once(behind).with_context(|| format!("no {behind:?} in {text}"))?.0)
}
