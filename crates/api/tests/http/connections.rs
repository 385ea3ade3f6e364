//! What a connection may send, and how long it may take.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::common::{PATH, refusing};
use crate::running::{Running, exchange, run};

/// Headers of a request whose token is unknown: it ends in 401.
pub(crate) const HEADERS: &str =
    "host: x\r\nx-user-agent: a\r\nx-product-name: b\r\nx-customer: c\r\nx-client-authorization: d\r\n";

pub(crate) fn statuses(answers: &str) -> Vec<&str> {
    let lines = answers.split("HTTP/1.").skip(1);
    lines.map(|line| line.split(' ').nth(1).unwrap_or_default()).collect()
}

#[tokio::test]
async fn statuses_that_http_does_not_know_have_a_reason_phrase() {
    let running = run(refusing().router).await;
    let head = format!("GET {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    let answer = exchange(running.address, format!("{head}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 470 Required Header Missing\r\n"), "{answer}");
    let answer = exchange(running.address, format!("{head}content-type: a/b\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 471 Header Incorrect\r\n"), "{answer}");
}

#[tokio::test]
async fn the_head_of_a_request_is_bounded() {
    let running = run(refusing().router).await;
    let long_header =
        |bytes| format!("GET / HTTP/1.1\r\nconnection: close\r\nx: {}\r\n\r\n", "a".repeat(bytes));
    let long_path = |bytes| format!("GET /{} HTTP/1.1\r\nconnection: close\r\n\r\n", "a".repeat(bytes));
    let many = |headers| format!("GET / HTTP/1.1\r\nconnection: close\r\n{}\r\n", "x: y\r\n".repeat(headers));
    for head in [long_header(32_700), long_path(32_700), many(63)] {
        assert_eq!(statuses(&exchange(running.address, &head).await), ["404"]);
    }
    for head in [long_header(32_768), long_path(32_768), long_header(500_000), many(64), many(5_000)] {
        let answer = exchange(running.address, &head).await;
        // A client that is still sending may lose the answer.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(answer.is_empty() || answer.ends_with("\r\n\r\n"), "no body: {answer}");
    }
}

#[tokio::test]
async fn what_is_not_http_1_is_refused() {
    let running = run(refusing().router).await;
    let heads: [&[u8]; 6] = [
        b"\0\xff nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 the hello of a TLS client\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n folded: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    ];
    for head in heads {
        let answer = exchange(running.address, head).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head:?}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "no body: {answer}");
    }
    assert_eq!(exchange(running.address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await, "");
}

#[tokio::test]
async fn odd_targets_lead_nowhere() {
    let running = run(refusing().router).await;
    let cases = [
        ("OPTIONS *", "404"),
        ("GET *", "404"),
        ("CONNECT example.com:443", "404"),
        ("GET http://elsewhere.example/healthz", "200"),
        ("GET //healthz", "404"),
        ("GET /../healthz", "404"),
        ("GET /healthz?%zz&=\u{fc}", "200"),
        ("GET /%00", "404"),
        ("GET /\u{fc}", "404"),
    ];
    for (target, expected) in cases {
        let head = format!("{target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = exchange(running.address, &head).await;
        assert_eq!(statuses(&answer), [expected], "{target}: {answer}");
    }
}

#[tokio::test]
async fn http_1_0_needs_no_host_and_is_closed() {
    let running = run(refusing().router).await;
    let answer = exchange(running.address, format!("GET {PATH} HTTP/1.0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.0 470 Required Header Missing\r\n"), "{answer}");
    assert!(answer.ends_with("}"), "{answer}");
}

#[tokio::test]
async fn the_answer_to_head_has_no_body() {
    let running = run(refusing().router).await;
    for (path, status) in [(PATH, "405"), ("/healthz", "200"), ("/", "404")] {
        let head = format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = exchange(running.address, &head).await;
        assert_eq!(statuses(&answer), [status], "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_their_order() {
    let running = run(refusing().router).await;
    let requests = format!(
        "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n\
         GET {PATH} HTTP/1.1\r\n{HEADERS}content-length: 2\r\n\r\n{{}}\
         GET {PATH} HTTP/1.1\r\nhost: x\r\n\r\n\
         GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(statuses(&exchange(running.address, &requests).await), ["200", "401", "470", "404"]);
}

#[tokio::test]
async fn bodies_of_every_framing_are_judged() {
    let running = run(refusing().router).await;
    let cases = [
        ("content-length: 0\r\n", "", "401"),
        ("content-length: 4\r\n", "null", "401"),
        ("transfer-encoding: chunked\r\n", "0\r\n\r\n", "401"),
        ("transfer-encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n", "401"),
        ("content-length: 1\r\n", "{", "400"),
        ("transfer-encoding: chunked\r\n", "1\r\n{\r\n0\r\n\r\n", "400"),
        ("transfer-encoding: chunked\r\n", "nonsense\r\n", "400"),
        ("content-length: 99999999\r\n", "{", "413"),
    ];
    for (framing, body, expected) in cases {
        let request = format!("GET {PATH} HTTP/1.1\r\n{HEADERS}connection: close\r\n{framing}\r\n{body}");
        let answer = exchange(running.address, &request).await;
        assert_eq!(statuses(&answer), [expected], "{framing}{body}: {answer}");
        assert!(expected != "400" || answer.ends_with("\r\n\r\n"), "no body: {answer}");
    }
}

#[tokio::test]
async fn a_client_may_ask_before_it_sends_a_body() {
    let running = run(refusing().router).await;
    let request = format!(
        "GET {PATH} HTTP/1.1\r\n{HEADERS}connection: close\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    assert_eq!(statuses(&exchange(running.address, &request).await), ["100", "401"]);
}

/// Sends a start of something and waits for the server to close the connection.
pub(crate) async fn answer_to_a_start(running: &Running, start: &str) -> String {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(start.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let closed = tokio::time::timeout(Duration::from_secs(60), stream.read_to_string(&mut answer));
    closed.await.unwrap_or_else(|_| panic!("still open after {start:?}")).unwrap();
    answer
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_go_on_is_closed() {
    let running = run(refusing().router).await;
    for start in ["", "GET / HTTP/1.1\r\nhost:"] {
        assert_eq!(answer_to_a_start(&running, start).await, "");
    }
    let idle_after_an_answer = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    assert_eq!(statuses(&answer_to_a_start(&running, idle_after_an_answer).await), ["200"]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_ends_in_408() {
    let running = run(refusing().router).await;
    let start = format!("GET {PATH} HTTP/1.1\r\n{HEADERS}content-length: 9\r\n\r\n{{");
    let answer = answer_to_a_start(&running, &start).await;
    assert_eq!(statuses(&answer), ["408"]);
    assert!(answer.contains("connection: close\r\n") && answer.contains("{\"error\":"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_does_not_live_for_ever() {
    let running = run(refusing().router).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let started = tokio::time::Instant::now();
    let mut buffer = [0; 1024];
    loop {
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await;
        match stream.read(&mut buffer).await {
            Ok(1..) => tokio::time::sleep(Duration::from_secs(20)).await,
            _ => break,
        }
        assert!(started.elapsed() < Duration::from_secs(400));
    }
    assert!(started.elapsed() >= Duration::from_secs(300), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_cut_off() {
    let bytes = 64 << 20; // More than the system's buffers hold.
    let large = get(move || async move { vec![b'x'; bytes] });
    let running = run(Router::new().route("/", large)).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(400)).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.len() < bytes, "{}", answer.len());
}
