//! Merchants, who sign their requests for usages.

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use crate::oracle;

/// The header with a signature.
const HEADER: &str = "X-Avangate-Authentication";

/// A merchant, and what it signs with.
#[derive(Debug, Clone)]
pub struct Merchant {
    /// Its code.
    pub code: String,
    /// Its secret.
    pub secret: String,
}

impl Merchant {
    /// A merchant with a code and a secret.
    pub fn new(code: &str, secret: &str) -> Self {
        Self { code: code.to_owned(), secret: secret.to_owned() }
    }

    /// Its table in the credentials file, with the secret in it, for some customers; `more` are further lines.
    pub fn table(&self, customers: &[&str], more: &str) -> String {
        let Self { code, secret } = self;
        format!("[[merchant]]\ncode = {code:?}\nsecret = {secret:?}\ncustomers = {customers:?}\n{more}\n")
    }

    /// The header with a signature of now, by SHA-256.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn header(&self) -> Result<(&'static str, String)> {
        Ok((HEADER, self.value("sha256", Utc::now())?))
    }

    /// The header's value with a signature of a time.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn value(&self, algorithm: &str, time: DateTime<Utc>) -> Result<String> {
        let Self { code, secret } = self;
        let date = time.format("%Y-%m-%d %H:%M:%S").to_string();
        let hash = oracle::signature(algorithm, code, &date, secret)?;
        Ok(format!("code=\"{code}\" date=\"{date}\" hash=\"{hash}\" algo=\"{algorithm}\""))
    }

    /// The same, signed so many seconds after now, or before.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn value_in(&self, seconds: i64) -> Result<String> {
        self.value("sha256", Utc::now() + TimeDelta::seconds(seconds))
    }
}
