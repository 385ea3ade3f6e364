use std::time::Duration;

use std::path::PathBuf;

use meterhouse_model::Rules;

use super::*;

fn load_from(file: &str, variables: &[(&str, &str)]) -> Result<Loaded, String> {
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    read(Some(Ok((PathBuf::from("m.toml"), file.to_owned()))), variables)
        .map_err(|problems| problems.to_string())
}

fn problems(file: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let text = load_from(file, variables).unwrap_err();
    text.lines().skip(1).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn nothing_given_gives_the_documented_defaults() {
    let config = read(None, []).unwrap().config;
    assert_eq!(config.kafka.brokers, "127.0.0.1:9092");
    assert_eq!(config.kafka.topic, "usage-events");
    assert_eq!(config.kafka.group_id, "meterhouse");
    assert_eq!(config.clickhouse.url, "http://127.0.0.1:8123");
    assert_eq!(config.clickhouse.database, "meterhouse");
    assert_eq!(config.clickhouse.user, "default");
    assert_eq!(config.clickhouse.password, None);
    assert_eq!(config.clickhouse.insert_timeout.as_millis(), 30_000);
    assert_eq!(config.clickhouse.query_timeout.as_millis(), 10_000);
    assert_eq!((config.ingest.batch_rows, config.ingest.batch_bytes), (200_000, 67_108_864));
    assert_eq!(config.ingest.batch_age.as_millis(), 1000);
    assert_eq!(config.ingest.max_inflight_bytes, 268_435_456);
    assert_eq!(config.ingest.session_timeout.as_millis(), 10_000);
    assert_eq!((config.sweep.interval.as_millis(), config.sweep.max_lag.as_secs()), (1000, 3600));
    assert_eq!((config.rollup.margin.as_millis(), config.rollup.interval.as_millis()), (75_000, 1000));
    assert_eq!(config.billing.zone.name(), "UTC");
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.http.limits(), meterhouse_api::Limits::default());
    assert_eq!((config.http.max_concurrent_requests, config.http.max_body_bytes), (64, 1_048_576));
    assert_eq!(config.metrics.listen.to_string(), "127.0.0.1:9464");
    assert_eq!((config.api.rate_per_second, config.api.rate_burst), (0, 0));
    assert_eq!(config.api.visible_wait, Duration::from_secs(5));
    assert_eq!(config.api.checkout_clock_skew.as_secs(), 300);
    assert_eq!(config.catalog.path, None);
    let (given, default) =
        (config.ingest.rules(config.billing.zone.clone()), Rules::new(config.billing.zone));
    assert_eq!(format!("{given:?}"), format!("{default:?}"));
}

#[test]
fn the_environment_counts_more_than_the_file() {
    let file =
        "[kafka]\nbrokers = 'a:1'\ntopic = 't'\n[ingest]\nbatch_rows = 1_000\nallow_negative_units = true";
    let variables = [
        ("METERHOUSE_KAFKA__BROKERS", "b:2"),
        ("METERHOUSE_INGEST__BATCH_AGE_MS", "250"),
        ("METERHOUSE_INGEST__ALLOW_NEGATIVE_UNITS", "false"),
        ("METERHOUSE_KAFKA__PROPERTIES__SECURITY_PROTOCOL", "sasl_ssl"),
    ];
    let config = load_from(file, &variables).unwrap().config;
    assert_eq!((config.kafka.brokers.as_str(), config.kafka.topic.as_str()), ("b:2", "t"));
    assert_eq!((config.ingest.batch_rows, config.ingest.batch_age.as_millis()), (1000, 250));
    assert!(!config.ingest.allow_negative_units);
    assert_eq!(config.kafka.properties.as_map()["security.protocol"], "sasl_ssl");
}

