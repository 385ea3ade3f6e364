//! `[[merchant]]`.

use std::sync::Arc;

use super::fields;
use crate::auth::toml_reader::{Reader, Table};

const KEYS: [&str; 6] = ["code", "secret", "secret_file", "customers", "permits", "expires"];

/// Checks a merchant and gives its code.
pub(super) fn read<'t>(reader: &mut Reader<'t>, table: &Table<'_, 't>) -> Option<Arc<str>> {
    reader.only(table, &KEYS);
    let code = fields::name(reader, table, "code");
    check_secret(reader, table);
    fields::names(reader, table, "customers");
    fields::names_or(reader, table, "permits", &[]);
    fields::expires(reader, table);
    code
}

/// One of the two keys is there. A file is not opened: that is left to whoever needs the secret in it.
fn check_secret<'t>(reader: &mut Reader<'t>, table: &Table<'_, 't>) {
    let given = ["secret", "secret_file"].map(|key| table.entries.get(key).map(|value| (key, value)));
    match given {
        [Some((key, value)), None] | [None, Some((key, value))] => {
            if reader.text(table, key, value).is_some_and(str::is_empty) {
                reader.wrong(table, key, value, "must not be empty");
            }
        }
        [None, None] => {
            let what = format!("{}: `secret` or `secret_file` is missing", table.called);
            reader.mistake(table.span.clone(), what);
        }
        [Some(_), Some((key, value))] => reader.wrong(table, key, value, "and `secret` exclude each other"),
    }
}
