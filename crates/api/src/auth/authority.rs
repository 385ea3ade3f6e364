//! From a credential to a principal, and from a principal to the customer it may read.

use std::sync::Arc;

use meterhouse_query::{CustomerId, Customers};
use tokio::sync::watch;

use super::credentials::{Allowed, Credentials, Grant, TokenDigest};
use super::merchants::Signed;

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
    /// Its token, key or signature is unknown or has expired.
    Unknown,
}

/// Somebody whose credential was verified.
#[derive(Debug, Clone)]
pub(crate) enum Principal {
    Known(Arc<Grant>),
    Insecure,
}

impl Authority {
    /// Verifies a token.
    pub(crate) fn principal(&self, token: Option<&str>, now_micros: i64) -> Result<Principal, Denied> {
        self.decide(|known| known.by_token(token.ok_or(Denied::NoToken)?, now_micros).ok_or(Denied::Unknown))
    }

    /// Verifies the key of an address.
    pub(crate) fn principal_of_email(
        &self,
        email: &str,
        key: &str,
        now_micros: i64,
    ) -> Result<Principal, Denied> {
        self.decide(|known| known.by_email_key(email, key, now_micros).ok_or(Denied::Unknown))
    }

    /// Verifies a merchant's signature.
    pub(crate) fn principal_of_merchant(
        &self,
        signed: &Signed<'_>,
        now_micros: i64,
    ) -> Result<Principal, Denied> {
        self.decide(|known| known.by_signature(signed, now_micros).ok_or(Denied::Unknown))
    }

    fn decide(
        &self,
        find: impl FnOnce(&Credentials) -> Result<Arc<Grant>, Denied>,
    ) -> Result<Principal, Denied> {
        match self {
            Self::Credentials(latest) => find(&latest.borrow()).map(Principal::Known),
            Self::Insecure => Ok(Principal::Insecure),
        }
    }
}

impl Principal {
    /// The customer with this name, if the principal may read it.
    ///
    /// This is the one place where a name that a client sent becomes a `CustomerId`. Nothing is looked up, so the
    /// answer and its time are the same for another's customer and for one that does not exist.
    pub(crate) fn customer(&self, name: &str) -> Option<CustomerId> {
        let readable = match self {
            Self::Known(grant) => grant.customers.contains(name),
            Self::Insecure => true,
        };
        if readable { CustomerId::of_verified_principal(name) } else { None }
    }

    /// The one customer that the principal may read; none where it may read several.
    pub(crate) fn only_customer(&self) -> Option<CustomerId> {
        let Self::Known(grant) = self else { return None };
        let Allowed::These(names) = &grant.customers else { return None };
        let name = names.first().filter(|_| names.len() == 1)?;
        CustomerId::of_verified_principal(name)
    }

    /// The customers whose usages the principal may read and, with a permit, write.
    pub(crate) fn customers(&self) -> Customers {
        let names = match self {
            Self::Known(grant) => match &grant.customers {
                Allowed::All => None,
                Allowed::These(names) => Some(names.clone()),
            },
            Self::Insecure => None,
        };
        Customers::of_verified_principal(names)
    }

    /// The name of the customer that a loyalty club's slug stands for. It is no right to read it.
    pub(crate) fn club(&self, slug: &str) -> Option<&str> {
        match self {
            Self::Known(grant) => grant.clubs.get(slug).map(String::as_str),
            Self::Insecure => None,
        }
    }

    /// Whether the principal may act for this product.
    pub(crate) fn may_use_product(&self, product: &str) -> bool {
        self.allows(|grant| grant.products.contains(product))
    }

    /// Whether the principal's club has this feature.
    pub(crate) fn has_feature(&self, feature: &str) -> bool {
        self.allows(|grant| grant.features.contains(feature))
    }

    /// Whether the principal bears this permit.
    pub(crate) fn has_permit(&self, permit: &str) -> bool {
        self.allows(|grant| grant.permits.contains(permit))
    }

    /// The name for the log.
    pub(crate) fn name(&self) -> Arc<str> {
        match self {
            Self::Known(grant) => Arc::clone(&grant.name),
            Self::Insecure => "insecure".into(),
        }
    }

    /// The kind of its credential: the table that it stands in.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Known(grant) => grant.kind,
            Self::Insecure => "insecure",
        }
    }

    /// Whose keys of requests are one's own: kind and name, which stay the same when a secret is changed.
    pub(crate) fn namespace(&self) -> String {
        match self {
            Self::Known(grant) => format!("{} {}", grant.kind, grant.name),
            Self::Insecure => "insecure".to_owned(),
        }
    }

    /// What tells this principal from others: one of as many values as there are credentials.
    pub(crate) fn key(&self) -> TokenDigest {
        match self {
            Self::Known(grant) => grant.key,
            Self::Insecure => TokenDigest::default(),
        }
    }

    fn allows(&self, rule: impl Fn(&Grant) -> bool) -> bool {
        match self {
            Self::Known(grant) => rule(grant),
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
        let (sender, latest) =
            watch::channel(Arc::new(Credentials::from_toml(text, |_| Err(String::new())).unwrap()));
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
    fn a_principal_of_several_customers_has_no_only_one() {
        let only = |customers: &str| {
            let (_sender, authority) = authority(&FILE.replace("['1', '2']", customers));
            authority.principal(Some("test"), 0).unwrap().only_customer().map(|id| id.as_str().to_owned())
        };
        assert_eq!(only("['2']").as_deref(), Some("2"));
        for several in ["['1', '2']", "['*']", "[]"] {
            assert_eq!(only(several), None, "{several}");
        }
        assert_eq!(Principal::Insecure.only_customer(), None);
    }

    #[test]
    fn no_token_and_an_unknown_one_are_denied() {
        let (_sender, authority) = authority(FILE);
        assert_eq!(authority.principal(None, 0).unwrap_err(), Denied::NoToken);
        assert_eq!(authority.principal(Some("tes"), 0).unwrap_err(), Denied::Unknown);
    }

    #[test]
    fn without_credentials_everybody_is_denied() {
        let (_sender, authority) = authority("");
        assert_eq!(authority.principal(Some("test"), 0).unwrap_err(), Denied::Unknown);
    }

    #[test]
    fn a_changed_file_counts_at_once() {
        let (sender, authority) = authority("");
        sender.send_replace(Arc::new(Credentials::from_toml(FILE, |_| Err(String::new())).unwrap()));
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