#[test]
fn all_problems_come_at_once() {
    let file = "\
[kafka]
borkers = 'x'
topic = 5
[kafka.properties]
'group.id' = 'x'
'no.such.property' = 'x'
[clickhouse]
url = 'ftp://x'
password_file = '/nonexistent/secret'
[ingest]
batch_rows = 0
batch_bytes = 200_000_000
[sweep]
interval_ms = 1
max_lag_seconds = 'x'
[billing]
time_zone = 'Mars/Olympus'
[http]
listen = 'localhost'
max_connections = 0
max_concurrent_requests = 65537
head_timeout_ms = 99
body_timeout_ms = 600001
max_head_bytes = 8191
max_body_byte = 1
max_body_bytes = 1023
[api]
checkout_clock_skew_second = 5
checkout_clock_skew_seconds = 3601
[rollup]
margin_ms = 0
[log]
format = 'xml'
";
    let variables = [
        ("METERHOUSE_INGEST__MAX_AGE_DAYS", "many"),
        ("METERHOUSE_KAFKA_GROUP_ID", "x"),
        ("METERHOUSE_KAFKA__TOPICS", "x"),
    ];
    let expected = [
        "m.toml:2: there is no key `kafka.borkers`; did you mean `kafka.brokers`?",
        "m.toml:3: kafka.topic must be a string, in quotes, is 5",
        "m.toml:5: kafka.properties.group.id cannot be set: it follows from kafka.group_id",
        "m.toml:6: kafka.properties.no.such.property is refused by librdkafka: ",
        "m.toml:8: clickhouse.url must begin with http:// or https:// and name a host",
        "m.toml:9: clickhouse.password_file cannot be read: /nonexistent/secret: ",
        "m.toml:11: ingest.batch_rows must be an integer from 1 to 10000000, is 0",
        "m.toml:12: ingest.batch_bytes is 200000000, more than half of ingest.max_inflight_bytes",
        "m.toml:14: sweep.interval_ms must be an integer from 10 to 600000, is 1",
        "m.toml:15: sweep.max_lag_seconds must be an integer from 1 to 2592000, is a string",
        "m.toml:17: billing.time_zone must be an IANA time zone as Europe/Berlin, is \"Mars/Olympus\"",
        "m.toml:19: http.listen must be an IP address and a port as 127.0.0.1:8080, is \"localhost\"",
        "m.toml:20: http.max_connections must be an integer from 1 to 65536, is 0",
        "m.toml:21: http.max_concurrent_requests must be an integer from 1 to 65536, is 65537",
        "m.toml:22: http.head_timeout_ms must be an integer from 100 to 600000, is 99",
        "m.toml:23: http.body_timeout_ms must be an integer from 100 to 600000, is 600001",
        "m.toml:24: http.max_head_bytes must be an integer from 8192 to 1048576, is 8191",
        "m.toml:25: there is no key `http.max_body_byte`; did you mean `http.max_body_bytes`?",
        "m.toml:26: http.max_body_bytes must be an integer from 1024 to 67108864, is 1023",
        "m.toml:28: there is no key `api.checkout_clock_skew_second`; did you mean `api.checkout_clock_skew_seconds`?",
        "m.toml:29: api.checkout_clock_skew_seconds must be an integer from 0 to 3600, is 3601",
        "m.toml:31: rollup.margin_ms must be an integer from 1 to 86400000, is 0",
        "m.toml:33: log.format must be \"text\" or \"json\", is \"xml\"",
        "METERHOUSE_INGEST__MAX_AGE_DAYS: ingest.max_age_days must be an integer from 1 to 84007, is \"many\"",
        "METERHOUSE_KAFKA_GROUP_ID: two underscores stand between section and key; \
         did you mean METERHOUSE_KAFKA__GROUP_ID?",
        "METERHOUSE_KAFKA__TOPICS: there is no key `kafka.topics`; did you mean METERHOUSE_KAFKA__TOPIC?",
    ];
    let found = problems(file, &variables);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn a_section_must_be_a_table() {
    let found = problems("kafka = 'x'\n[[ingest]]\nbatch_rows = 1\n[http]\n[htpt]\n", &[]);
    assert_eq!(
        found,
        [
            "m.toml:1: `kafka` must be a table of keys",
            "m.toml:2: `ingest` must be a table of keys",
            "m.toml:5: there is no key `htpt`"
        ]
    );
}

#[test]
fn problems_between_sections_are_found() {
    let file = "[http]\nlisten = '127.0.0.1:9464'\n[ingest]\nrequire_known_option = true\nmax_inflight_bytes = 1_000\n\
                mirror_topic = 'usage-events'\n[rollup]\nmargin_ms = 60_000";
    assert_eq!(
        problems(file, &[]),
        [
            "ingest.batch_bytes is 67108864, more than half of ingest.max_inflight_bytes, which is 1000",
            "metrics.listen and http.listen are both 127.0.0.1:9464",
            "m.toml:4: ingest.require_known_option is true, but catalog.path is not set",
            "m.toml:6: ingest.mirror_topic and kafka.topic are both usage-events",
            "m.toml:8: rollup.margin_ms is 60000, not more than twice clickhouse.insert_timeout_ms, which is 30000",
        ]
    );
}

#[test]
fn an_empty_variable_takes_an_optional_value_away() {
    let file = "[catalog]\npath = 'c.toml'\n[clickhouse]\npassword = 'x'";
    let variables = [("METERHOUSE_CATALOG__PATH", ""), ("METERHOUSE_CLICKHOUSE__PASSWORD", "")];
    let config = load_from(file, &variables).unwrap().config;
    assert_eq!((config.catalog.path, config.clickhouse.password), (None, None));
}

#[test]
fn a_secret_comes_from_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    fs::write(&path, "canary\n").unwrap();
    let file = format!("[clickhouse]\npassword_file = '{}'", path.display());
    let config = load_from(&file, &[]).unwrap().config;
    assert_eq!(config.clickhouse.password.unwrap().expose(), "canary");
    let found = problems(&file, &[("METERHOUSE_CLICKHOUSE__PASSWORD", "canary")]);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("are both given") && !found[0].contains("canary"), "{found:?}");
    fs::write(&path, "\n").unwrap();
    assert!(problems(&file, &[])[0].ends_with("is empty"));
}

