//! Who is known, and what each of them may do. Of tokens and keys only hashes are kept, of merchants' secrets what checks
//! a signature, so nothing here can leak one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::merchants::{Merchants, Signed};

/// SHA-256 of a token or key.
pub(crate) type TokenDigest = [u8; 32];

/// What `credentials.toml` says. The default knows nobody, so it refuses every request.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    pub(super) tokens: Vec<Token>,
    pub(super) email_keys: Vec<EmailKey>,
    pub(super) merchants: Merchants,
}

/// One `[[token]]`.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(super) digest: TokenDigest,
    pub(super) grant: Arc<Grant>,
}

/// One `[[email_key]]`.
#[derive(Debug, Clone)]
pub(crate) struct EmailKey {
    pub(super) email: Arc<str>,
    pub(super) digest: TokenDigest,
    pub(super) grant: Arc<Grant>,
}

/// What whoever has shown a credential may do.
#[derive(Debug)]
pub(crate) struct Grant {
    /// The table that it stands in.
    pub(super) kind: &'static str,
    /// Shown in the log.
    pub(super) name: Arc<str>,
    /// Tells this credential from all others.
    pub(super) key: TokenDigest,
    pub(super) permits: BTreeSet<String>,
    pub(super) customers: Allowed,
    pub(super) products: Allowed,
    pub(super) features: Allowed,
    /// Microseconds since the epoch from which the credential is no longer good.
    pub(super) expires: Option<i64>,
    /// Customer by slug of a loyalty club.
    pub(super) clubs: BTreeMap<String, String>,
}

/// A list of names, or `["*"]` for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Allowed {
    All,
    These(BTreeSet<String>),
}

impl Allowed {
    pub(super) fn from_names(names: BTreeSet<String>) -> Self {
        if names.contains("*") { Self::All } else { Self::These(names) }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::These(names) => names.contains(name),
        }
    }
}

impl Credentials {
    /// The number of tokens, expired ones included.
    pub fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// What the token with this text grants, if it is known and has not expired.
    pub(super) fn by_token(&self, text: &str, now_micros: i64) -> Option<Arc<Grant>> {
        let digest = digest(text);
        let token = only(&self.tokens, |token| token.digest.ct_eq(&digest))?;
        token.grant.unless_expired(now_micros)
    }

    /// What the key of an address grants, if it is known and has not expired.
    pub(super) fn by_email_key(&self, email: &str, key: &str, now_micros: i64) -> Option<Arc<Grant>> {
        let digest = digest(key);
        let is_it =
            |known: &EmailKey| known.digest.ct_eq(&digest) & known.email.as_bytes().ct_eq(email.as_bytes());
        only(&self.email_keys, is_it)?.grant.unless_expired(now_micros)
    }

    /// What a merchant's signature grants, if the merchant is known and its secret has not expired.
    pub(super) fn by_signature(&self, signed: &Signed<'_>, now_micros: i64) -> Option<Arc<Grant>> {
        self.merchants.by_signature(signed)?.grant.unless_expired(now_micros)
    }
}

impl Grant {
    fn unless_expired(self: &Arc<Self>, now_micros: i64) -> Option<Arc<Self>> {
        self.expires.is_none_or(|expires| now_micros < expires).then(|| Arc::clone(self))
    }
}

fn digest(secret: &str) -> TokenDigest {
    Sha256::digest(secret.as_bytes()).into()
}

/// The one that it is, of those that differ from each other.
///
/// Every one is compared, in constant time, and the choice among them is made without a branch: the time that this takes
/// tells nothing about how near a guess was.
fn only<T>(known: &[T], is_it: impl Fn(&T) -> Choice) -> Option<&T> {
    let mut found = u64::MAX;
    for (index, item) in (0_u64..).zip(known) {
        found.conditional_assign(&index, is_it(item));
    }
    known.get(usize::try_from(found).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(i: u8) -> Arc<Grant> {
        Arc::new(Grant {
            kind: "token",
            name: format!("credential {i}").into(),
            key: TokenDigest::default(),
            permits: BTreeSet::new(),
            customers: Allowed::All,
            products: Allowed::All,
            features: Allowed::All,
            expires: (i == 1).then_some(1_000),
            clubs: BTreeMap::new(),
        })
    }

    fn credentials(count: u8) -> Credentials {
        let secret = |i: u8| digest(&format!("secret-{i}"));
        let token = |i: u8| Token { digest: secret(i), grant: grant(i) };
        let email_key = |i: u8| EmailKey {
            email: format!("{}@example.com", i % 2).into(),
            digest: secret(i),
            grant: grant(i),
        };
        Credentials {
            tokens: (0..count).map(token).collect(),
            email_keys: (0..count).map(email_key).collect(),
            merchants: Merchants::default(),
        }
    }

    #[test]
    fn tokens_are_found_by_their_text_alone() {
        let known = credentials(3);
        for i in [0, 2] {
            let found = known.by_token(&format!("secret-{i}"), 5_000).unwrap();
            assert_eq!(&*found.name, format!("credential {i}"));
        }
        let hash = hex::encode(digest("secret-0"));
        for unknown in ["", "secret-", "secret-3", "SECRET-0", "secret-0 ", hash.as_str()] {
            assert!(known.by_token(unknown, 0).is_none(), "{unknown:?}");
        }
        assert!(credentials(0).by_token("secret-0", 0).is_none());
    }

    #[test]
    fn keys_are_found_by_their_address_and_their_text() {
        let known = credentials(3);
        let found =
            |email: &str, key: &str| known.by_email_key(email, key, 0).map(|grant| grant.name.to_string());
        assert_eq!(found("0@example.com", "secret-2").as_deref(), Some("credential 2"));
        assert_eq!(found("1@example.com", "secret-1").as_deref(), Some("credential 1"));
        for (email, key) in [
            ("1@example.com", "secret-0"),
            ("0@example.com", "secret-1"),
            ("0@example.co", "secret-0"),
            ("0@EXAMPLE.com", "secret-0"),
            ("", "secret-0"),
            ("0@example.com", ""),
        ] {
            assert_eq!(found(email, key), None, "{email} {key}");
        }
    }

    #[test]
    fn a_credential_is_good_until_the_instant_of_its_expiry() {
        let known = credentials(3);
        let good = |now| {
            [known.by_token("secret-1", now), known.by_email_key("1@example.com", "secret-1", now)]
                .map(|grant| grant.is_some())
        };
        assert_eq!(good(999), [true; 2]);
        assert_eq!(good(1_000), [false; 2]);
    }

    #[test]
    fn the_star_allows_all() {
        let names = |list: &[&str]| Allowed::from_names(list.iter().map(ToString::to_string).collect());
        assert!(names(&["a", "*"]).contains("b"));
        assert!(names(&["a"]).contains("a"));
        assert!(!names(&["a"]).contains("*"));
        assert!(!names(&[]).contains(""));
    }
}
