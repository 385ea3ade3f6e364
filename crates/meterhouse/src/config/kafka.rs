//! `[kafka]`: where events come from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::IngestConfig;
use super::definition::{Optional, Text};
use super::layers::{PROPERTIES, PROPERTY_FILES, Value, join};
use super::reader::{Reader, Section, parse_name, quoted, read_secret};
use super::secret::MASK;

const BROKERS: Text = Text {
    key: "brokers",
    form: "`host:port`, separated by commas",
    default: "127.0.0.1:9092",
    help: "Addresses of some brokers.",
};
const TOPIC: Text =
    Text { key: "topic", form: "name of a topic", default: "usage-events", help: "Topic of the events." };
const GROUP_ID: Text = Text {
    key: "group_id",
    form: "a name",
    default: "meterhouse",
    help: "Consumer group. All processes that share the topic have the same.",
};
const ANY_PROPERTY: Optional = Optional {
    key: "*",
    form: "or integer, or true or false",
    help: "Passed to librdkafka under its own name, such as `'security.protocol' = 'sasl_ssl'`: TLS, SASL and the like. \
           In the variable `_` stands for a dot. Properties on which exactness rests are refused.",
};
const ANY_PROPERTY_FILE: Optional = Optional {
    key: "*",
    form: "path of a file",
    help: "File that holds the value of a property, for secrets: `'sasl.password' = '/run/secrets/kafka'`. The line's end does \
           not count. Not both this and the property itself.",
};
/// Kafka's usual port, which librdkafka assumes.
const DEFAULT_PORT: &str = "9092";
/// Kafka's own limit for the name of a topic, in bytes.
const TOPIC_BYTES_MAX: usize = 249;

/// Properties that are derived from keys of ours, with the key.
const DERIVED: [(&str, &str); 4] = [
    ("bootstrap.servers", "kafka.brokers"),
    ("metadata.broker.list", "kafka.brokers"),
    ("group.id", "kafka.group_id"),
    ("session.timeout.ms", "ingest.session_timeout_ms"),
];

/// What a name contains if its property may be a secret.
const SECRETIVE: [&str; 12] = [
    "password",
    "passphrase",
    "secret",
    "token",
    "credential",
    "private",
    "jaas",
    "pem",
    "assertion",
    "oauthbearer.config",
    "api.key",
    "cookie",
];

/// The values of `[kafka]`.
#[derive(Debug, Clone)]
pub(crate) struct KafkaConfig {
    pub(crate) brokers: String,
    pub(crate) topic: String,
    pub(crate) group_id: String,
    pub(crate) properties: Properties,
}

/// Properties for librdkafka. Their `Debug` shows the names alone: any value may be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Properties(BTreeMap<String, String>);

impl Properties {
    /// Value by name.
    pub(crate) fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl KafkaConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("kafka");
        let brokers = section.parsed(&BROKERS, parse_brokers);
        let topic = section.parsed(&TOPIC, parse_topic);
        let group_id = section.parsed(&GROUP_ID, parse_name);
        let given = read_properties(&mut reader.section(PROPERTIES));
        let of_files = read_property_files(&mut reader.section(PROPERTY_FILES), given.as_ref());
        let properties = given.zip(of_files).map(|(mut all, of_files)| {
            all.extend(of_files);
            Properties(all)
        });
        Some(Self { brokers: brokers?, topic: topic?, group_id: group_id?, properties: properties? })
    }

    /// What the pipeline connects with.
    pub(crate) fn client_config(&self, ingest: &IngestConfig) -> meterhouse_ingest::KafkaConfig {
        meterhouse_ingest::KafkaConfig {
            brokers: self.brokers.clone(),
            topic: self.topic.clone(),
            group_id: self.group_id.clone(),
            properties: self.properties.as_map().clone(),
            session_timeout: ingest.session_timeout,
            mirror_topic: ingest.mirror_topic.clone(),
        }
    }
}

fn read_properties(section: &mut Section<'_>) -> Option<BTreeMap<String, String>> {
    let mut properties = BTreeMap::new();
    let mut is_right = true;
    for (name, value, source) in section.rest(&ANY_PROPERTY) {
        let text = match value {
            Value::Untyped(text) | Value::Text(text) => Some(text),
            Value::Integer(number) => number.map(|number| number.to_string()),
            Value::Flag(flag) => Some(flag.to_string()),
            Value::Other(_) => None,
        };
        let shown = text.as_ref().map(|text| quoted(if is_secretive(&name, text) { MASK } else { text }));
        section.show(&name, shown, Some(&source));
        let path = join(PROPERTIES, &name);
        let checked = match &text {
            Some(text) => check_property(&name, text).map_err(|why| format!("{path} {why}")),
            None => Err(format!("{path} must be a string, an integer or a boolean")),
        };
        if let Err(what) = checked {
            section.complain(&name, what);
            is_right = false;
        }
        properties.extend(text.map(|text| (name, text)));
    }
    is_right.then_some(properties)
}

