//! TLS from outside: a proxy that speaks it before a server that does not, and a client.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream as AsyncStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use crate::Reply;
use crate::certificates::{Authority, Identity};

const TIMEOUT: Duration = Duration::from_secs(20);

/// A server with TLS on a free port of 127.0.0.1, which passes everything on to another port. It ends when it is dropped.
#[derive(Debug)]
pub struct TlsProxy {
    port: u16,
    _runtime: Runtime,
}

impl TlsProxy {
    /// One with a certificate. Where `clients` is given, it refuses whoever has no certificate of that authority.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(identity: &Identity, clients: Option<&Authority>, upstream: u16) -> Result<Self> {
        let config = server_config(identity, clients)?;
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let port = listener.local_addr()?.port();
        runtime.spawn(async move {
            let acceptor = TlsAcceptor::from(config);
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut near = acceptor.accept(stream).await?;
                    let mut far = AsyncStream::connect(("127.0.0.1", upstream)).await?;
                    copy_bidirectional(&mut near, &mut far).await
                });
            }
        });
        Ok(Self { port, _runtime: runtime })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

fn server_config(identity: &Identity, clients: Option<&Authority>) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots(&clients.pem())?), provider);
            builder.with_client_cert_verifier(verifier.build()?)
        }
    };
    let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
    Ok(Arc::new(builder.with_single_cert(vec![certificate], key)?))
}

fn roots(pem: &str) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes())?)?;
    Ok(roots)
}

/// An open connection with TLS.
pub type Connection = StreamOwned<ClientConnection, TcpStream>;

/// Connects to a port of 127.0.0.1, trusting one authority.
///
/// # Errors
/// There is no such server.
pub fn connect(port: u16, trusted: &Authority) -> Result<Connection> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(&trusted.pem())?)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(StreamOwned::new(client, stream))
}

/// Sends a GET, the last one of a connection, and reads the answer.
///
/// # Errors
/// There is no answer.
pub fn get(connection: Connection, path: &str) -> Result<Reply> {
    send(connection, "GET", path, &[], "")
}

/// Sends any request, the last one of a connection, and reads the answer.
///
/// # Errors
/// There is no answer.
pub fn send(
    mut connection: Connection,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Reply> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    write!(connection, "{request}Content-Length: {}\r\n\r\n{body}", body.len())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Reply::from_text(&answer).with_context(|| format!("no answer: {answer:?}"))
}
