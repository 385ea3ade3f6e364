//! A ClickHouse that gives no complete answer: every such request ends in 503, never in a part of a history.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::common::{Answer, UNREACHABLE, request, service_before};
use meterhouse_api::{Authority, RateLimit};

async fn ask(url: &str, query_timeout: Duration) -> Answer {
    let service = service_before(url, query_timeout, Authority::Insecure, RateLimit::new(0, 0));
    service.send(request("", &[])).await
}

fn assert_unavailable(answer: &Answer) {
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.error(), "Service usage history is temporarily unavailable");
}

/// A server that reads the head of each request, sends the same bytes and closes.
async fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 64 * 1024];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(bytes).await;
        }
    });
    url
}

#[tokio::test]
async fn unreachable() {
    assert_unavailable(&ask(UNREACHABLE, Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn silent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    for (query_timeout, patience) in [(1, 10), (3_600, 61)] {
        let answer = ask(&url, Duration::from_secs(query_timeout));
        assert_unavailable(&tokio::time::timeout(Duration::from_secs(patience), answer).await.unwrap());
    }
}

#[tokio::test]
async fn answers_that_are_none() {
    let answers: [&[u8]; 8] = [
        b"",
        b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 31\r\n\r\nCode: 241. DB::Exception: memory",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
    ];
    for bytes in answers {
        let url = answering(bytes).await;
        assert_unavailable(&ask(&url, Duration::from_secs(1)).await);
    }
}
