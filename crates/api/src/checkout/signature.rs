//! The value of `X-Avangate-Authentication`: who signs, when, and the signature.
//!
//! ```text
//! code="YOURCODE123" date="2026-10-03 17:00:00" hash="<64 hexadecimal digits>" algo="sha256"
//! ```
//!
//! The hash is HMAC of `11YOURCODE123192026-10-03 17:00:00`: code and date, each behind its length in bytes. Neither the path
//! nor the body is in it, so whoever has seen a header can use it for any request as long as its date is near enough.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime};
use thiserror::Error;

use crate::auth::{Algorithm, Signed};

/// Longest value, in bytes. The documented ones have about 150.
const BYTES_MAX: usize = 512;
const DATE_FORM: &str = "%Y-%m-%d %H:%M:%S";

/// What a header says, not verified yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Signature<'h> {
    code: &'h str,
    date: &'h str,
    hash: [u8; 32],
    algorithm: Algorithm,
    /// What was signed.
    message: String,
}

/// Why a header is no signature of now. None of them quotes it: it is as good as a password for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum SignatureFault {
    #[error("the header has more than {BYTES_MAX} bytes")]
    TooLong,
    #[error("the header is not a list of members like code=\"V\"")]
    Form,
    #[error("the header has an unknown member, or one twice")]
    OddMember,
    #[error("the header lacks code, date or hash")]
    MissingMember,
    #[error("the hash is not 64 hexadecimal digits")]
    Hash,
    #[error("the algorithm is neither sha256 nor sha3-256: md5, also by not naming one, is too weak")]
    Algorithm,
    #[error("the date is not YYYY-MM-DD HH:MM:SS")]
    Date,
    #[error("the date is too far from this server's clock, which is in UTC")]
    Skew,
}

impl<'h> Signature<'h> {
    /// Reads a header's value. Members come in any order, with or without spaces between them, in single or double
    /// quotes.
    pub(super) fn parse(header: &'h str) -> Result<Self, SignatureFault> {
        if header.len() > BYTES_MAX {
            return Err(SignatureFault::TooLong);
        }
        let [mut code, mut date, mut hash, mut algo] = [None; 4];
        let mut rest = header;
        while !rest.is_empty() {
            let (name, value, behind) = member(rest).ok_or(SignatureFault::Form)?;
            let place = match name {
                "code" => &mut code,
                "date" => &mut date,
                "hash" => &mut hash,
                "algo" => &mut algo,
                _ => return Err(SignatureFault::OddMember),
            };
            if place.replace(value).is_some() {
                return Err(SignatureFault::OddMember);
            }
            rest = behind.trim_start_matches(' ');
        }
        let missing = SignatureFault::MissingMember;
        let (code, date, hash) = (code.ok_or(missing)?, date.ok_or(missing)?, hash.ok_or(missing)?);
        Ok(Self {
            code,
            date,
            hash: digest(hash).ok_or(SignatureFault::Hash)?,
            algorithm: algorithm(algo).ok_or(SignatureFault::Algorithm)?,
            message: format!("{}{code}{}{date}", code.len(), date.len()),
        })
    }

    /// What is to be verified, if it was signed at most `skew` before or after now, in whole seconds as in the date.
    pub(super) fn signed(&self, now_micros: i64, skew: Duration) -> Result<Signed<'_>, SignatureFault> {
        let date = seconds(self.date).ok_or(SignatureFault::Date)?;
        let now = DateTime::from_timestamp_micros(now_micros).map_or(i64::MAX, |now| now.timestamp());
        if now.abs_diff(date) > skew.as_secs() {
            return Err(SignatureFault::Skew);
        }
        Ok(Signed {
            code: self.code,
            message: self.message.as_bytes(),
            algorithm: self.algorithm,
            signature: self.hash,
        })
    }
}

/// The name and the value of the first member, and what follows it.
fn member(text: &str) -> Option<(&str, &str, &str)> {
    let (name, quoted) = text.split_once('=')?;
    let quote = quoted.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    let (value, rest) = quoted.strip_prefix(quote)?.split_once(quote)?;
    Some((name, value, rest))
}

fn digest(hash: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(hash, &mut digest).ok()?;
    Some(digest)
}

fn algorithm(name: Option<&str>) -> Option<Algorithm> {
    match name? {
        "sha256" => Some(Algorithm::Sha256),
        "sha3-256" => Some(Algorithm::Sha3),
        _ => None,
    }
}

/// Seconds since the epoch. The parser takes shorter forms, too, which are not those of the document.
fn seconds(date: &str) -> Option<i64> {
    let parsed = NaiveDateTime::parse_from_str(date, DATE_FORM).ok()?;
    let is_exact = parsed.format(DATE_FORM).to_string() == date;
    is_exact.then(|| parsed.and_utc().timestamp())
}

#[cfg(test)]
mod tests;
