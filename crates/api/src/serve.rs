//! The listener: connections with a limit on everything that a client may send, keep open or wait for.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// Connections of a listener at a time; further ones wait in its queue. Two listeners together leave room for the
/// clients of ClickHouse and Kafka below the usual limit of 1024 open files.
const CONNECTIONS_MAX: usize = 400;
/// Time for a request's head to arrive, from the connection's start or from the answer before.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Request line and headers together; longer ones are answered with 431 and no body.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Headers of a request; more are answered with 431, too.
const HEADERS_MAX: usize = 64;
/// Age at which a connection takes no further request, so that one whose client never reads cannot stay for ever.
const CONNECTION_AGE_MAX: Duration = Duration::from_secs(300);
/// Time for the last request of a connection to end; above what any route takes for its body and its answer.
const LAST_REQUEST_TIMEOUT: Duration = Duration::from_secs(90);
/// Time for running requests to end once the shutdown has begun.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after an error of the listener, such as no free file descriptor, before it tries again.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Serves HTTP/1.1 until `shutdown` is cancelled, then lets running requests end, for ten seconds at most.
///
/// Idle connections are closed at once; what still runs after the ten seconds is cut off. HTTP/2 is left to whatever
/// terminates TLS in front.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    serve_at_most(CONNECTIONS_MAX, listener, router, shutdown).await;
}

async fn serve_at_most(
    connections_max: usize,
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = connections.join_next() => report(ended),
            accepted = listener.accept(), if connections.len() < connections_max => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, router.clone(), shutdown.clone()));
                }
                Err(error) => refused(&error).await,
            },
        }
    }
    drop(listener);
    drain(connections).await;
}

async fn serve_connection(stream: TcpStream, router: Router, shutdown: CancellationToken) {
    // Answers are small and whole: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
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
            tokio::time::timeout(LAST_REQUEST_TIMEOUT, connection).await
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// A connection that has sent a request, and shows whether an answer has begun.
    async fn ask(address: std::net::SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        stream
    }

    async fn answered(stream: &mut TcpStream, wait_ms: u64) -> bool {
        let answer = tokio::time::timeout(Duration::from_millis(wait_ms), stream.read_u8());
        answer.await.is_ok_and(|byte| byte.is_ok())
    }

    #[tokio::test]
    async fn connections_above_the_limit_wait_for_their_turn() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(serve_at_most(2, listener, Router::new(), shutdown.clone()));
        let mut first = ask(address).await;
        let mut second = ask(address).await;
        assert!(answered(&mut first, 10_000).await && answered(&mut second, 10_000).await);
        let mut third = ask(address).await;
        assert!(!answered(&mut third, 200).await);
        drop(first);
        assert!(answered(&mut third, 10_000).await);
        shutdown.cancel();
        task.await.unwrap();
    }
}
