//! What the file and the environment say, before anybody knows which keys there are.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use toml::de::{DeTable, DeValue};

use super::problem::Problem;

/// What every variable of the configuration begins with.
pub(crate) const PREFIX: &str = "METERHOUSE_";
/// Where librdkafka's own properties are, and the files that hold some. Their names have dots, which a variable's cannot have.
pub(super) const PROPERTIES: &str = "kafka.properties";
pub(super) const PROPERTY_FILES: &str = "kafka.property_files";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// A line of the file, from 1.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(String),
}

/// A value that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) source: Source,
}

/// A value, as far as its type is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A variable's text: it may stand for a number, too.
    Untyped(String),
    /// The file's string.
    Text(String),
    /// The file's integer; what does not fit is no value of any key.
    Integer(Option<i64>),
    /// The file's boolean.
    Flag(bool),
    /// Something that no key takes, by the name of its type.
    Other(&'static str),
}

/// All that was given, by key: `kafka.brokers`. The environment is above the file.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) settings: BTreeMap<String, Setting>,
    pub(super) problems: Vec<Problem>,
    /// Variables without a level, which are no keys; one of them may be a key misspelt.
    pub(super) flat_variables: Vec<String>,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

impl Layers {
    /// Adds a file's text.
    pub(super) fn add_file(&mut self, path: &std::path::Path, text: &str) {
        let (document, errors) = DeTable::parse_recoverable(text);
        let source = |offset: usize| Source::File(path.to_owned(), line_at(text, offset));
        for error in &errors {
            // Its Display would print the line, and with it perhaps a secret.
            let at = source(error.span().map_or(0, |span| span.start));
            self.problems.push(Problem::at(&at, format!("not TOML: {}", error.message())));
        }
        if errors.is_empty() {
            self.add_table("", document.get_ref(), &source);
        }
    }

    fn add_table(&mut self, prefix: &str, table: &DeTable<'_>, source: &dyn Fn(usize) -> Source) {
        for (key, value) in table {
            let path = join(prefix, key.get_ref());
            let value = match value.get_ref() {
                DeValue::Table(inner) if !inner.is_empty() => {
                    self.add_table(&path, inner, source);
                    continue;
                }
                DeValue::String(text) => Value::Text(text.clone().into_owned()),
                DeValue::Integer(digits) => {
                    Value::Integer(i64::from_str_radix(digits.as_str(), digits.radix()).ok())
                }
                DeValue::Boolean(flag) => Value::Flag(*flag),
                other => Value::Other(type_name(other)),
            };
            self.add(path, Setting { value, source: source(key.span().start) });
        }
    }

    /// Adds the variables of an environment that may be ours.
    ///
    /// `METERHOUSE_KAFKA__BROKERS` is `kafka.brokers`: every key has a section, so a variable without two underscores in
    /// a row is none. Such ones exist: Kubernetes sets `METERHOUSE_PORT` beside a service of that name.
    pub(super) fn add_environment(&mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) {
        let mut above = Self::default();
        let mut variables: Vec<_> = variables.into_iter().collect();
        variables.sort();
        for (name, value) in variables {
            let Ok(name) = name.into_string() else { continue };
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            if !rest.contains("__") {
                above.flat_variables.push(name);
                continue;
            }
            let path = variable_path(rest);
            let source = Source::Variable(name);
            match value.into_string() {
                Ok(text) => above.add(path, Setting { value: Value::Untyped(text), source }),
                Err(_) => above.problems.push(Problem::at(&source, "the value is not UTF-8".to_owned())),
            }
        }
        self.settings.extend(above.settings);
        self.problems.extend(above.problems);
        self.flat_variables = above.flat_variables;
    }

    /// Adds a setting of one layer.
    fn add(&mut self, path: String, setting: Setting) {
        if let Some(other) = self.settings.get(&path) {
            // A table's keys are sorted by name, not by line.
            let (first, second) =
                ((&other.source).min(&setting.source), (&other.source).max(&setting.source));
            self.problems.push(Problem::at(second, format!("`{path}` is given twice, first by {first}")));
        }
        self.settings.insert(path, setting);
    }
}

/// `KAFKA__BROKERS` -> `kafka.brokers`, `KAFKA__PROPERTIES__SASL_PASSWORD` -> `kafka.properties.sasl.password`.
fn variable_path(rest: &str) -> String {
    let path = rest.to_lowercase().replace("__", ".");
    match property_of(&path) {
        Some((table, property)) => join(table, &property.replace('_', ".")),
        None => path,
    }
}

