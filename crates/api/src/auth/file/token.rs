//! `[[token]]`.

use std::sync::Arc;

use super::fields;
use crate::auth::credentials::{Allowed, Grant, Token};
use crate::auth::toml_reader::{Reader, Table};

const KEYS: [&str; 8] =
    ["name", "sha256", "permits", "customers", "products", "features", "expires", "clubs"];
const NOT_A_HASH: &str = "must be 64 hexadecimal digits: the SHA-256 of the token, not the token";

/// Reads all keys before it gives up, so that all mistakes come at once.
pub(super) fn read<'t>(reader: &mut Reader<'t>, table: &Table<'_, 't>) -> Option<Token> {
    reader.only(table, &KEYS);
    let name = fields::name(reader, table, "name");
    let digest = fields::digest(reader, table, NOT_A_HASH);
    let permits = fields::names(reader, table, "permits");
    let customers = fields::names(reader, table, "customers");
    let products = fields::all_or_names(reader, table, "products");
    let features = fields::all_or_names(reader, table, "features");
    let expires = fields::expires(reader, table);
    let clubs = table.entries.get("clubs").map(|map| reader.map(table, "clubs", map, fields::check_name));
    let digest = digest?;
    let grant = Grant {
        kind: "token",
        name: name?,
        key: digest,
        permits: permits?,
        customers: Allowed::from_names(customers?),
        products,
        features,
        expires,
        clubs: clubs.unwrap_or_default(),
    };
    Some(Token { digest, grant: Arc::new(grant) })
}
