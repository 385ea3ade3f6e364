//! `[[merchant]]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::DeValue;

use super::{Find, SecretPlace, fields};
use crate::auth::credentials::{Allowed, Grant, TokenDigest};
use crate::auth::merchants::{Merchant, SigningKey};
use crate::auth::toml_reader::{Reader, Table};

const KEYS: [&str; 7] =
    ["code", "secret", "secret_file", "secret_variable", "customers", "permits", "expires"];
/// Where the secret may come from. Each of them may be the secret itself by mistake, so none is quoted.
const SECRET_KEYS: [&str; 3] = ["secret", "secret_file", "secret_variable"];
const PERMITS: [&str; 2] = ["usages:read", "usages:write"];

/// Reads a merchant. One code may have several secrets, so that they can be changed one after the other.
pub(super) fn read<'t>(reader: &mut Reader<'t>, table: &Table<'_, 't>, find: Find<'_>) -> Option<Merchant> {
    reader.only(table, &KEYS);
    let code = fields::name(reader, table, "code");
    let key = secret(reader, table, find);
    let customers = fields::names(reader, table, "customers");
    let permits = fields::names_or(reader, table, "permits", &PERMITS);
    let expires = fields::expires(reader, table);
    let (code, key) = (code?, key?);
    let grant = Grant {
        kind: "merchant",
        name: Arc::clone(&code),
        key: grant_key(&code, &key.fingerprint()),
        permits,
        customers: Allowed::from_names(customers?),
        products: Allowed::All,
        features: Allowed::All,
        expires,
        clubs: BTreeMap::new(),
    };
    Some(Merchant { code, key, grant: Arc::new(grant) })
}

/// The secret, of the one place that is given.
fn secret<'t>(reader: &mut Reader<'t>, table: &Table<'_, 't>, find: Find<'_>) -> Option<SigningKey> {
    let mut given = SECRET_KEYS.iter().filter_map(|key| Some((*key, table.entries.get(*key)?)));
    let Some((key, value)) = given.next() else {
        let what = format!("{}: `secret`, `secret_file` or `secret_variable` is missing", table.called);
        reader.mistake(table.span.clone(), what);
        return None;
    };
    for (other, value) in given {
        reader.wrong(table, other, value, &format!("and `{key}` exclude each other"));
    }
    let secret = found(reader, table, key, value, find)?;
    if secret.is_empty() {
        reader.wrong(table, key, value, "must not be empty");
        return None;
    }
    SigningKey::new(&secret).map_err(|_| reader.wrong(table, key, value, "cannot be a key")).ok()
}

fn found<'t>(
    reader: &mut Reader<'t>,
    table: &Table<'_, 't>,
    key: &str,
    value: &Spanned<DeValue<'t>>,
    find: Find<'_>,
) -> Option<String> {
    let text = reader.text(table, key, value)?;
    let found = match key {
        "secret_file" => find(SecretPlace::File(text)).map(without_line_end),
        "secret_variable" => find(SecretPlace::Variable(text)),
        _ => Ok(text.to_owned()),
    };
    found.map_err(|why| reader.wrong(table, key, value, &format!("cannot be read: {why}"))).ok()
}

/// Editors end a file with one.
fn without_line_end(mut text: String) -> String {
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    text
}

/// No token has the same, since no header holds a zero byte, and no address with its key: of the same length it would have
/// the zero byte as its last letter.
fn grant_key(code: &str, fingerprint: &TokenDigest) -> TokenDigest {
    Sha256::new().chain_update(code).chain_update([0]).chain_update(fingerprint).finalize().into()
}
