//! `credentials.toml`.
//!
//! ```toml
//! [[token]]                           # X-Client-Authorization or a Bearer token
//! name = "reporting"                  # shown in the log
//! sha256 = "<hex SHA-256 of the token>"
//! permits = ["Billing:Api:ServiceUsageHistory:Show"]
//! customers = ["1000941"]             # or ["*"]
//! products = ["*"]                    # optional: X-Product-Name values; all without it
//! features = ["*"]                    # optional: without "billing" or "*" the history answers 402; all without it
//! expires = "2027-01-01T00:00:00Z"    # optional, in every table
//! clubs = { infinity-mall = "1000941" } # optional: X-Loyalty-Club-Slug -> customer, who is among `customers`, too
//!
//! [[merchant]]                        # X-Avangate-Authentication, signed with the secret
//! code = "YOURCODE123"
//! secret_file = "path"                # or secret = "...", or secret_variable = "NAME"
//! customers = ["*"]
//! permits = ["usages:read"]           # optional: "usages:read" and "usages:write" without it
//!
//! [[email_key]]                       # an address and its key
//! email = "a@example.com"
//! sha256 = "<hex SHA-256 of the key>"
//! customers = ["1000941"]
//! permits = ["#billing:read"]         # optional
//! ```
//!
//! Who reads the file says what stands in the places that a merchant's secret comes from: there is no IO here.

use std::fmt;
use std::sync::Arc;

use super::credentials::{Credentials, EmailKey};
use super::merchants::Merchants;
use super::toml_reader::{Mistake, Reader, Table};

mod email_key;
mod fields;
mod merchant;
mod token;

/// Where a secret is that does not stand in the credentials file itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretPlace<'a> {
    /// In a file, whose path starts at the folder of the credentials file.
    File(&'a str),
    /// In an environment variable of this name.
    Variable(&'a str),
}

/// The text in a place, or why there is none.
type Find<'f> = &'f mut dyn FnMut(SecretPlace<'_>) -> Result<String, String>;

/// All mistakes of a credentials file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialsError {
    mistakes: Vec<Mistake>,
}

impl CredentialsError {
    /// The mistakes in the order of the file: line, counted from 1, and what is wrong there. No secret is quoted.
    pub fn mistakes(&self) -> impl Iterator<Item = (usize, &str)> {
        self.mistakes.iter().map(|mistake| (mistake.line, mistake.what.as_str()))
    }
}

impl std::error::Error for CredentialsError {}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (line, what)) in self.mistakes().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}line {line}: {what}")?;
        }
        Ok(())
    }
}

impl Credentials {
    /// Reads the text of a credentials file. `find` gives the text in the place of a secret, or says why there is none, in
    /// words that quote neither.
    ///
    /// # Errors
    /// All mistakes, each with its line. Nothing of a file with a mistake is used.
    pub fn from_toml(
        text: &str,
        mut find: impl FnMut(SecretPlace<'_>) -> Result<String, String>,
    ) -> Result<Self, CredentialsError> {
        let mut reader = Reader::new(text);
        let credentials = read(&mut reader, &mut find);
        let mut mistakes = reader.mistakes;
        if mistakes.is_empty() {
            return Ok(credentials);
        }
        mistakes.sort();
        Err(CredentialsError { mistakes })
    }
}

/// Reads all tables. No two tables are for the same credential: which of two sets of rights holds
/// would be a guess.
fn read<'t>(reader: &mut Reader<'t>, find: Find<'_>) -> Credentials {
    let Some(document) = reader.document() else { return Credentials::default() };
    let root = Table { entries: document.get_ref(), span: 0..0, called: "file".into() };
    reader.only(&root, &["token", "merchant", "email_key"]);
    let tables = reader.tables(&root, "token", "name");
    let tokens = reader.distinct(&tables, "`sha256`", token::read, |token| token.digest);
    let tables = reader.tables(&root, "merchant", "code");
    let read = |reader: &mut Reader<'t>, table: &Table<'_, 't>| merchant::read(reader, table, find);
    let merchants = reader.distinct(&tables, "`code` and secret", read, |merchant| merchant.grant.key);
    let tables = reader.tables(&root, "email_key", "email");
    let both = |key: &EmailKey| (Arc::clone(&key.email), key.digest);
    let email_keys = reader.distinct(&tables, "`email` and `sha256`", email_key::read, both);
    Credentials { tokens, email_keys, merchants: Merchants::new(merchants) }
}

#[cfg(test)]
mod tests;
