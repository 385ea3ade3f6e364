//! The known tokens. Only their hashes are kept, so nothing here can leak one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

/// SHA-256 of a token.
pub(crate) type TokenDigest = [u8; 32];

/// What `credentials.toml` says. The default knows nobody, so it refuses every request.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    pub(super) tokens: Vec<Arc<Token>>,
}

/// One `[[token]]`.
#[derive(Debug)]
pub(crate) struct Token {
    /// Shown in the log.
    pub(super) name: Arc<str>,
    pub(super) digest: TokenDigest,
    pub(super) permits: BTreeSet<String>,
    pub(super) customers: Allowed,
    pub(super) products: Allowed,
    pub(super) features: Allowed,
    /// Microseconds since the epoch from which the token is no longer good.
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

    /// The token with this text, if it is known and has not expired.
    ///
    /// Every token is compared, in constant time, and the choice among them is made without a branch: the time that
    /// this takes tells nothing about how near a guess was.
    pub(super) fn find(&self, text: &str, now_micros: i64) -> Option<&Arc<Token>> {
        let digest: TokenDigest = Sha256::digest(text.as_bytes()).into();
        let mut found = u64::MAX;
        for (index, token) in (0_u64..).zip(&self.tokens) {
            found.conditional_assign(&index, token.digest.ct_eq(&digest));
        }
        let token = self.tokens.get(usize::try_from(found).ok()?)?;
        token.expires.is_none_or(|expires| now_micros < expires).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(count: u8) -> Credentials {
        let token = |i: u8| Token {
            name: format!("token {i}").into(),
            digest: Sha256::digest(format!("secret-{i}")).into(),
            permits: BTreeSet::new(),
            customers: Allowed::All,
            products: Allowed::All,
            features: Allowed::All,
            expires: (i == 1).then_some(1_000),
            clubs: BTreeMap::new(),
        };
        Credentials { tokens: (0..count).map(|i| Arc::new(token(i))).collect() }
    }

    #[test]
    fn tokens_are_found_by_their_text_alone() {
        let known = credentials(3);
        for i in [0, 2] {
            let found = known.find(&format!("secret-{i}"), 5_000).unwrap();
            assert_eq!(&*found.name, format!("token {i}"));
        }
        let hash = hex::encode(Sha256::digest("secret-0"));
        for unknown in ["", "secret-", "secret-3", "SECRET-0", "secret-0 ", hash.as_str()] {
            assert!(known.find(unknown, 0).is_none(), "{unknown:?}");
        }
        assert!(credentials(0).find("secret-0", 0).is_none());
    }

    #[test]
    fn a_token_is_good_until_the_instant_of_its_expiry() {
        let known = credentials(3);
        assert!(known.find("secret-1", 999).is_some());
        assert!(known.find("secret-1", 1_000).is_none());
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
