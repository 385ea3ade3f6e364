//! Reading TOML by hand, so that all mistakes come at once and each with its line.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mistake {
    /// Counted from 1.
    pub(super) line: usize,
    /// What is wrong, in words that quote a name at most: another value may be a secret.
    pub(super) what: String,
}

/// Collects the mistakes of one text.
pub(super) struct Reader<'t> {
    text: &'t str,
    pub(super) mistakes: Vec<Mistake>,
}

/// One table of the text, and how to call it in a mistake.
pub(super) struct Table<'a, 't> {
    pub(super) entries: &'a DeTable<'t>,
    pub(super) span: Range<usize>,
    pub(super) called: String,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, mistakes: Vec::new() }
    }

    /// The whole text as a table, or nothing where it is not TOML.
    pub(super) fn document(&mut self) -> Option<Spanned<DeTable<'t>>> {
        let (document, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            // Its Display would print the line, and with it perhaps a secret.
            self.mistake(error.span().unwrap_or(0..0), format!("not TOML: {}", error.message()));
        }
        errors.is_empty().then_some(document)
    }

    pub(super) fn mistake(&mut self, at: Range<usize>, what: String) {
        let line = self.line(at.start);
        self.mistakes.push(Mistake { line, what });
    }

    /// The line of a position, counted from 1.
    fn line(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// The tables of `[[kind]]`, each called after its key `label`, or by its number where it has none.
    pub(super) fn tables<'a>(&mut self, root: &Table<'a, 't>, kind: &str, label: &str) -> Vec<Table<'a, 't>> {
        let Some(list) = root.entries.get(kind) else { return Vec::new() };
        let must = format!("`{kind}` must be written as [[{kind}]]");
        let Some(items) = list.get_ref().as_array() else {
            self.mistake(list.span(), must);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (number, item) in (1..).zip(items.iter()) {
            let Some(entries) = item.get_ref().as_table() else {
                self.mistake(item.span(), must.clone());
                continue;
            };
            let called = match entries.get(label).and_then(|name| name.get_ref().as_str()) {
                Some(name) => format!("{kind} \"{}\"", name.escape_debug()),
                None => format!("{kind} {number}"),
            };
            tables.push(Table { entries, span: item.span(), called });
        }
        tables
    }

    /// Reads each of the tables, and reports every one whose key an earlier one has, too.
    pub(super) fn distinct<'a, T, K: Ord>(
        &mut self,
        tables: &[Table<'a, 't>],
        named: &str,
        mut read: impl FnMut(&mut Self, &Table<'a, 't>) -> Option<T>,
        key: impl Fn(&T) -> K,
    ) -> Vec<T> {
        let mut first: BTreeMap<K, usize> = BTreeMap::new();
        let mut found = Vec::new();
        for (index, table) in tables.iter().enumerate() {
            let Some(item) = read(self, table) else { continue };
            let first = *first.entry(key(&item)).or_insert(index);
            if let Some(earlier) = tables.get(first).filter(|_| first != index) {
                let what = format!("{}: the same {named} as {}", table.called, earlier.called);
                self.mistake(table.span.clone(), what);
            }
            found.push(item);
        }
        found
    }

    /// Reports every key that is not one of `known`: a misspelt `expires` must not be taken for "never".
    pub(super) fn only(&mut self, table: &Table<'_, 't>, known: &[&str]) {
        for key in table.entries.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let what = format!("{}: unknown key `{}`", table.called, key.get_ref().escape_debug());
            self.mistake(key.span(), what);
        }
    }

    /// Reports a required key that is missing.
    pub(super) fn required<'a>(
        &mut self,
        table: &Table<'a, 't>,
        key: &str,
    ) -> Option<&'a Spanned<DeValue<'t>>> {
        let value = table.entries.get(key);
        if value.is_none() {
            self.mistake(table.span.clone(), format!("{}: `{key}` is missing", table.called));
        }
        value
    }

    /// The text of a value.
    pub(super) fn text<'a>(
        &mut self,
        table: &Table<'_, 't>,
        key: &str,
        value: &'a Spanned<DeValue<'t>>,
    ) -> Option<&'a str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong(table, key, value, "must be a string");
        }
        text
    }

    /// The names in a list, each of which `check` accepts.
    pub(super) fn names(
        &mut self,
        table: &Table<'_, 't>,
        key: &str,
        value: &Spanned<DeValue<'t>>,
        check: fn(&str) -> Result<(), &'static str>,
    ) -> BTreeSet<String> {
        let Some(list) = value.get_ref().as_array() else {
            self.wrong(table, key, value, "must be a list of strings");
            return BTreeSet::new();
        };
        let mut names = BTreeSet::new();
        for item in list.iter() {
            let Some(name) = self.text(table, key, item) else { continue };
            if let Err(why) = check(name) {
                self.wrong(table, key, item, why);
            }
            names.insert(name.to_owned());
        }
        names
    }

    /// A table of names by name.
    pub(super) fn map(
        &mut self,
        table: &Table<'_, 't>,
        key: &str,
        value: &Spanned<DeValue<'t>>,
        check: fn(&str) -> Result<(), &'static str>,
    ) -> BTreeMap<String, String> {
        let Some(entries) = value.get_ref().as_table() else {
            self.wrong(table, key, value, "must be a table of strings");
            return BTreeMap::new();
        };
        let mut map = BTreeMap::new();
        for (name, item) in entries {
            let Some(text) = self.text(table, key, item) else { continue };
            for part in [name.get_ref().as_ref(), text] {
                if let Err(why) = check(part) {
                    self.wrong(table, key, item, why);
                }
            }
            map.insert(name.get_ref().clone().into_owned(), text.to_owned());
        }
        map
    }

    pub(super) fn wrong(&mut self, table: &Table<'_, 't>, key: &str, at: &Spanned<DeValue<'t>>, why: &str) {
        self.mistake(at.span(), format!("{}: `{key}` {why}", table.called));
    }
}