/// The variable of a key.
pub(super) fn variable_name(path: &str) -> String {
    let name = match property_of(path) {
        Some((table, property)) => format!("{}__{}", table.replace('.', "__"), property.replace('.', "_")),
        None => path.replace('.', "__"),
    };
    format!("{PREFIX}{}", name.to_uppercase())
}

/// Whether keys of a table are names of librdkafka.
pub(super) fn holds_properties(table: &str) -> bool {
    [PROPERTIES, PROPERTY_FILES].contains(&table)
}

/// The table and the name of a property of librdkafka.
fn property_of(path: &str) -> Option<(&'static str, &str)> {
    let below = |table| Some((table, path.strip_prefix(table)?.strip_prefix('.')?));
    [PROPERTIES, PROPERTY_FILES].into_iter().find_map(below)
}

pub(super) fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Float(_) => "a float",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Boolean(_) => "a value",
    }
}

/// The line of a byte, from 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn layers(file: &str, variables: &[(&str, &str)]) -> Layers {
        let mut layers = Layers::default();
        layers.add_file(Path::new("m.toml"), file);
        layers.add_environment(variables.iter().map(|(name, value)| (name.into(), value.into())));
        layers
    }

    fn source(layers: &Layers, key: &str) -> String {
        layers.settings.get(key).map(|setting| setting.source.to_string()).unwrap_or_default()
    }

    #[test]
    fn keys_remember_their_lines() {
        let text =
            "# first\n[kafka]\nbrokers = 'a'\n\n[kafka.properties]\nsasl.password = 'x'\n'linger.ms' = 5\n";
        let layers = layers(text, &[]);
        assert_eq!(layers.problems, []);
        assert_eq!(source(&layers, "kafka.brokers"), "m.toml:3");
        assert_eq!(source(&layers, "kafka.properties.sasl.password"), "m.toml:6");
        assert_eq!(layers.settings["kafka.properties.linger.ms"].value, Value::Integer(Some(5)));
    }

    #[test]
    fn the_environment_is_above_the_file() {
        let text = "[kafka]\nbrokers = 'a'\ntopic = 't'";
        let variables = [
            ("METERHOUSE_KAFKA__BROKERS", "b"),
            ("METERHOUSE_KAFKA__PROPERTIES__SASL_PASSWORD", "x"),
            ("METERHOUSE_PORT", "tcp://10.0.0.1:80"),
            ("OTHER_KAFKA__BROKERS", "c"),
        ];
        let layers = layers(text, &variables);
        assert_eq!(layers.settings["kafka.brokers"].value, Value::Untyped("b".into()));
        assert_eq!(source(&layers, "kafka.topic"), "m.toml:3");
        assert_eq!(
            source(&layers, "kafka.properties.sasl.password"),
            "METERHOUSE_KAFKA__PROPERTIES__SASL_PASSWORD"
        );
        assert_eq!(layers.settings.len(), 3);
        assert_eq!(layers.flat_variables, ["METERHOUSE_PORT"]);
    }

    #[test]
    fn a_key_given_twice_is_a_problem() {
        let file = layers("[kafka.properties]\n'a.b' = '1'\na.b = '2'", &[]);
        assert_eq!(
            file.problems[0].to_string(),
            "m.toml:3: `kafka.properties.a.b` is given twice, first by m.toml:2"
        );
        let variables = layers("", &[("METERHOUSE_kafka__topic", "a"), ("METERHOUSE_KAFKA__TOPIC", "b")]);
        assert_eq!(variables.problems.len(), 1);
    }

    #[test]
    fn all_syntax_errors_come_without_the_text() {
        let mut layers = layers("[kafka]\npassword = hunter2\n[x\ny = 1\n", &[]);
        layers.problems.sort();
        let all: Vec<String> = layers.problems.iter().map(ToString::to_string).collect();
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(all[0].starts_with("m.toml:2: not TOML: "), "{all:?}");
        assert!(!all.concat().contains("hunter2"), "{all:?}");
    }

    #[test]
    fn a_key_and_its_variable_name_each_other() {
        let property = "kafka.property_files.sasl.password";
        for key in ["kafka.brokers", "ingest.batch_age_ms", "kafka.properties.sasl.password", property] {
            let name = variable_name(key);
            assert_eq!(variable_path(name.strip_prefix(PREFIX).unwrap()), key, "{name}");
        }
    }
}
