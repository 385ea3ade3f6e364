//! Health, metrics, and the listener with its limits.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use crate::common::{Service, authority, read, request, service};
use meterhouse_api::{RateLimit, ops_router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

fn refusing() -> Service {
    service(authority(""), RateLimit::new(0, 0))
}

fn get_request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn health_is_on_both_listeners() {
    let service = refusing();
    let ops = ops_router(service.health.clone(), service.registry.clone());
    for router in [service.router.clone(), ops] {
        service.health.set("clickhouse", Err("connection refused".into()));
        let ask = |path| async move { read(router.clone().oneshot(get_request(path)).await.unwrap()).await };
        assert_eq!(ask("/healthz").await.status, 200);
        let answer = ask("/readyz").await;
        let expected = r#"{"ready":false,"checks":{"clickhouse":"connection refused"}}"#;
        assert_eq!((answer.status, answer.body.as_str()), (503, expected));
        service.health.set("clickhouse", Ok(()));
        let answer = ask("/readyz").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"ready":true,"checks":{"clickhouse":"ok"}}"#));
    }
}

#[tokio::test]
async fn requests_are_counted_by_pattern_and_never_by_the_clients_text() {
    let service = refusing();
    service.send(request("?from_offset=secret-1", &[("x-client-authorization", "secret-2")])).await;
    service.send(get_request("/secret-3")).await;
    let mut odd = get_request("/healthz");
    *odd.method_mut() = "SECRET4".parse().unwrap();
    assert_eq!(service.send(odd).await.status, 405);
    let ops = ops_router(service.health.clone(), service.registry.clone());
    let answer = read(ops.oneshot(get_request("/metrics")).await.unwrap()).await;
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    let history = "route=\"/v1/billing/service_usage/history\"";
    for line in [
        format!("meterhouse_http_requests_total{{method=\"GET\",{history},status=\"401\"}} 1"),
        "meterhouse_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1".into(),
        "meterhouse_http_requests_total{method=\"OTHER\",route=\"/healthz\",status=\"405\"} 1".into(),
        format!("meterhouse_http_request_seconds_count{{{history}}} 1"),
    ] {
        assert!(answer.body.lines().any(|found| found == line), "{line}\n{}", answer.body);
    }
    assert!(!answer.body.to_lowercase().contains("secret"));
}

struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

async fn run(router: Router) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(meterhouse_api::serve(listener, router, shutdown.clone()));
    Running { address, shutdown, task }
}

/// Sends bytes and reads until the server closes the connection.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    // A server that refuses early may close while bytes are still on their way.
    let _ = tokio::join!(writer.write_all(bytes), reader.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn statuses_that_http_does_not_know_have_a_reason_phrase() {
    let running = run(refusing().router).await;
    let head = format!("GET {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n", crate::common::PATH);
    let answer = exchange(running.address, format!("{head}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 470 Required Header Missing\r\n"), "{answer}");
    let answer = exchange(running.address, format!("{head}content-type: a/b\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 471 Header Incorrect\r\n"), "{answer}");
}

#[tokio::test]
async fn the_head_of_a_request_is_bounded() {
    let running = run(refusing().router).await;
    let long_header = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(40_000));
    let long_path = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(40_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(100));
    for head in [long_header, long_path, many] {
        let answer = exchange(running.address, head.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    assert!(exchange(running.address, b"\0\xff nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_sends_no_request_is_closed() {
    let running = run(refusing().router).await;
    for start in [&b""[..], b"GET / HTTP/1.1\r\nhost:"] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(start).await.unwrap();
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer));
        assert!(closed.await.is_ok(), "{start:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_ends_in_408() {
    let running = run(refusing().router).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = format!(
        "GET {} HTTP/1.1\r\nhost: x\r\nx-user-agent: a\r\nx-product-name: b\r\nx-customer: c\r\ncontent-length: 9\r\n\r\n{{",
        crate::common::PATH
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn the_shutdown_closes_idle_connections_and_lets_requests_end() {
    let slow = get(|| async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "done"
    });
    let running = run(Router::new().route("/slow", slow)).await;
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    let busy = tokio::spawn(exchange_slow(running.address));
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.shutdown.cancel();
    let answer = busy.await.unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    running.task.await.unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

async fn exchange_slow(address: SocketAddr) -> String {
    exchange(address, b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await
}

#[tokio::test(start_paused = true)]
async fn the_shutdown_ends_within_a_bound() {
    let running = run(Router::new().route("/never", get(std::future::pending::<()>))).await;
    let mut busy = TcpStream::connect(running.address).await.unwrap();
    busy.write_all(b"GET /never HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    running.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(11), running.task).await.unwrap().unwrap();
}
