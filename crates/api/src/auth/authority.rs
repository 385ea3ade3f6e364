//! From a token to a principal, and from a principal to the customer it may read.

use std::sync::Arc;

use meterhouse_query::CustomerId;
use tokio::sync::watch;

use super::credentials::{Credentials, Token, TokenDigest};

/// Who decides about a request's principal.
#[derive(Debug, Clone)]
pub enum Authority {
    /// The credentials file, in its latest good version.
    Credentials(watch::Receiver<Arc<Credentials>>),
    /// Nobody: whoever reaches the listener may read every customer. For a demonstration on a loopback address.
    Insecure,
}

/// Why there is no principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// The request bears no token.
    NoToken,
    /// Its token is unknown or has expired.
    UnknownToken,
}

/// Somebody whose token was verified.
#[derive(Debug, Clone)]
pub(crate) enum Principal {
    Known(Arc<Token>),
    Insecure,
}

impl Authority {
    /// Verifies a token.
    pub(crate) fn principal(&self, token: Option<&str>, now_micros: i64) -> Result<Principal, Denied> {
        let credentials = match self {
            Self::Credentials(latest) => Arc::clone(&latest.borrow()),
            Self::Insecure => return Ok(Principal::Insecure),
        };
        let token = token.ok_or(Denied::NoToken)?;
        let found = credentials.find(token, now_micros).ok_or(Denied::UnknownToken)?;
        Ok(Principal::Known(Arc::clone(found)))
    }
}

impl Principal {
    /// The customer with this name, if the principal may read it.
    ///
    /// This is the one place where a name that a client sent becomes a `CustomerId`. Nothing is looked up, so the
    /// answer and its time are the same for another's customer and for one that does not exist.
    pub(crate) fn customer(&self, name: &str) -> Option<CustomerId> {
        let readable = match self {
            Self::Known(token) => token.customers.contains(name),
            Self::Insecure => true,
        };
        if readable { CustomerId::of_verified_principal(name) } else { None }
    }

    /// The name of the customer that a loyalty club's slug stands for. It is no right to read it.
    pub(crate) fn club(&self, slug: &str) -> Option<&str> {
        match self {
            Self::Known(token) => token.clubs.get(slug).map(String::as_str),
            Self::Insecure => None,
        }
    }

    /// Whether the principal may act for this product.
    pub(crate) fn may_use_product(&self, product: &str) -> bool {
        self.allows(|token| token.products.contains(product))
    }

    /// Whether the principal's club has this feature.
    pub(crate) fn has_feature(&self, feature: &str) -> bool {
        self.allows(|token| token.features.contains(feature))
    }

    /// Whether the principal bears this permit.
    pub(crate) fn has_permit(&self, permit: &str) -> bool {
        self.allows(|token| token.permits.contains(permit))
    }

    /// The name for the log.
    pub(crate) fn name(&self) -> Arc<str> {
        match self {
            Self::Known(token) => Arc::clone(&token.name),
            Self::Insecure => "insecure".into(),
        }
    }

    /// What tells this principal from others: one of as many values as there are tokens.
    pub(crate) fn key(&self) -> TokenDigest {
        match self {
            Self::Known(token) => token.digest,
            Self::Insecure => TokenDigest::default(),
        }
    }

    fn allows(&self, rule: impl Fn(&Token) -> bool) -> bool {
        match self {
            Self::Known(token) => rule(token),
            Self::Insecure => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of "test".
    const FILE: &str = "[[token]]\nname='a'\npermits=['p']\ncustomers=['1', '2']\nproducts=['x']\nfeatures=['f']\n\
        clubs={mall='1', far='3'}\nsha256='9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'";

    fn authority(text: &str) -> (watch::Sender<Arc<Credentials>>, Authority) {
        let (sender, latest) = watch::channel(Arc::new(Credentials::from_toml(text).unwrap()));
        (sender, Authority::Credentials(latest))
    }

    #[test]
    fn a_principal_has_the_rights_of_its_token_and_no_more() {
        let (_sender, authority) = authority(FILE);
        let principal = authority.principal(Some("test"), 0).unwrap();
        assert_eq!(principal.customer("2").unwrap().as_str(), "2");
        assert_eq!(principal.customer("3"), None);
        assert_eq!(principal.customer(""), None);
        assert_eq!(principal.club("mall"), Some("1"));
        assert_eq!(principal.club("other"), None);
        // A slug translates a name; it does not give a right.
        assert_eq!(principal.club("far").and_then(|name| principal.customer(name)), None);
        assert!(principal.has_permit("p") && !principal.has_permit("P") && !principal.has_permit("*"));
        assert!(principal.has_feature("f") && !principal.has_feature("billing"));
        assert!(principal.may_use_product("x") && !principal.may_use_product("y"));
        assert_eq!(&*principal.name(), "a");
    }

    #[test]
    fn no_token_and_an_unknown_one_are_denied() {
        let (_sender, authority) = authority(FILE);
        assert_eq!(authority.principal(None, 0).unwrap_err(), Denied::NoToken);
        assert_eq!(authority.principal(Some("tes"), 0).unwrap_err(), Denied::UnknownToken);
    }

    #[test]
    fn without_credentials_everybody_is_denied() {
        let (_sender, authority) = authority("");
        assert_eq!(authority.principal(Some("test"), 0).unwrap_err(), Denied::UnknownToken);
    }

    #[test]
    fn a_changed_file_counts_at_once() {
        let (sender, authority) = authority("");
        sender.send_replace(Arc::new(Credentials::from_toml(FILE).unwrap()));
        assert!(authority.principal(Some("test"), 0).is_ok());
    }

    #[test]
    fn the_insecure_authority_lets_every_possible_customer_through() {
        let principal = Authority::Insecure.principal(None, 0).unwrap();
        assert_eq!(principal.customer("anyone").unwrap().as_str(), "anyone");
        assert_eq!(principal.customer(""), None);
        assert!(principal.has_permit("p") && principal.has_feature("f") && principal.may_use_product("x"));
        assert_eq!(principal.club("mall"), None);
    }
}
