//! `[[email_key]]`.

use std::sync::Arc;

use super::fields;
use crate::auth::credentials::TokenDigest;
use crate::auth::toml_reader::{Reader, Table};

const KEYS: [&str; 5] = ["email", "sha256", "customers", "permits", "expires"];
const NOT_A_HASH: &str = "must be 64 hexadecimal digits: the SHA-256 of the key, not the key";

/// Checks an address and its key. One address may have several keys, so that they can be changed one after the other.
pub(super) fn read<'t>(reader: &mut Reader<'t>, table: &Table<'_, 't>) -> Option<(Arc<str>, TokenDigest)> {
    reader.only(table, &KEYS);
    let email = fields::name(reader, table, "email");
    if let (Some(email), Some(value)) = (&email, table.entries.get("email"))
        && !email.contains('@')
    {
        reader.wrong(table, "email", value, "must be an address with an @");
    }
    let digest = fields::digest(reader, table, NOT_A_HASH);
    fields::names(reader, table, "customers");
    fields::all_or_names(reader, table, "permits");
    fields::expires(reader, table);
    Some((email?, digest?))
}
