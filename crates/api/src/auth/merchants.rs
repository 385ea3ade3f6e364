//! Merchants, who do not send their secret but sign with it.

use std::collections::HashMap;
use std::sync::Arc;

use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac, SimpleHmac};
use sha2::Sha256;
use sha3::Sha3_256;

use super::credentials::{Grant, TokenDigest};

/// How a message was signed: HMAC with one of these hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Sha256,
    Sha3,
}

/// What somebody signed who says that it is a merchant.
#[derive(Debug)]
pub(crate) struct Signed<'a> {
    /// The merchant's code.
    pub(crate) code: &'a str,
    pub(crate) message: &'a [u8],
    pub(crate) algorithm: Algorithm,
    pub(crate) signature: [u8; 32],
}

/// A secret, ready to check signatures with. Its text is not kept, and Debug shows nothing of it.
#[derive(Debug, Clone)]
pub(super) struct SigningKey {
    sha256: Hmac<Sha256>,
    sha3: SimpleHmac<Sha3_256>,
}

/// One `[[merchant]]`.
#[derive(Debug, Clone)]
pub(super) struct Merchant {
    pub(super) code: Arc<str>,
    pub(super) key: SigningKey,
    pub(super) grant: Arc<Grant>,
}

/// All merchants; several with one code are one merchant with several secrets.
#[derive(Debug, Clone, Default)]
pub(super) struct Merchants {
    list: Vec<Merchant>,
    /// The most that one code has.
    secrets_per_code: usize,
}

impl SigningKey {
    pub(super) fn new(secret: &str) -> Result<Self, InvalidLength> {
        let secret = secret.as_bytes();
        Ok(Self { sha256: Hmac::new_from_slice(secret)?, sha3: SimpleHmac::new_from_slice(secret)? })
    }

    /// Tells the secret from others, and nothing else about it.
    pub(super) fn fingerprint(&self) -> TokenDigest {
        self.sha256.clone().finalize().into_bytes().into()
    }

    /// Whether the secret made the signature, in constant time.
    fn made(&self, signed: &Signed<'_>) -> bool {
        let Signed { message, signature, .. } = signed;
        match signed.algorithm {
            Algorithm::Sha256 => self.sha256.clone().chain_update(message).verify_slice(signature),
            Algorithm::Sha3 => self.sha3.clone().chain_update(message).verify_slice(signature),
        }
        .is_ok()
    }
}

impl Merchants {
    pub(super) fn new(list: Vec<Merchant>) -> Self {
        let mut secrets: HashMap<&str, usize> = HashMap::new();
        for merchant in &list {
            *secrets.entry(&merchant.code).or_default() += 1;
        }
        let secrets_per_code = secrets.into_values().max().unwrap_or_default();
        Self { list, secrets_per_code }
    }

    /// Whoever signed it.
    ///
    /// As many signatures are computed for any code as for the one with the most secrets, in place of those that it lacks
    /// with a secret that decides nothing: the time that this takes does not tell which codes there are.
    pub(super) fn by_signature(&self, signed: &Signed<'_>) -> Option<&Merchant> {
        let in_place = self.list.first()?;
        let mut of_code = self.list.iter().filter(|merchant| &*merchant.code == signed.code);
        let mut found = None;
        for _ in 0..self.secrets_per_code {
            let merchant = of_code.next();
            if merchant.unwrap_or(in_place).key.made(signed) {
                found = found.or(merchant);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Credentials;

    fn signed<'a>(code: &'a str, secret: &str, algorithm: Algorithm) -> Signed<'a> {
        let message: &[u8] = b"message";
        let signature = match algorithm {
            Algorithm::Sha256 => mac::<Hmac<Sha256>>(secret, message),
            Algorithm::Sha3 => mac::<SimpleHmac<Sha3_256>>(secret, message),
        };
        Signed { code, message, algorithm, signature }
    }

    fn mac<M: Mac + KeyInit>(secret: &str, message: &[u8]) -> [u8; 32] {
        let mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).unwrap().chain_update(message);
        mac.finalize().into_bytes().as_slice().try_into().unwrap()
    }

    fn merchants(list: &[(&str, &str)]) -> Merchants {
        let table = |(code, secret): &(&str, &str)| {
            format!("[[merchant]]\ncode='{code}'\nsecret='{secret}'\ncustomers=['{secret}']\n")
        };
        let text: String = list.iter().map(table).collect();
        Credentials::from_toml(&text, |_| Err(String::new())).unwrap().merchants
    }

    /// The only customer of whoever signed something with a secret in the name of a code.
    fn found(known: &Merchants, code: &str, secret: &str) -> [Option<String>; 2] {
        [Algorithm::Sha256, Algorithm::Sha3].map(|algorithm| {
            let merchant = known.by_signature(&signed(code, secret, algorithm))?;
            assert!(merchant.grant.customers.contains(secret));
            Some(merchant.code.to_string())
        })
    }

    #[test]
    fn a_merchant_is_found_by_its_code_and_any_of_its_secrets() {
        let known = merchants(&[("A", "a1"), ("B", "b"), ("A", "a2"), ("A", "a3")]);
        assert_eq!(known.secrets_per_code, 3);
        for (code, secret) in [("A", "a1"), ("A", "a2"), ("A", "a3"), ("B", "b")] {
            assert_eq!(found(&known, code, secret), [(); 2].map(|()| Some(code.to_owned())));
        }
        for (code, secret) in [("A", "b"), ("B", "a1"), ("C", "a1"), ("", "a1"), ("a", "a1"), ("A", "")] {
            assert_eq!(found(&known, code, secret), [None, None], "{code} {secret}");
        }
    }

    #[test]
    fn where_there_are_no_merchants_nobody_is_found() {
        assert_eq!(found(&merchants(&[]), "A", "a"), [None, None]);
        assert_eq!(found(&Merchants::default(), "", ""), [None, None]);
    }

    #[test]
    fn an_algorithm_does_not_take_the_other_one_s_signature() {
        let known = merchants(&[("A", "a")]);
        let mut other = signed("A", "a", Algorithm::Sha256);
        assert!(known.by_signature(&other).is_some());
        other.algorithm = Algorithm::Sha3;
        assert!(known.by_signature(&other).is_none());
    }

    #[test]
    fn debug_shows_no_secret() {
        let known = merchants(&[("A", "canary")]);
        let shown = format!("{:?}", known.list[0].key);
        assert_eq!(shown, "SigningKey { sha256: Hmac { ... }, sha3: SimpleHmac { ... } }");
    }
}
