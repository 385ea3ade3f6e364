//! What several kinds of credentials have in common.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::DateTime;
use toml::de::DeValue;

use crate::auth::credentials::{Allowed, TokenDigest};
use crate::auth::toml_reader::{Reader, Table};

/// Longest name, permit, product, feature or slug in bytes.
const NAME_BYTES_MAX: usize = 128;

/// A name, which is required.
pub(super) fn name<'t>(reader: &mut Reader<'t>, table: &Table<'_, 't>, key: &str) -> Option<Arc<str>> {
    let value = reader.required(table, key)?;
    let name = reader.text(table, key, value)?;
    if let Err(why) = check_name(name) {
        reader.wrong(table, key, value, why);
    }
    Some(name.into())
}

/// The hash of a secret, which is required.
pub(super) fn digest<'t>(reader: &mut Reader<'t>, table: &Table<'_, 't>, why: &str) -> Option<TokenDigest> {
    let value = reader.required(table, "sha256")?;
    let text = reader.text(table, "sha256", value)?;
    let mut digest = TokenDigest::default();
    if hex::decode_to_slice(text, &mut digest).is_err() {
        reader.wrong(table, "sha256", value, why);
        return None;
    }
    Some(digest)
}

/// A list of names, which is required.
pub(super) fn names<'t>(
    reader: &mut Reader<'t>,
    table: &Table<'_, 't>,
    key: &str,
) -> Option<BTreeSet<String>> {
    let list = reader.required(table, key)?;
    Some(reader.names(table, key, list, check_name))
}

/// A list of names, or the given ones without it.
pub(super) fn names_or<'t>(
    reader: &mut Reader<'t>,
    table: &Table<'_, 't>,
    key: &str,
    default: &[&str],
) -> BTreeSet<String> {
    match table.entries.get(key) {
        Some(list) => reader.names(table, key, list, check_name),
        None => default.iter().map(ToString::to_string).collect(),
    }
}

/// A list of names, or all of them without it.
pub(super) fn all_or_names<'t>(reader: &mut Reader<'t>, table: &Table<'_, 't>, key: &str) -> Allowed {
    match table.entries.get(key) {
        Some(list) => Allowed::from_names(reader.names(table, key, list, check_name)),
        None => Allowed::All,
    }
}

/// When the credential ends, in microseconds since the epoch. Both a string and TOML's own date with a time and an
/// offset will do.
pub(super) fn expires<'t>(reader: &mut Reader<'t>, table: &Table<'_, 't>) -> Option<i64> {
    let value = table.entries.get("expires")?;
    let text = match value.get_ref() {
        DeValue::Datetime(datetime) => datetime.to_string(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let Ok(instant) = DateTime::parse_from_rfc3339(&text) else {
        reader.wrong(table, "expires", value, "must be a time like \"2027-01-01T00:00:00Z\", with an offset");
        return None;
    };
    Some(instant.timestamp_micros())
}

/// The rule of every name.
pub(super) fn check_name(name: &str) -> Result<(), &'static str> {
    let plain = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(char::is_control);
    if plain { Ok(()) } else { Err("must hold names of 1 to 128 bytes without control characters") }
}
