//! No secret is where it does not belong. Each one is a text that nobody else has, and is looked for in all that comes out.

use std::fs;

use anyhow::{Context, Result, ensure};
use meterhouse_tests::certificates::Identity;
use meterhouse_tests::usages::usage;
use meterhouse_tests::{Merchant, Message, Service, Site, Token, tls, wait};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::world::{KAFKA_USER, User, secret, world};

/// Everything that has come out, with where it has.
#[derive(Default)]
struct Outputs(Vec<(String, String)>);

impl Outputs {
    fn add(&mut self, from: impl Into<String>, text: impl Into<String>) {
        self.0.push((from.into(), text.into()));
    }

    /// Fails where one of the secrets is in it.
    fn hold_none_of(&self, secrets: &[(&str, String)]) -> Result<()> {
        for (from, text) in &self.0 {
            for (name, secret) in secrets {
                ensure!(!text.contains(secret.as_str()), "{name} is in {from}:\n{text}");
            }
        }
        Ok(())
    }
}

/// All secrets of a service, by name.
struct Secrets {
    token: String,
    email_key: String,
    merchants: [Merchant; 3],
    /// What clients send by mistake.
    wrong_token: String,
    wrong_key: String,
    wrong_password: String,
    user_password: String,
    identity: Identity,
}

impl Secrets {
    fn new() -> Result<Self> {
        let merchant = |code: &str| Merchant::new(code, &secret(code));
        Ok(Self {
            token: secret("token"),
            email_key: secret("email-key"),
            merchants: [merchant("INLINE"), merchant("FILE"), merchant("VARIABLE")],
            wrong_token: secret("wrong-token"),
            wrong_key: secret("wrong-key"),
            wrong_password: secret("wrong-password"),
            user_password: secret("user-password"),
            identity: world().authority.issue(&["localhost"])?,
        })
    }

    fn all(&self) -> Result<Vec<(&'static str, String)>> {
        let world = world();
        // A line from the middle: the first one is the same in all keys.
        let key_line = self.identity.key.lines().nth(2).context("a short key")?.to_owned();
        Ok(vec![
            ("the token", self.token.clone()),
            ("the e-mail's key", self.email_key.clone()),
            ("a merchant's secret", self.merchants[0].secret.clone()),
            ("the secret of a file", self.merchants[1].secret.clone()),
            ("the secret of a variable", self.merchants[2].secret.clone()),
            ("a wrong token", self.wrong_token.clone()),
            ("a wrong key", self.wrong_key.clone()),
            ("a wrong password", self.wrong_password.clone()),
            ("the password of a user to be made", self.user_password.clone()),
            ("the TLS key", key_line),
            ("Kafka's password", world.kafka_password.clone()),
            ("ClickHouse's password", world.password(User::Migrator).to_owned()),
            ("ClickHouse's password", world.password(User::Writer).to_owned()),
            ("ClickHouse's password", world.password(User::Reader).to_owned()),
        ])
    }

    /// Writes the credentials file, and sets all that is no credential of a client.
    fn write(&self, site: &mut Site) -> Result<()> {
        let [inline, of_file, of_variable] = &self.merchants;
        let permits = ["Billing:Api:ServiceUsageHistory:Show", "usages:read", "usages:write"];
        let permits = permits.map(str::to_owned).to_vec();
        let mut text =
            Token::file(&[Token { permits, ..Token::new(&self.token) }]) + &inline.table(&["*"], "");
        let hash = hex::encode(Sha256::digest(&self.email_key));
        text +=
            &format!("[[email_key]]\nemail = \"a@example.com\"\nsha256 = \"{hash}\"\ncustomers = [\"c\"]\n");
        text += &format!(
            "[[merchant]]\ncode = \"{}\"\nsecret_file = \"shop.secret\"\ncustomers = [\"*\"]\n",
            of_file.code
        );
        text += &format!(
            "[[merchant]]\ncode = \"{}\"\nsecret_variable = \"SHOP_SECRET\"\ncustomers = [\"*\"]\n",
            of_variable.code
        );
        fs::write(site.dir().join("credentials.toml"), text)?;
        fs::write(site.dir().join("shop.secret"), &of_file.secret)?;
        let [certificate, key] = self.identity.write(site.dir(), "server")?;
        let world = world();
        let settings = [
            ("http.tls_certificate_file", certificate.to_string_lossy().into_owned()),
            ("http.tls_key_file", key.to_string_lossy().into_owned()),
            ("kafka.brokers", world.secured_brokers()),
            ("kafka.properties.security.protocol", "sasl_ssl".to_owned()),
            ("kafka.properties.sasl.mechanism", "PLAIN".to_owned()),
            ("kafka.properties.sasl.username", KAFKA_USER.to_owned()),
            ("kafka.properties.sasl.password", world.kafka_password.clone()),
            ("kafka.properties.ssl.ca.location", world.ca_file.to_string_lossy().into_owned()),
            // librdkafka then logs its whole configuration, and every step of its log-in.
            ("kafka.properties.debug", "all".to_owned()),
            ("clickhouse.users.writer_password", self.user_password.clone()),
            ("log.level", "trace".to_owned()),
        ];
        settings.into_iter().try_for_each(|(key, value)| site.set(key, value))
    }

