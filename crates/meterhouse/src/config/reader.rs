//! From settings to typed values, without stopping at the first mistake.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::definition::{Definition, Flag, Number, Optional, Text};
use super::layers::{Layers, Setting, Source, Value, holds_properties, join};
use super::problem::{Problem, Problems};
use super::secret::{MASK, Secret};
use super::suggest;

/// Longest secret in a file, in bytes: a longer file is something else.
const SECRET_BYTES_MAX: u64 = 64 * 1024;
/// Longest file of certificates, in bytes: some thousands of authorities.
const TEXT_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A key with its value after all layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effective {
    /// Name of the section: `kafka`, `kafka.properties`.
    pub(super) section: String,
    /// Name in the section.
    pub(super) key: String,
    /// As it is written in TOML, secrets masked; none where the key has no value.
    pub(super) value: Option<String>,
    /// Where the value comes from; none for a default.
    pub(super) source: Option<Source>,
}

/// Hands the settings out, key by key.
pub(super) struct Reader {
    settings: BTreeMap<String, Setting>,
    flat_variables: Vec<String>,
    problems: Vec<Problem>,
    effective: Vec<Effective>,
    definitions: Vec<Definition>,
}

/// One section of the keys. Every method takes a key's value, once; none: it is wrong, and that is noted.
pub(super) struct Section<'r> {
    name: &'static str,
    reader: &'r mut Reader,
}

impl Reader {
    pub(super) fn new(layers: Layers) -> Self {
        let Layers { settings, problems, flat_variables } = layers;
        Self { settings, flat_variables, problems, effective: Vec::new(), definitions: Vec::new() }
    }

    pub(super) fn section(&mut self, name: &'static str) -> Section<'_> {
        Section { name, reader: self }
    }

    /// Notes a problem with a key, where its value was given.
    pub(super) fn complain(&mut self, path: &str, what: String) {
        let found = self.effective.iter().find(|known| join(&known.section, &known.key) == path);
        let source = found.and_then(|known| known.source.as_ref());
        self.problems.push(match source {
            Some(source) => Problem::at(source, what),
            None => Problem::anywhere(what),
        });
    }

    /// All keys that were asked for, in this order.
    pub(super) fn into_definitions(self) -> Vec<Definition> {
        self.definitions
    }

    /// The value and the effective keys, if nothing was wrong.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<(T, Vec<Effective>), Problems> {
        let known: Vec<String> = self.effective.iter().map(|e| join(&e.section, &e.key)).collect();
        self.problems.extend(suggest::unknown_keys(&self.settings, &known));
        self.problems.extend(suggest::misspelt_variables(&self.flat_variables, &known));
        Problems::unless_empty(self.problems)?;
        // Without a problem there is a value: whatever could not be read has been noted.
        let value = value.ok_or_else(|| vec![Problem::anywhere("a value is missing".to_owned())])?;
        Ok((value, self.effective))
    }
}

