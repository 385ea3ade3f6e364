//! The listener: connections with a limit on everything that a client may send, keep open or wait for.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::tls::handshake;
use crate::{Limits, Transport};

/// Least room for a head that hyper works with.
const HEAD_BYTES_MIN: usize = 8192;
/// Headers of a request; more are answered with 431, too.
const HEADERS_MAX: usize = 64;
/// Age at which a connection takes no further request, so that one whose client never reads cannot stay for ever.
const CONNECTION_AGE_MAX: Duration = Duration::from_secs(300);
/// Time for the last request of a connection to end, beyond that for its body; above what any route takes for its answer.
const LAST_ANSWER_TIMEOUT: Duration = Duration::from_secs(80);
/// Time for running requests to end once the shutdown has begun.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after an error of the listener, such as no free file descriptor, before it tries again.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Serves HTTP/1.1 until `shutdown` is cancelled, then lets running requests end, for ten seconds at most.
///
/// Idle connections are closed at once; what still runs after the ten seconds is cut off. HTTP/2 is left to whatever
/// stands in front.
pub async fn serve(
    listener: TcpListener,
    transport: Transport,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = connections.join_next() => report(ended),
            accepted = listener.accept(), if connections.len() < limits.connections => match accepted {
                Ok((stream, _)) => {
                    let (transport, router, shutdown) = (transport.clone(), router.clone(), shutdown.clone());
                    connections.spawn(serve_connection(stream, transport, router, limits, shutdown));
                }
                Err(error) => refused(&error).await,
            },
        }
    }
    drop(listener);
    drain(connections).await;
}

/// A connection counts from its first packet: a handshake takes part of the limits as a request does.
async fn serve_connection(
    stream: TcpStream,
    transport: Transport,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) {
    // Answers are small and whole: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    match transport {
        Transport::Plain => serve_requests(stream, router, limits, shutdown).await,
        Transport::Tls(latest) => {
            if let Some(stream) = handshake(stream, &latest, limits.head_timeout, &shutdown).await {
                serve_requests(stream, router, limits, shutdown).await;
            }
        }
    }
}

async fn serve_requests(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let head_bytes = limits.head_bytes.max(HEAD_BYTES_MIN);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_header_size(head_bytes)
        .max_buf_size(head_bytes)
        .max_headers(HEADERS_MAX);
    let mut connection =
        pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = shutdown.cancelled() => None,
        () = tokio::time::sleep(CONNECTION_AGE_MAX) => None,
    };
    let ended = match ended {
        Some(ended) => Ok(ended),
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(limits.body_timeout + LAST_ANSWER_TIMEOUT, connection).await
        }
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended early"),
        Err(_) => tracing::debug!("a connection was cut off: its client did not read the answer"),
    }
}

async fn drain(mut connections: JoinSet<()>) {
    let all_ended = async {
        while let Some(ended) = connections.join_next().await {
            report(ended);
        }
    };
    if tokio::time::timeout(DRAIN_TIMEOUT, all_ended).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "requests were still running at the end of the shutdown"
        );
        connections.shutdown().await;
    }
}

async fn refused(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(ACCEPT_BACKOFF).await;
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!("a connection's task panicked");
    }
}
