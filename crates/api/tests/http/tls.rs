//! A listener with TLS: what it takes, what it refuses, and a certificate that changes under it.

use std::sync::Arc;
use std::time::Duration;

use meterhouse_api::{Identity, Limits, Transport};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::common::refusing;
use crate::connections::statuses;
use crate::running::{Running, exchange, run_on};

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A certificate of its own authority, for `localhost`.
struct Pair(CertifiedKey<KeyPair>);

impl Pair {
    fn new() -> Self {
        Self(generate_simple_self_signed(["localhost".to_owned()]).unwrap())
    }

    fn identity(&self) -> Arc<Option<Identity>> {
        Arc::new(Some(Identity::from_pem(&self.0.cert.pem(), &self.0.signing_key.serialize_pem()).unwrap()))
    }

    fn root(&self) -> CertificateDer<'static> {
        self.0.cert.der().clone()
    }
}

async fn run_with(pair: &Pair, limits: Limits) -> (Running, watch::Sender<Arc<Option<Identity>>>) {
    let (sender, latest) = watch::channel(pair.identity());
    (run_on(Transport::Tls(latest), limits, refusing().router).await, sender)
}

/// Shakes hands, trusting one certificate.
async fn connect(
    running: &Running,
    trusted: &Pair,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.root()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(running.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// The status of an answer on a connection that stays.
async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    statuses(&String::from_utf8_lossy(&answer[..length])).concat()
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken_and_http_1_1_inside() {
    let pair = Pair::new();
    let (running, _sender) = run_with(&pair, Limits::default()).await;
    for (version, expected) in VERSIONS.iter().zip([ProtocolVersion::TLSv1_2, ProtocolVersion::TLSv1_3]) {
        let mut stream = connect(&running, &pair, &[version], &[b"h2", b"http/1.1"]).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        // A second request on the same connection.
        assert_eq!((ask(&mut stream).await, ask(&mut stream).await), ("200".into(), "200".into()));
    }
    let mut silent_about_protocols = connect(&running, &pair, &VERSIONS, &[]).await.unwrap();
    assert_eq!(ask(&mut silent_about_protocols).await, "200");
}

#[tokio::test]
async fn what_is_not_the_expected_tls_gets_no_answer() {
    let pair = Pair::new();
    let (running, _sender) = run_with(&pair, Limits::default()).await;
    let answer = exchange(running.address, REQUEST).await;
    assert!(!answer.contains("HTTP"), "plain HTTP: {answer}");
    assert!(connect(&running, &pair, &VERSIONS, &[b"h2"]).await.is_err(), "HTTP/2 alone");
    assert!(connect(&running, &Pair::new(), &VERSIONS, &[]).await.is_err(), "another authority");
    // The hello of a client that knows TLS 1.0 and no more.
    let hello = b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x01the random bytes of a client hell\0\0\x02\x00\x2f\x01\x00";
    assert!(!exchange(running.address, hello).await.contains("HTTP"));
    let mut stream = connect(&running, &pair, &VERSIONS, &[]).await.unwrap();
    assert_eq!(ask(&mut stream).await, "200", "and nobody else was harmed");
}

#[tokio::test]
async fn a_handshake_counts_and_has_its_time() {
    let pair = Pair::new();
    let limits = Limits { connections: 1, head_timeout: Duration::from_millis(300), ..Limits::default() };
    let (running, _sender) = run_with(&pair, limits).await;
    let begun = tokio::time::Instant::now();
    // Says nothing, and takes the only place.
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let mut stream = connect(&running, &pair, &VERSIONS, &[]).await.unwrap();
    assert!(begun.elapsed() >= limits.head_timeout, "{:?}", begun.elapsed());
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0, "it was closed");
    assert_eq!(ask(&mut stream).await, "200");
}

#[tokio::test]
async fn a_new_certificate_counts_for_new_connections_and_ends_none() {
    let (old, new) = (Pair::new(), Pair::new());
    let (running, sender) = run_with(&old, Limits::default()).await;
    let mut before = connect(&running, &old, &VERSIONS, &[]).await.unwrap();
    sender.send_replace(new.identity());
    assert!(connect(&running, &old, &VERSIONS, &[]).await.is_err());
    let mut after = connect(&running, &new, &VERSIONS, &[]).await.unwrap();
    assert_eq!((ask(&mut before).await, ask(&mut after).await), ("200".into(), "200".into()));
    sender.send_replace(Arc::new(None));
    assert!(connect(&running, &new, &VERSIONS, &[]).await.is_err(), "without a certificate nothing is told");
    assert!(!exchange(running.address, REQUEST).await.contains("HTTP"), "not even in the clear");
}

#[tokio::test]
async fn a_shutdown_waits_for_no_handshake() {
    let pair = Pair::new();
    let (running, _sender) = run_with(&pair, Limits::default()).await;
    let _silent = TcpStream::connect(running.address).await.unwrap();
    let mut idle = connect(&running, &pair, &VERSIONS, &[]).await.unwrap();
    assert_eq!(ask(&mut idle).await, "200");
    running.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(5), running.task).await.unwrap().unwrap();
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0, "closed as TLS closes: nothing was cut off");
}
