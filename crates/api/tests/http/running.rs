//! A listener of ours, and a client that speaks bytes.

use std::net::SocketAddr;

use axum::Router;
use meterhouse_api::{Limits, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A listener that serves until its shutdown is cancelled.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

pub(crate) async fn run(router: Router) -> Running {
    run_within(Limits::default(), router).await
}

pub(crate) async fn run_within(limits: Limits, router: Router) -> Running {
    run_on(Transport::Plain, limits, router).await
}

pub(crate) async fn run_on(transport: Transport, limits: Limits, router: Router) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(meterhouse_api::serve(listener, transport, router, limits, shutdown.clone()));
    Running { address, shutdown, task }
}

/// Sends bytes and reads until the server closes the connection.
pub(crate) async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    // A server that refuses early may close while bytes are still on their way.
    let _ = tokio::join!(writer.write_all(bytes.as_ref()), reader.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}
