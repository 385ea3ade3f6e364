//! TLS to ClickHouse: whom to trust, and who we are.

use std::sync::Arc;
use std::{error, fmt, io};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use thiserror::Error;

/// What an `https://` address is reached with. Cheap to clone.
#[derive(Clone)]
pub struct ClientTls(pub(crate) Arc<ClientConfig>);

/// Why there is no TLS. No message quotes a text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TlsError {
    /// The authorities cannot be read, or there are none.
    #[error("{0}")]
    Authorities(String),
    /// The certificate of our own cannot be used.
    #[error("{0}")]
    Certificate(String),
    /// Its key cannot.
    #[error("{0}")]
    Key(String),
}

impl ClientTls {
    /// TLS that trusts the authorities of a PEM text and no others; without one, those that the system trusts. `identity` is a
    /// certificate chain and its key, both PEM, for a server that asks for them.
    ///
    /// # Errors
    /// A text is not what it should be, or the system trusts nobody.
    pub fn new(authorities: Option<&str>, identity: Option<(&str, &str)>) -> Result<Self, TlsError> {
        let roots = match authorities {
            Some(pem) => named_roots(pem),
            None => system_roots(),
        }?;
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Authorities(error.to_string()))?
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificates, key)) => {
                let chain = chain(certificates).map_err(TlsError::Certificate)?;
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| unreadable_key())?;
                builder.with_client_auth_cert(chain, key).map_err(unusable_pair)?
            }
        };
        Ok(Self(Arc::new(config)))
    }
}

impl fmt::Debug for ClientTls {
    /// It holds a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientTls")
    }
}

fn named_roots(pem: &str) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for (certificate, number) in chain(pem).map_err(TlsError::Authorities)?.into_iter().zip(1..) {
        let unusable = |why| TlsError::Authorities(format!("certificate {number} is of no authority: {why}"));
        roots.add(certificate).map_err(unusable)?;
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(TlsError::Authorities("this system trusts no authority".to_owned()));
    }
    Ok(roots)
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err("holds no certificate in PEM".to_owned()),
        Ok(chain) => Ok(chain),
        Err(_) => Err("is broken PEM".to_owned()),
    }
}

fn unreadable_key() -> TlsError {
    TlsError::Key("holds no private key in PEM that is not encrypted".to_owned())
}

fn unusable_pair(error: rustls::Error) -> TlsError {
    match error {
        rustls::Error::InconsistentKeys(_) => TlsError::Key("is not the key of the certificate".to_owned()),
        rustls::Error::InvalidCertificate(why) => TlsError::Certificate(format!("cannot be used: {why}")),
        _ => TlsError::Key("cannot be used: RSA, ECDSA with P-256 or P-384, and Ed25519 can".to_owned()),
    }
}

/// What somebody may do about an error of TLS, if it is one.
pub(crate) fn advice(error: &(dyn error::Error + 'static)) -> Option<&'static str> {
    match tls_error(error)? {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Some("nobody who is trusted here has issued the server's certificate: see clickhouse.ca_file")
        }
        rustls::Error::InvalidMessage(_) => Some("what listens there does not speak TLS"),
        _ => None,
    }
}

/// The error of TLS among the causes. `source` of an IO error skips the error inside of it.
fn tls_error<'e>(error: &'e (dyn error::Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inside {
            Some(inside) => Some(inside),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

    use super::*;

    #[test]
    fn authorities_and_an_identity_are_read() {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["x".to_owned()]).unwrap();
        let (pem, key) = (cert.pem(), signing_key.serialize_pem());
        assert!(ClientTls::new(Some(&pem), None).is_ok());
        let tls = ClientTls::new(Some(&format!("{pem}{pem}")), Some((&pem, &key))).unwrap();
        assert_eq!(format!("{tls:?}"), "ClientTls");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["x".to_owned()]).unwrap();
        let (pem, key) = (cert.pem(), signing_key.serialize_pem());
        let other = KeyPair::generate().unwrap().serialize_pem();
        let fault = |authorities, identity| ClientTls::new(Some(authorities), identity).unwrap_err();
        let none = || "holds no certificate in PEM".to_owned();
        assert_eq!(fault("", None), TlsError::Authorities(none()));
        assert_eq!(fault(&pem, Some(("", &key))), TlsError::Certificate(none()));
        assert_eq!(fault(&pem, Some((&pem, &pem))), unreadable_key());
        let mismatch = TlsError::Key("is not the key of the certificate".to_owned());
        assert_eq!(fault(&pem, Some((&pem, &other))), mismatch);
        let broken = pem.replace("MII", "MXX");
        assert!(fault(&broken, None).to_string().starts_with("certificate 1 is of no authority"));
    }

    #[test]
    fn an_error_of_tls_is_found_inside_of_others() {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let error = io::Error::other(io::Error::other(unknown));
        assert!(advice(&error).is_some_and(|advice| advice.contains("clickhouse.ca_file")));
        assert_eq!(advice(&io::Error::other("refused")), None);
    }
}