/// The properties whose values are in files; none of them may be given twice.
fn read_property_files(
    section: &mut Section<'_>,
    given: Option<&BTreeMap<String, String>>,
) -> Option<BTreeMap<String, String>> {
    let mut properties = BTreeMap::new();
    let mut is_right = true;
    for (name, value, source) in section.rest(&ANY_PROPERTY_FILE) {
        let path = match value {
            Value::Untyped(path) | Value::Text(path) => Some(path),
            Value::Integer(_) | Value::Flag(_) | Value::Other(_) => None,
        };
        section.show(&name, path.as_deref().map(quoted), Some(&source));
        let read = match path {
            None => Err("must be a string, the path of a file".to_owned()),
            Some(_) if given.is_some_and(|given| given.contains_key(&name)) => {
                Err(format!("and {} are both given: which one counts?", join(PROPERTIES, &name)))
            }
            Some(path) => read_secret(Path::new(&path)),
        };
        let checked = read.and_then(|secret| check_secret(&name, secret.expose()).map(|()| secret));
        match checked {
            Ok(secret) => properties.extend([(name, secret.expose().to_owned())]),
            Err(why) => {
                section.complain(&name, format!("{} {why}", join(PROPERTY_FILES, &name)));
                is_right = false;
            }
        }
    }
    is_right.then_some(properties)
}

fn check_property(name: &str, value: &str) -> Result<(), String> {
    if let Some((_, key)) = DERIVED.iter().find(|(derived, _)| *derived == name) {
        return Err(format!("cannot be set: it follows from {key}"));
    }
    if meterhouse_ingest::is_fixed_property(name) {
        return Err("cannot be set: that no event is lost or counted twice rests on it".to_owned());
    }
    let Err(why) = meterhouse_ingest::check_property(name, value) else { return Ok(()) };
    if !is_secretive(name, value) {
        return Err(format!("is refused by librdkafka: {why}"));
    }
    // librdkafka's words quote the value; if it is the name that is wrong, they are the same for another value.
    match meterhouse_ingest::check_property(name, MASK) {
        Ok(()) => Err("has a value that librdkafka refuses".to_owned()),
        Err(why) => Err(format!("is refused by librdkafka: {why}")),
    }
}

/// The same for what was put into a file, so that nobody sees it.
fn check_secret(name: &str, value: &str) -> Result<(), String> {
    check_property(name, value).map_err(|_| {
        let why = check_property(name, MASK).err();
        why.unwrap_or_else(|| "has a value that librdkafka refuses".to_owned())
    })
}

/// Whether a property may be a secret. One too many is masked rather than one too few.
fn is_secretive(name: &str, value: &str) -> bool {
    let name = name.to_lowercase();
    let is_address_with_user = value.contains("://") && value.contains('@');
    is_address_with_user || SECRETIVE.iter().any(|part| name.contains(part))
}

fn parse_brokers(text: &str) -> Result<String, String> {
    for broker in text.split(',').map(str::trim) {
        let with_port = if broker.ends_with(']') { None } else { broker.rsplit_once(':') };
        let (host, port) = with_port.unwrap_or((broker, DEFAULT_PORT));
        let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
        if host.is_empty() || host.contains(char::is_whitespace) || !is_port {
            return Err(format!("must be host:port, separated by commas, has {broker:?}"));
        }
    }
    Ok(text.to_owned())
}

pub(super) fn parse_topic(text: &str) -> Result<String, String> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !(1..=TOPIC_BYTES_MAX).contains(&text.len())
        || !text.bytes().all(is_legal)
        || [".", ".."].contains(&text)
    {
        return Err(format!(
            "must be 1 to {TOPIC_BYTES_MAX} of a-z, A-Z, 0-9, '.', '_' and '-', is {text:?}"
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_hosts_with_ports() {
        for good in ["a:1", "a", "a:9092,b:9093", "a:1, b:2", "[::1]:9092", "[::1]", "10.0.0.1:65535"] {
            assert!(parse_brokers(good).is_ok(), "{good}");
        }
        for bad in ["", "a,", "a:", ":9092", "a:0", "a:65536", "a b:1", "a:x"] {
            assert!(parse_brokers(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn topics_have_the_names_that_kafka_allows() {
        assert!(parse_topic("usage-events_1.A").is_ok());
        for bad in ["", ".", "..", "a b", "ü", "a/b", &"x".repeat(250)] {
            assert!(parse_topic(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn properties_that_hold_secrets_are_known() {
        for name in [
            "sasl.password",
            "ssl.key.password",
            "ssl.keystore.password",
            "ssl.key.pem",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.config",
            "sasl.jaas.config",
        ] {
            assert!(is_secretive(name, "x"), "{name}");
        }
        assert!(is_secretive("sasl.oauthbearer.endpoint.url", "https://user:canary@example.com"));
        for name in ["security.protocol", "sasl.username", "ssl.ca.location", "fetch.queue.backoff.ms"] {
            assert!(!is_secretive(name, "x"), "{name}");
        }
    }

    #[test]
    fn properties_of_ours_are_refused() {
        for name in ["group.id", "acks", "auto.offset.reset", "enable.auto.commit", "bootstrap.servers"] {
            assert!(check_property(name, "x").unwrap_err().contains("cannot be set"), "{name}");
        }
        assert_eq!(check_property("security.protocol", "sasl_ssl"), Ok(()));
        assert!(check_property("no.such.property", "x").is_err());
        assert!(check_property("fetch.queue.backoff.ms", "x").is_err());
        let why = check_property("sasl.passwort.password", "canary").unwrap_err();
        assert!(why.contains("No such configuration property") && !why.contains("canary"), "{why}");
    }
}
