//! `[[email_key]]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::fields;
use crate::auth::credentials::{Allowed, EmailKey, Grant, TokenDigest};
use crate::auth::toml_reader::{Reader, Table};

const KEYS: [&str; 5] = ["email", "sha256", "customers", "permits", "expires"];
const PERMITS: [&str; 1] = ["#billing:read"];
const NOT_A_HASH: &str = "must be 64 hexadecimal digits: the SHA-256 of the key, not the key";

/// Reads an address and its key. One address may have several keys, so that they can be changed one after the other.
pub(super) fn read<'t>(reader: &mut Reader<'t>, table: &Table<'_, 't>) -> Option<EmailKey> {
    reader.only(table, &KEYS);
    let email = fields::name(reader, table, "email");
    if let (Some(email), Some(value)) = (&email, table.entries.get("email"))
        && !email.contains('@')
    {
        reader.wrong(table, "email", value, "must be an address with an @");
    }
    let digest = fields::digest(reader, table, NOT_A_HASH);
    let customers = fields::names(reader, table, "customers");
    let permits = fields::names_or(reader, table, "permits", &PERMITS);
    let expires = fields::expires(reader, table);
    let (email, digest) = (email?, digest?);
    let grant = Grant {
        kind: "email_key",
        name: Arc::clone(&email),
        key: key(&email, &digest),
        permits,
        customers: Allowed::from_names(customers?),
        products: Allowed::All,
        features: Allowed::All,
        expires,
        clubs: BTreeMap::new(),
    };
    Some(EmailKey { email, digest, grant: Arc::new(grant) })
}

/// No token has the same: the text before its hash is longer than none.
fn key(email: &str, digest: &TokenDigest) -> TokenDigest {
    Sha256::new().chain_update(email).chain_update(digest).finalize().into()
}
