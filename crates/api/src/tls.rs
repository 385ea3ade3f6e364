//! TLS of a listener: a certificate with its key, which may be replaced while the listener runs.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use x509_parser::parse_x509_certificate;

/// What a listener speaks: the protocol of `serve`, and no other.
const ALPN: &[u8] = b"http/1.1";

/// How a listener is reached. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Without TLS: on loopback, or behind something that terminates it.
    Plain,
    /// TLS 1.2 and 1.3, each connection with the identity that is the latest when it begins. Without one it is refused.
    Tls(watch::Receiver<Arc<Option<Identity>>>),
}

/// A chain of certificates with the key of the first one.
#[derive(Debug, Clone)]
pub struct Identity {
    server: Arc<ServerConfig>,
    not_before: i64,
    not_after: i64,
}

/// Why texts are no identity. No message quotes them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// Something is wrong with the certificates.
    #[error("{0}")]
    Certificate(String),
    /// Something is wrong with the key.
    #[error("{0}")]
    Key(String),
}

impl Identity {
    /// Reads a chain, the server's certificate first, and its private key, both PEM.
    ///
    /// # Errors
    /// One of them cannot be read, or they do not belong together. A certificate that has expired is none: clients decide.
    pub fn from_pem(certificates: &str, key: &str) -> Result<Self, IdentityError> {
        let chain = chain(certificates)?;
        let (not_before, not_after) = validity(&chain)?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(unreadable_key)?;
        let provider = Arc::new(ring::default_provider());
        let certified = CertifiedKey::from_der(chain, key, &provider).map_err(unusable_pair)?;
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable_pair)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        server.alpn_protocols = vec![ALPN.to_vec()];
        Ok(Self { server: Arc::new(server), not_before, not_after })
    }

    /// When the first certificate's validity begins, in seconds since 1970.
    pub fn not_before(&self) -> i64 {
        self.not_before
    }

    /// When it ends, in seconds since 1970.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }
}

fn chain(certificates: &str) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates.as_bytes()).collect();
    let chain = chain.map_err(|_| IdentityError::Certificate("is broken PEM".to_owned()))?;
    if chain.is_empty() {
        return Err(IdentityError::Certificate("holds no certificate in PEM".to_owned()));
    }
    Ok(chain)
}

fn validity(chain: &[CertificateDer<'_>]) -> Result<(i64, i64), IdentityError> {
    let mut first = None;
    for (certificate, number) in chain.iter().zip(1..) {
        let (_, parsed) = parse_x509_certificate(certificate).map_err(|_| {
            IdentityError::Certificate(format!("certificate {number} is no X.509 certificate"))
        })?;
        let validity = parsed.validity();
        first = first.or(Some((validity.not_before.timestamp(), validity.not_after.timestamp())));
    }
    first.ok_or_else(|| IdentityError::Certificate("holds no certificate in PEM".to_owned()))
}

/// The library's words may quote a line of the file.
fn unreadable_key(error: PemError) -> IdentityError {
    let why = match error {
        PemError::NoItemsFound => "holds no private key in PEM that is not encrypted",
        _ => "is broken PEM",
    };
    IdentityError::Key(why.to_owned())
}

fn unusable_pair(error: rustls::Error) -> IdentityError {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            IdentityError::Key("is not the key of the certificate".to_owned())
        }
        rustls::Error::InvalidCertificate(why) => {
            IdentityError::Certificate(format!("cannot be used: {why}"))
        }
        _ => IdentityError::Key("cannot be used: RSA, ECDSA with P-256 or P-384, and Ed25519 can".to_owned()),
    }
}

/// Shakes hands within a limit. `None`: the client did not, or the shutdown came first.
pub(crate) async fn handshake(
    stream: TcpStream,
    latest: &watch::Receiver<Arc<Option<Identity>>>,
    limit: Duration,
    shutdown: &CancellationToken,
) -> Option<TlsStream<TcpStream>> {
    let server = Option::as_ref(&**latest.borrow()).map(|identity| Arc::clone(&identity.server))?;
    let shaken = tokio::time::timeout(limit, TlsAcceptor::from(server).accept(stream));
    tokio::select! {
        () = shutdown.cancelled() => None,
        shaken = shaken => match shaken {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
            Err(_) => {
                tracing::debug!("a TLS handshake took too long");
                None
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

    use super::*;

    fn pair() -> CertifiedKey<KeyPair> {
        generate_simple_self_signed(["localhost".to_owned()]).unwrap()
    }

    fn fault(certificates: &str, key: &str) -> String {
        Identity::from_pem(certificates, key).unwrap_err().to_string()
    }

    #[test]
    fn a_certificate_and_its_key_are_an_identity() {
        let pair = pair();
        let identity = Identity::from_pem(&pair.cert.pem(), &pair.signing_key.serialize_pem()).unwrap();
        assert!(identity.not_before() < identity.not_after());
    }

    #[test]
    fn what_is_wrong_is_said_and_the_key_is_not() {
        let pair = pair();
        let (certificate, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
        let other = KeyPair::generate().unwrap().serialize_pem();
        assert_eq!(fault(&certificate, &other), "is not the key of the certificate");
        assert_eq!(fault("", &key), "holds no certificate in PEM");
        assert_eq!(fault(&key, &key), "holds no certificate in PEM");
        assert_eq!(fault(&certificate, &certificate), "holds no private key in PEM that is not encrypted");
        assert_eq!(fault(&certificate, &key[..key.len() / 2]), "is broken PEM");
        assert_eq!(fault(&certificate.replace("MII", "MXX"), &key), "certificate 1 is no X.509 certificate");
        let ed448 = "-----BEGIN PRIVATE KEY-----\nMAoCAQAwBQYDK2Vx\n-----END PRIVATE KEY-----\n";
        assert!(fault(&certificate, ed448).starts_with("cannot be used"), "{}", fault(&certificate, ed448));
    }
}