impl Section<'_> {
    /// A text that `parse` accepts.
    pub(super) fn parsed<T>(
        &mut self,
        definition: &Text,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.reader.definitions.push(definition.define(self.name));
        let Text { key, default, .. } = definition;
        let given = self.text(key)?;
        let text = given.as_ref().map_or(*default, |(text, _)| text).to_owned();
        self.show(key, Some(quoted(&text)), given.as_ref().map(|(_, source)| source));
        self.check(key, &text, parse)
    }

    /// A text that may be missing, or empty, which is the same.
    pub(super) fn optional<T>(
        &mut self,
        definition: &Optional,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        self.reader.definitions.push(definition.define(self.name));
        let key = definition.key;
        let (text, source) = self.text(key)?.unzip();
        let text = text.filter(|text| !text.is_empty());
        self.show(key, text.as_deref().map(quoted), source.as_ref());
        match text {
            None => Some(None),
            Some(text) => self.check(key, &text, parse).map(Some),
        }
    }

    /// The path of a file, if there is one. A relative path starts at the working directory.
    pub(super) fn path(&mut self, definition: &Optional) -> Option<Option<PathBuf>> {
        self.optional(definition, |text| Ok(PathBuf::from(text)))
    }

    /// A secret, either itself or in a file whose path is the value of another key.
    pub(super) fn secret(&mut self, itself: &Optional, file: &Optional) -> Option<Option<Secret>> {
        self.reader.definitions.push(itself.define(self.name));
        let (key, file_key) = (itself.key, file.key);
        let given = self.text(key);
        if let Some(given) = &given {
            let (text, source) = given.as_ref().map(|(text, source)| (text, source)).unzip();
            let is_set = text.is_some_and(|text| !text.is_empty());
            self.show(key, is_set.then(|| quoted(MASK)), source);
        }
        let from_file = self.optional(file, |path| read_secret(Path::new(path)));
        let text = given?.map(|(text, _)| text).filter(|text| !text.is_empty());
        match (text, from_file?) {
            (Some(_), Some(_)) => {
                let what =
                    format!("{0}.{key} and {0}.{file_key} are both given: which one counts?", self.name);
                self.complain(file_key, what);
                None
            }
            (text, from_file) => Some(text.map(Secret::new).or(from_file)),
        }
    }

    /// An integer.
    pub(super) fn number<T: TryFrom<u64>>(&mut self, definition: &Number) -> Option<T> {
        self.reader.definitions.push(definition.define(self.name));
        let Number { key, default, range, .. } = definition;
        let setting = self.take(key);
        let number = match setting.as_ref().map(|setting| &setting.value) {
            None => Some(*default),
            Some(Value::Integer(number)) => number.and_then(|number| u64::try_from(number).ok()),
            Some(Value::Untyped(text)) => text.parse().ok(),
            Some(_) => None,
        };
        let source = setting.as_ref().map(|setting| &setting.source);
        self.show(key, number.map(|number| number.to_string()), source);
        let number =
            number.filter(|number| range.contains(number)).and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            let expected = format!("an integer from {} to {}", range.start(), range.end());
            self.mistyped(key, &expected, setting.as_ref());
        }
        number
    }

    /// A boolean.
    pub(super) fn flag(&mut self, definition: &Flag) -> Option<bool> {
        self.reader.definitions.push(definition.define(self.name));
        let Flag { key, default, .. } = definition;
        let setting = self.take(key);
        let flag = match setting.as_ref().map(|setting| &setting.value) {
            None => Some(*default),
            Some(Value::Flag(flag)) => Some(*flag),
            Some(Value::Untyped(text)) => text.parse().ok(),
            Some(_) => None,
        };
        let source = setting.as_ref().map(|setting| &setting.source);
        self.show(key, flag.map(|flag| flag.to_string()), source);
        if flag.is_none() {
            self.mistyped(key, "true or false", setting.as_ref());
        }
        flag
    }

    /// All keys below the section, which are anything: name, value and source.
    pub(super) fn rest(&mut self, definition: &Optional) -> Vec<(String, Value, Source)> {
        self.reader.definitions.push(definition.define(self.name));
        let prefix = format!("{}.", self.name);
        let is_below = |path: &String, _: &mut Setting| path.starts_with(&prefix);
        let taken = self.reader.settings.extract_if(.., is_below);
        taken
            .map(|(path, setting)| (path[prefix.len()..].to_owned(), setting.value, setting.source))
            .collect()
    }

    /// Notes the effective value of a key.
    pub(super) fn show(&mut self, key: &str, value: Option<String>, source: Option<&Source>) {
        let (section, key) = (self.name.to_owned(), key.to_owned());
        self.reader.effective.push(Effective { section, key, value, source: source.cloned() });
    }

    /// Notes a problem with a key, where its value was given.
    pub(super) fn complain(&mut self, key: &str, what: String) {
        self.reader.complain(&join(self.name, key), what);
    }

    fn take(&mut self, key: &str) -> Option<Setting> {
        self.reader.settings.remove(&join(self.name, key))
    }

    /// The text of a key, if it was given.
    fn text(&mut self, key: &str) -> Option<Option<(String, Source)>> {
        match self.take(key) {
            None => Some(None),
            Some(Setting { value: Value::Text(text) | Value::Untyped(text), source }) => {
                Some(Some((text, source)))
            }
            Some(setting) => {
                self.show(key, None, Some(&setting.source));
                self.mistyped(key, "a string, in quotes", Some(&setting));
                None
            }
        }
    }

    fn check<T>(
        &mut self,
        key: &str,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        parse(text).map_err(|why| self.complain(key, format!("{}.{key} {why}", self.name))).ok()
    }

    fn mistyped(&mut self, key: &str, expected: &str, setting: Option<&Setting>) {
        let found = match setting.map(|setting| &setting.value) {
            Some(Value::Untyped(text)) => format!(", is {text:?}"),
            Some(Value::Text(_)) => ", is a string".to_owned(),
            Some(Value::Integer(Some(number))) => format!(", is {number}"),
            Some(Value::Flag(flag)) => format!(", is {flag}"),
            Some(Value::Other(kind)) => format!(", is {kind}"),
            Some(Value::Integer(None)) | None => String::new(),
        };
        self.complain(key, format!("{}.{key} must be {expected}{found}", self.name));
    }
}

/// A name of a user or a group, which a server decides about.
pub(super) fn parse_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err("must be a name without control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// An address to listen on.
pub(super) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let wrong = |_| format!("must be an IP address and a port as 127.0.0.1:8080, is {text:?}");
    text.parse().map_err(wrong)
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// The secret in a file, without the line's end that editors add.
pub(super) fn read_secret(path: &Path) -> Result<Secret, String> {
    let (text, shown) = (read_bounded(path, "a secret", SECRET_BYTES_MAX)?, path.display());
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(format!("is no file of a secret: {shown} is empty")),
        secret => Ok(Secret::new(secret.to_owned())),
    }
}

/// The text of a file with certificates or a key.
pub(super) fn read_text(path: &str) -> Result<String, String> {
    read_bounded(Path::new(path), "certificates", TEXT_BYTES_MAX)
}

fn read_bounded(path: &Path, what: &str, bytes_max: u64) -> Result<String, String> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| format!("cannot be read: {shown}: {error}");
    if fs::metadata(path).map_err(unreadable)?.len() > bytes_max {
        return Err(format!("is no file of {what}: {shown} has more than {bytes_max} bytes"));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| format!("is no file of {what}: {shown} is not UTF-8"))
}

/// Whether a path is a section's, or that of one above it.
pub(super) fn is_section(path: &str, known: &[String]) -> bool {
    let is_above = |key: &String| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    holds_properties(path) || known.iter().any(is_above)
}