const CANARIES: &str = "\
[clickhouse]
password = 'canary'
[kafka.properties]
'sasl.password' = 'canary'
'ssl.key.password' = 'canary'
'sasl.oauthbearer.config' = 'canary'
'sasl.username' = 'https://me:canary@example.com'
'linger.ms' = 7
";

#[test]
fn the_effective_configuration_names_sources_and_hides_secrets() {
    let loaded = load_from(CANARIES, &[("METERHOUSE_KAFKA__TOPIC", "t")]).unwrap();
    let text = loaded.to_toml();
    for line in [
        "[kafka]\nbrokers = \"127.0.0.1:9092\"\ntopic = \"t\" # METERHOUSE_KAFKA__TOPIC\n",
        "\n[kafka.properties]\n\"linger.ms\" = \"7\" # m.toml:8\n",
        "\"sasl.password\" = \"***\" # m.toml:4\n",
        "\npassword = \"***\" # m.toml:2\n# password_file is not set\n",
        "\nbatch_rows = 200000\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("canary"), "{text}");
    assert!(!format!("{loaded:?}").contains("canary"));
    // What is printed can be read again.
    let again = load_from(&text, &[]).unwrap();
    assert_eq!(again.config.kafka.topic, "t");
}

#[test]
fn no_problem_quotes_a_secret() {
    let wrong_type = "[clickhouse]\npassword = ['canary']\n[kafka.properties]\n'sasl.password' = ['canary']";
    let wrong_syntax = "[clickhouse]\npassword = canary\nuser = 'canary\n";
    let wrong_value = "[kafka.properties]\n'sasl.secret.thing' = 'canary'\n'sasl.oauthbearer.client.secret' = 'canary'\n[clickhouse]\nurl = 'http://u:canary@h'";
    for file in [wrong_type, wrong_syntax, wrong_value] {
        let found = problems(file, &[]);
        assert!(!found.is_empty() && !found.concat().contains("canary"), "{found:?}");
    }
}