    fn variables(&self) -> [(&'static str, String); 1] {
        [("SHOP_SECRET", self.merchants[2].secret.clone())]
    }
}

/// Asks in all ways, right and wrong, over TLS.
fn ask(service: &Service, secrets: &Secrets, outputs: &mut Outputs) -> Result<()> {
    let merchants: Result<Vec<_>> = secrets.merchants.iter().map(Merchant::header).collect();
    let merchants = merchants?;
    let (token, wrong) = (format!("Bearer {}", secrets.token), format!("Bearer {}", secrets.wrong_token));
    let email = ("X-Auth-Email", "a@example.com");
    let mut credentials: Vec<Vec<(&str, &str)>> = vec![
        vec![],
        vec![("Authorization", &token)],
        vec![("Authorization", &wrong)],
        vec![("Authorization", &token), ("Authorization", &wrong)],
        vec![("Authorization", &secrets.wrong_token)],
        vec![("X-Client-Authorization", &secrets.token)],
        vec![("X-Client-Authorization", &secrets.wrong_token)],
        vec![email, ("X-Auth-Key", &secrets.email_key)],
        vec![email, ("X-Auth-Key", &secrets.wrong_key)],
        vec![("X-Auth-Email", &secrets.wrong_key), ("X-Auth-Key", &secrets.email_key)],
        vec![("X-Avangate-Authentication", &secrets.wrong_token)],
    ];
    credentials.extend(merchants.iter().map(|(name, value)| vec![(*name, value.as_str())]));
    let body = json!([usage("cpu", "01:00:00", 1)]).to_string();
    let context = [("X-User-Agent", "tests"), ("X-Product-Name", "tests"), ("X-Customer", "c")];
    for headers in &credentials {
        let headers = [&context[..], headers].concat();
        for (method, path, body) in [
            ("GET", "/v1/billing/service_usage/history", ""),
            ("GET", "/client/v4/user/billing/history", ""),
            ("GET", "/rest/6.0/subscriptions/s/usages", ""),
            ("POST", "/rest/6.0/subscriptions/s/usages", body.as_str()),
            ("DELETE", "/rest/6.0/subscriptions/s/usages?UsageReference=x", ""),
        ] {
            let connection = tls::connect(service.http_port(), &world().authority)?;
            let reply = tls::send(connection, method, path, &headers, body)?;
            outputs.add(format!("the answer to {method} {path}"), format!("{reply:?}"));
        }
    }
    Ok(())
}

/// Runs a command with all secrets; how it ends is its own matter.
fn run(
    site: &Site,
    secrets: &Secrets,
    user: User,
    words: &[&str],
    outputs: &mut Outputs,
) -> Result<Option<i32>> {
    let mut command = site.command(words)?;
    let output = command.envs(world().variables(site, user)).envs(secrets.variables()).output()?;
    outputs.add(format!("the output of {words:?}"), String::from_utf8_lossy(&output.stdout));
    outputs.add(format!("the errors of {words:?}"), String::from_utf8_lossy(&output.stderr));
    Ok(output.status.code())
}

const COMMANDS: [(User, &[&str]); 10] = [
    (User::Reader, &["check-config"]),
    (User::Reader, &["verify", "--from-kafka"]),
    (User::Reader, &["ledger", "show"]),
    (User::Reader, &["rejects", "list"]),
    (User::Reader, &["rejects", "list", "--json"]),
    (User::Writer, &["rejects", "replay"]),
    (User::Writer, &["rollup", "rebuild", "--no-wait"]),
    (User::Writer, &["generate", "--events", "10"]),
    (User::Writer, &["migrate", "--users"]),
    (User::Writer, &["migrate", "--users", "--dry-run"]),
];

/// Everything that a service, and each command, says while all is well.
fn all_is_well(site: &Site, secrets: &Secrets, outputs: &mut Outputs) -> Result<()> {
    let world = world();
    assert_eq!(run(site, secrets, User::Migrator, &["migrate"], outputs)?, Some(0));
    let start = |user: User, command: &str| {
        let [name, password] = world.variables(site, user);
        let [shop] = secrets.variables();
        let variables = [&name, &password, &shop].map(|(name, value)| (*name, value.as_str()));
        site.start_with(&[command], command, &variables).map(Service::silent)
    };
    let mut services =
        [start(User::Writer, "ingest")?, start(User::Writer, "rollup")?, start(User::Reader, "api")?];
    for service in &mut services {
        service.wait_ready()?;
    }
    // A record with a header that looks like a secret is kept as it is: whoever can read the topic has it anyway.
    site.publisher()?.publish(&[Message::new("s", "no event")])?;
    ask(&services[2], secrets, outputs)?;
    site.wait_consumed()?;
    for (user, command) in COMMANDS {
        run(site, secrets, user, command, outputs)?;
    }
    for service in &services {
        let pid = service.pid().context("not running")?;
        outputs.add("a command line", fs::read_to_string(format!("/proc/{pid}/cmdline"))?);
        outputs.add("the metrics", service.operations().get("/metrics")?.body);
        outputs.add("the readiness", service.operations().get("/readyz")?.body);
        outputs.add("a log", service.log());
    }
    for table in ["usage_events", "rejects", "replays", "ledger", "identities"] {
        let all = "FORMAT JSONEachRow SETTINGS output_format_json_validate_utf8 = 1";
        outputs.add(format!("the table {table}"), site.query(&format!("SELECT * FROM {table} {all}"))?);
    }
    Ok(())
}

/// The same where passwords are wrong, and servers are away.
fn nothing_is_well(site: &mut Site, secrets: &Secrets, outputs: &mut Outputs) -> Result<()> {
    let password = [("METERHOUSE_CLICKHOUSE__PASSWORD", secrets.wrong_password.as_str())];
    site.set("clickhouse.user", User::Writer.name(&site.name))?;
    let mut refused = site.start_with(&["serve"], "refused", &[password[0], ("SHOP_SECRET", "x")])?.silent();
    assert_eq!(refused.wait_end()?.code(), Some(1), "{}", refused.log_tail());
    outputs.add("the log of a service without ClickHouse", refused.log());

    site.set("kafka.properties.sasl.password", secrets.wrong_password.as_str())?;
    let [user, password] = world().variables(site, User::Writer);
    let [shop] = secrets.variables();
    let variables = [&user, &password, &shop].map(|(name, value)| (*name, value.as_str()));
    let waits = site.start_with(&["ingest"], "waits", &variables)?.silent();
    wait::until("the log-in to fail", || waits.log().contains("Authentication failed").then_some(()))?;
    outputs.add("the log of a service without Kafka", waits.log());
    outputs.add("its readiness", waits.operations().get("/readyz")?.body);
    drop(waits);

    site.set("kafka.brokers", "127.0.0.1:1")?;
    site.set("clickhouse.url", "http://127.0.0.1:1")?;
    for (user, command) in COMMANDS.iter().filter(|(_, command)| command[0] != "generate") {
        run(site, secrets, *user, command, outputs)?;
    }
    // Mistakes of every kind in what is secret.
    for (key, value) in [
        ("kafka.properties.sasl.passwort", secrets.wrong_password.clone()),
        ("kafka.properties.ssl.key.pem", secrets.identity.key.clone()),
        ("kafka.properties.ssl.key.password", secrets.wrong_password.clone()),
        ("clickhouse.passwort", secrets.wrong_password.clone()),
        ("clickhouse.client_key_file", "server.key".to_owned()),
        ("http.tls_certificate_file", site.dir().join("server.key").to_string_lossy().into_owned()),
        ("clickhouse.url", format!("http://user:{}@127.0.0.1", secrets.wrong_password)),
    ] {
        site.set(key, value)?;
        run(site, secrets, User::Reader, &["check-config"], outputs)?;
    }
    Ok(())
}

#[test]
fn no_secret_is_in_anything_that_comes_out() -> Result<()> {
    let secrets = Secrets::new()?;
    let mut site = world().site("sec_secrets")?;
    crate::kafka::allow("sec_secrets", "sec_secrets")?;
    secrets.write(&mut site)?;
    let mut outputs = Outputs::default();
    all_is_well(&site, &secrets, &mut outputs)?;
    nothing_is_well(&mut site, &secrets, &mut outputs)?;
    let all = secrets.all()?;
    outputs.hold_none_of(&all)?;
    // The search would find them: what is looked for has been used.
    assert!(
        outputs.0.iter().any(|(from, text)| from == "a log" && text.contains("SASL")),
        "no log of a log-in"
    );
    let shown = outputs.0.iter().find(|(from, _)| from.contains("check-config")).context("no output")?;
    assert!(shown.1.contains("\"sasl.password\" = \"***\""), "{}", shown.1);
    Ok(())
}
