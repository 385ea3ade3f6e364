//! `meterhouse token`: a new random token and the hash that goes into the credentials file.

use std::fmt;
use std::io::Write;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// Lets a scanner for leaked secrets recognise ours.
const PREFIX: &str = "mh_";
/// 256 bits.
const RANDOM_BYTES: usize = 32;

/// Prints a new token and its hash.
///
/// # Errors
/// The operating system gives no random bits, or nobody reads the lines.
pub(crate) fn run() -> Result<(), Failure> {
    let token = Token::random()?;
    std::io::stdout().write_all(token.to_string().as_bytes()).context("cannot print the token")?;
    Ok(())
}

/// A token and its hash. Shown as the two lines that the command prints.
struct Token {
    text: String,
    sha256: String,
}

impl Token {
    /// Makes a token of 256 random bits from the operating system.
    ///
    /// # Errors
    /// The operating system gives no random bits.
    fn random() -> anyhow::Result<Self> {
        let mut bytes = [0; RANDOM_BYTES];
        SysRng.try_fill_bytes(&mut bytes).context("the operating system gives no random bits")?;
        Ok(Self::from_bytes(bytes))
    }

    fn from_bytes(bytes: [u8; RANDOM_BYTES]) -> Self {
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let sha256 = hex::encode(Sha256::digest(text.as_bytes()));
        Self { text, sha256 }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token: {}\nsha256: {}\n", self.text, self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_whole_text() {
        let token = Token::from_bytes([0; RANDOM_BYTES]);
        assert_eq!(token.text, "mh_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(token.sha256, hex::encode(Sha256::digest(token.text)));
    }

    #[test]
    fn no_two_tokens_are_the_same() {
        assert_ne!(Token::random().unwrap().text, Token::random().unwrap().text);
    }
}
