//! What a key is: its name, its values, its default and its meaning, in one place. The reference is made of these.

use std::ops::RangeInclusive;

use super::reader::quoted;

/// A key whose value is an integer.
pub(super) struct Number {
    /// Name in its section.
    pub(super) key: &'static str,
    /// What is counted, in the plural.
    pub(super) unit: &'static str,
    pub(super) default: u64,
    pub(super) range: RangeInclusive<u64>,
    /// Its meaning, in sentences.
    pub(super) help: &'static str,
}

/// A key whose value is true or false.
pub(super) struct Flag {
    /// Name in its section.
    pub(super) key: &'static str,
    pub(super) default: bool,
    /// Its meaning, in sentences.
    pub(super) help: &'static str,
}

/// A key whose value is a text.
pub(super) struct Text {
    /// Name in its section.
    pub(super) key: &'static str,
    /// What the text is.
    pub(super) form: &'static str,
    pub(super) default: &'static str,
    /// Its meaning, in sentences.
    pub(super) help: &'static str,
}

/// A key whose value is a text or missing.
pub(super) struct Optional {
    /// Name in its section; `*` stands for any name.
    pub(super) key: &'static str,
    /// What the text is.
    pub(super) form: &'static str,
    /// Its meaning, in sentences.
    pub(super) help: &'static str,
}

/// Any key, as the reference shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Definition {
    /// Name of the section: `kafka`, `kafka.properties`.
    pub(super) section: &'static str,
    /// Name in the section.
    pub(super) key: &'static str,
    /// Type, unit and range.
    pub(super) form: String,
    /// As it is written in TOML; none where there is none.
    pub(super) default: Option<String>,
    /// Its meaning, in sentences.
    pub(super) help: &'static str,
}

impl Number {
    pub(super) fn define(&self, section: &'static str) -> Definition {
        let form = format!("integer, {}, {} to {}", self.unit, self.range.start(), self.range.end());
        Definition { section, key: self.key, form, default: Some(self.default.to_string()), help: self.help }
    }
}

impl Flag {
    pub(super) fn define(&self, section: &'static str) -> Definition {
        let Self { key, default, help } = *self;
        Definition {
            section,
            key,
            form: "true or false".to_owned(),
            default: Some(default.to_string()),
            help,
        }
    }
}

impl Text {
    pub(super) fn define(&self, section: &'static str) -> Definition {
        let Self { key, form, default, help } = *self;
        Definition { section, key, form: format!("text, {form}"), default: Some(quoted(default)), help }
    }
}

impl Optional {
    pub(super) fn define(&self, section: &'static str) -> Definition {
        let Self { key, form, help } = *self;
        Definition { section, key, form: format!("text, {form}"), default: None, help }
    }
}
