//! The real program, from its command line to its exit code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// The program in a folder and an environment of its own.
fn meterhouse(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meterhouse"));
    command.args(arguments).current_dir(folder).env_clear().envs(variables.iter().copied());
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn the_version_is_printed() {
    let output = meterhouse(folder(&[]).path(), &["--version"], &[]);
    assert_eq!(stdout(&output), format!("meterhouse {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn wrong_usage_ends_with_2() {
    let folder = folder(&[]);
    for arguments in [
        &[][..],
        &["nonsense"],
        &["serve", "--nonsense"],
        &["generate", "--late", "2"],
        &["generate", "--months", "0"],
    ] {
        let output = meterhouse(folder.path(), arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stdout(&output).is_empty());
    }
}

#[test]
fn a_token_is_two_lines_and_needs_no_configuration() {
    let folder = folder(&[("meterhouse.toml", "wrong")]);
    let output = meterhouse(folder.path(), &["token"], &[]);
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    let token = lines[0].strip_prefix("token: mh_").unwrap();
    let sha256 = lines[1].strip_prefix("sha256: ").unwrap();
    assert_eq!((lines.len(), token.len(), sha256.len()), (2, 43, 64));
    assert!(sha256.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(text, stdout(&meterhouse(folder.path(), &["token"], &[])));
}

#[test]
fn the_file_is_named_by_option_then_variable_then_convention() {
    let folder = folder(&[
        ("meterhouse.toml", "[kafka]\ntopic = 'convention'"),
        ("variable.toml", "[kafka]\ntopic = 'variable'"),
        ("option.toml", "[kafka]\ntopic = 'option'"),
    ]);
    let variable = [("METERHOUSE_CONFIG", "variable.toml")];
    for (arguments, variables, topic) in [
        (&["check-config"][..], &[][..], "topic = \"convention\" # meterhouse.toml:2\n"),
        (&["check-config"], &variable, "topic = \"variable\" # variable.toml:2\n"),
        (&["--config", "option.toml", "check-config"], &variable, "topic = \"option\" # option.toml:2\n"),
        (&["check-config", "--config", "option.toml"], &variable, "topic = \"option\" # option.toml:2\n"),
    ] {
        let output = meterhouse(folder.path(), arguments, variables);
        assert!(stdout(&output).contains(topic), "{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(0));
    }
    let output = meterhouse(folder.path(), &["--config", "missing.toml", "check-config"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("missing.toml: cannot read the file"), "{}", stderr(&output));
}

#[test]
fn without_a_file_the_defaults_count() {
    let output =
        meterhouse(folder(&[]).path(), &["check-config"], &[("METERHOUSE_HTTP__LISTEN", "127.0.0.1:9")]);
    let text = stdout(&output);
    assert!(text.starts_with("[kafka]\nbrokers = \"127.0.0.1:9092\"\n"), "{text}");
    assert!(text.contains("listen = \"127.0.0.1:9\" # METERHOUSE_HTTP__LISTEN\n"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn all_errors_are_listed_by_every_command() {
    let file = "[kafka]\nborkers = 'x'\n[ingest]\nbatch_rows = 'many'\n[billing]\ntime_zone = 'Nowhere'\n";
    let folder = folder(&[("meterhouse.toml", file)]);
    for command in ["check-config", "generate"] {
        let output = meterhouse(folder.path(), &[command], &[("METERHOUSE_LOG__LEVEL", "=")]);
        let text = stderr(&output);
        for error in [
            "meterhouse.toml:2: there is no key `kafka.borkers`; did you mean `kafka.brokers`?",
            "meterhouse.toml:4: ingest.batch_rows must be an integer from 1 to 10000000, is a string",
            "meterhouse.toml:6: billing.time_zone must be",
            "METERHOUSE_LOG__LEVEL: log.level must be",
        ] {
            assert!(text.contains(error), "{error}\n{text}");
        }
        assert_eq!(output.status.code(), Some(2));
        assert!(stdout(&output).is_empty());
    }
}

#[test]
fn errors_in_the_files_are_listed_with_their_lines() {
    let folder = folder(&[
        ("catalog.csv", "code,service\na,compute\na,storage\n"),
        ("subscriptions.toml", "[[subscription]]\nsubscription = 's'\n"),
        ("credentials.toml", "[[token]]\nname = 'canary-name'\nsha256 = 'canary'\n"),
    ]);
    let variables = [
        ("METERHOUSE_CATALOG__PATH", "catalog.csv"),
        ("METERHOUSE_SUBSCRIPTIONS__PATH", "subscriptions.toml"),
        ("METERHOUSE_CREDENTIALS__PATH", "credentials.toml"),
    ];
    let output = meterhouse(folder.path(), &["check-config"], &variables);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2));
    for error in ["catalog.csv:3: ", "subscriptions.toml:1: ", "credentials.toml:3: "] {
        assert!(text.contains(error), "{error}\n{text}");
    }
    assert!(!text.contains("'canary'"), "{text}");
}

#[test]
fn missing_credentials_are_a_warning() {
    let variables = [("METERHOUSE_CREDENTIALS__PATH", "credentials.toml")];
    let output = meterhouse(folder(&[]).path(), &["check-config"], &variables);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("warning: there is no file credentials.toml"), "{}", stderr(&output));
}

#[test]
fn secrets_are_never_printed() {
    let file = "[clickhouse]\npassword_file = 'secret'\n[kafka.properties]\n'sasl.password' = 'canary'\n";
    let folder = folder(&[("meterhouse.toml", file), ("secret", "canary\n")]);
    let variables = [("METERHOUSE_KAFKA__PROPERTIES__SSL_KEY_PASSWORD", "canary")];
    let good = meterhouse(folder.path(), &["check-config"], &variables);
    assert_eq!(good.status.code(), Some(0), "{}", stderr(&good));
    assert!(stdout(&good).contains("\"sasl.password\" = \"***\" # meterhouse.toml:4\n"), "{}", stdout(&good));
    let wrong = [
        variables[0],
        ("METERHOUSE_CLICKHOUSE__PASSWORD", "canary"),
        ("METERHOUSE_CLICKHOUSE__URL", "http://user:canary@host"),
        ("METERHOUSE_KAFKA__PROPERTIES__SASL_OAUTHBEARER_CLIENT_SECRETS", "canary"),
    ];
    let bad = meterhouse(folder.path(), &["check-config"], &wrong);
    assert_eq!(bad.status.code(), Some(2));
    for output in [good, bad] {
        assert!(!(stdout(&output) + &stderr(&output)).contains("canary"), "{}", stderr(&output));
    }
}

#[test]
fn a_property_of_kafka_may_be_in_a_file_of_its_own() {
    let file = "[kafka.property_files]\n'sasl.password' = 'secret'\n";
    let folder = folder(&[("meterhouse.toml", file), ("secret", "canary\n")]);
    let good = meterhouse(folder.path(), &["check-config"], &[]);
    assert_eq!(good.status.code(), Some(0), "{}", stderr(&good));
    let shown = "[kafka.property_files]\n\"sasl.password\" = \"secret\" # meterhouse.toml:2\n";
    assert!(stdout(&good).contains(shown), "{}", stdout(&good));
    let cases = [
        ("METERHOUSE_KAFKA__PROPERTIES__SASL_PASSWORD", "canary", "are both given: which one counts?"),
        ("METERHOUSE_KAFKA__PROPERTY_FILES__SASL_PASSWORD", "nowhere", "cannot be read: nowhere"),
        ("METERHOUSE_KAFKA__PROPERTY_FILES__SECURITY_PROTOCOL", "secret", "is refused by librdkafka"),
        ("METERHOUSE_KAFKA__PROPERTY_FILES__SASL_PASSWORT", "secret", "No such configuration property"),
        ("METERHOUSE_KAFKA__PROPERTY_FILES__GROUP_ID", "secret", "follows from kafka.group_id"),
    ];
    for (name, value, error) in cases {
        let bad = meterhouse(folder.path(), &["check-config"], &[(name, value)]);
        let told = stdout(&bad) + &stderr(&bad);
        assert_eq!(bad.status.code(), Some(2), "{name}: {told}");
        assert!(told.contains(error) && !told.contains("canary"), "{name}: {told}");
    }
}

/// Each role's rights as they are granted: a change of them is one that operators have to know of.
#[test]
fn the_users_of_clickhouse_are_printed_for_somebody_who_may_make_them() {
    let file = "[clickhouse]\ndatabase = 'usage'\n[clickhouse.users]\nwriter = 'w`r'\nwriter_password_file = 'secret'\n\
        reader_password = 'canary'\n";
    let folder = folder(&[("meterhouse.toml", file), ("secret", "canary\n")]);
    let output = meterhouse(folder.path(), &["migrate", "--users", "--dry-run"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), include_str!("users.sql"));
    assert_eq!(stderr(&output), "");
    let alone = meterhouse(folder.path(), &["migrate", "--dry-run"], &[]);
    assert_eq!(alone.status.code(), Some(2), "{}", stderr(&alone));
    let own = [("METERHOUSE_CLICKHOUSE__USER", "w`r")];
    let own = meterhouse(folder.path(), &["migrate", "--users"], &own);
    assert_eq!(own.status.code(), Some(2), "{}", stderr(&own));
    assert!(stderr(&own).contains("which clickhouse.users names, too"), "{}", stderr(&own));
}

#[test]
fn the_secret_of_a_merchant_is_read_and_never_printed() {
    let merchant = |place: &str| format!("[[merchant]]\ncode = 'M'\n{place}\ncustomers = ['*']\n");
    let folder = folder(&[]);
    let beside = folder.path().join("etc");
    fs::create_dir(&beside).unwrap();
    fs::write(beside.join("good"), "canary\n").unwrap();
    fs::write(beside.join("empty"), "\n").unwrap();
    fs::write(beside.join("binary"), b"canary\xff").unwrap();
    for (place, code, error) in [
        ("secret = 'canary'", 0, ""),
        ("secret_file = 'good'", 0, ""),
        ("secret_variable = 'SECRET'", 0, ""),
        ("secret_file = 'canary'", 2, "`secret_file` cannot be read: there is no such file"),
        ("secret_file = 'empty'", 2, "`secret_file` must not be empty"),
        ("secret_file = 'binary'", 2, "`secret_file` cannot be read: it is not UTF-8"),
        ("secret_file = '/'", 2, "`secret_file` cannot be read: it is no regular file"),
        ("secret_variable = 'canary'", 2, "`secret_variable` cannot be read: there is no such variable"),
        ("secret_variable = 'EMPTY'", 2, "`secret_variable` must not be empty"),
        (
            "secret_variable = 'SECRET'\nsecret = 'canary'",
            2,
            "`secret_variable` and `secret` exclude each other",
        ),
    ] {
        fs::write(beside.join("credentials.toml"), merchant(place)).unwrap();
        let variables =
            [("METERHOUSE_CREDENTIALS__PATH", "etc/credentials.toml"), ("SECRET", "canary"), ("EMPTY", "")];
        let output = meterhouse(folder.path(), &["check-config"], &variables);
        let shown = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{place}\n{shown}");
        let error = if error.is_empty() {
            String::new()
        } else {
            format!("etc/credentials.toml:3: merchant \"M\": {error}")
        };
        assert!(shown.contains(&error), "{error}\n{shown}");
        assert!(!shown.contains("canary"), "{place}\n{shown}");
    }
}

#[test]
fn a_catalog_or_a_registry_that_is_good_is_told_in_a_line() {
    let folder = folder(&[
        ("meterhouse.toml", "[catalog]\npath = 'c.csv'\n[subscriptions]\npath = 's.csv'\n"),
        ("c.csv", "code,service,unit_price,currency\na,x,1,EUR\nb,x,2,EUR\nc,y,3,USD\nd,z,,\n"),
        (
            "s.csv",
            "subscription,customer,start,expires\nS,c,,2026-01-01T00:00:00Z\nS,d,2026-01-01T00:00:00Z,\nT,d,,\n",
        ),
        ("c.toml", "[[option]]\ncode = 'a'\nservice = 'x'\n"),
        ("s.toml", ""),
    ]);
    for (arguments, line) in [
        (&["catalog", "check"][..], "c.csv: options 4, services 3, prices 3, currencies 2\n"),
        (&["catalog", "check", "c.toml"], "c.toml: options 1, services 1, prices 0, currencies 0\n"),
        (&["subscriptions", "check"], "s.csv: subscriptions 2, customers 2, intervals 3\n"),
        (&["subscriptions", "check", "s.toml"], "s.toml: subscriptions 0, customers 0, intervals 0\n"),
    ] {
        let output = meterhouse(folder.path(), arguments, &[]);
        assert_eq!((stdout(&output).as_str(), stderr(&output).as_str()), (line, ""), "{arguments:?}");
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn all_that_is_wrong_with_a_catalog_or_a_registry_is_listed() {
    let folder = folder(&[
        ("c.csv", "code,service,unit_price,currency\na,x,1,\nb,,2,XXX\na,y,,\n"),
        (
            "s.toml",
            "[[subscription]]\nsubscription = 's'\nstart = 'soon'\n[[subscription]]\ncustomers = 'c'\n",
        ),
    ]);
    for (arguments, variable, lines) in [
        (
            &["catalog", "check", "c.csv"][..],
            [("A", "")],
            &[
                "c.csv:2: ",
                "c.csv:3: ",
                "c.csv:3: ",
                "c.csv:4: the code \"a\" is given twice, first in line 2",
            ][..],
        ),
        (
            &["subscriptions", "check"],
            [("METERHOUSE_SUBSCRIPTIONS__PATH", "s.toml")],
            &[
                "s.toml:1: customer is missing",
                "s.toml:3: start \"soon\"",
                "s.toml:4: customer is missing",
                "s.toml:4: subscription is missing",
                "s.toml:5: there is no key \"customers\"",
            ],
        ),
    ] {
        let output = meterhouse(folder.path(), arguments, &variable);
        let shown = stdout(&output);
        assert_eq!(shown.lines().count(), lines.len(), "{shown}");
        for (shown, expected) in shown.lines().zip(lines) {
            assert!(shown.starts_with(expected), "{shown}\n{expected}");
        }
        assert!(
            stderr(&output).ends_with(&format!(": {} problems were found\n", lines.len())),
            "{}",
            stderr(&output)
        );
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_file_to_check_must_be_named_and_readable() {
    // The configuration does not matter where the file is named.
    let folder = folder(&[("wrong.toml", "wrong"), ("binary.csv", "")]);
    fs::write(folder.path().join("binary.csv"), [0xff]).unwrap();
    for (arguments, error) in [
        (&["catalog", "check"][..], "name a file: catalog.path is not set"),
        (&["subscriptions", "check"], "name a file: subscriptions.path is not set"),
        (&["catalog", "check", "no.csv"], "no.csv: cannot read the file: there is no such file"),
        (&["subscriptions", "check", "."], ".: cannot read the file: it is no regular file"),
        (
            &["--config", "wrong.toml", "catalog", "check", "binary.csv"],
            "binary.csv: cannot read the file: it is not UTF-8",
        ),
        (&["--config", "wrong.toml", "catalog", "check"], "the configuration is wrong"),
        (&["catalog"], "Usage: meterhouse catalog"),
    ] {
        let output = meterhouse(folder.path(), arguments, &[]);
        assert!(stderr(&output).contains(error), "{arguments:?}\n{}", stderr(&output));
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{arguments:?}");
    }
}

const GENERATE: [&str; 14] = [
    "generate",
    "--output",
    "-",
    "--events",
    "5000",
    "--months",
    "24",
    "--until",
    "2026-07-01T00:00:00Z",
    "--invalid",
    "5%",
    "--duplicates",
    "0.1",
    "--customer=demo",
];

#[test]
fn a_generated_load_is_repeatable() {
    let folder = folder(&[]);
    let first = meterhouse(folder.path(), &GENERATE, &[]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert_eq!(first.stdout, meterhouse(folder.path(), &GENERATE, &[]).stdout);
    assert_eq!(first.stdout.iter().filter(|byte| **byte == b'\n').count(), 5000);
    let summary = stderr(&first);
    assert!(summary.contains("events:     5000\n"), "{summary}");
    let other = meterhouse(folder.path(), &[&GENERATE[..], &["--seed", "2"]].concat(), &[]);
    assert_ne!(first.stdout, other.stdout);
}

#[test]
fn a_load_that_would_be_rejected_is_refused() {
    let folder = folder(&[]);
    for arguments in [["--until", "2190-01-01T00:00:00Z"], ["--months", "100"], ["--invalid", "99.5%"]] {
        let output = meterhouse(folder.path(), &[&["generate"][..], &arguments].concat(), &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?} {}", stderr(&output));
    }
}

#[test]
fn an_unreachable_kafka_ends_with_3() {
    let variables = [("METERHOUSE_KAFKA__BROKERS", "127.0.0.1:1")];
    let output = meterhouse(folder(&[]).path(), &["generate", "--events", "1"], &variables);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("no kafka broker answers at 127.0.0.1:1"), "{}", stderr(&output));
}
