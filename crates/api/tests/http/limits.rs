//! Limits that are set to other values, on the real listener.

use std::time::Duration;

use axum::Router;
use meterhouse_api::{Authority, Limits, RateLimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::common::{Answer, PATH, UNREACHABLE, authority, service_within};
use crate::connections::{HEADERS, answer_to_a_start, statuses};
use crate::placewise::token;
use crate::running::{Running, exchange, run_within};

const BILL: &str = "/client/v4/user/billing/history";

async fn serve(limits: Limits, url: &str, authority: Authority) -> Running {
    let service = service_within(limits, url, Duration::from_secs(30), authority, RateLimit::new(0, 0));
    run_within(limits, service.router).await
}

/// A service that knows nobody's token.
async fn refusing(limits: Limits) -> Running {
    serve(limits, UNREACHABLE, authority("")).await
}

#[tokio::test]
async fn connections() {
    let running = run_within(Limits { connections: 1, ..Limits::default() }, Router::new()).await;
    let mut first = TcpStream::connect(running.address).await.unwrap();
    first.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(first.read(&mut [0; 4]).await.unwrap(), 4);
    let second = tokio::spawn(exchange(running.address, "GET / HTTP/1.0\r\n\r\n"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!second.is_finished());
    drop(first);
    assert_eq!(statuses(&second.await.unwrap()), ["404"]);
}

#[tokio::test]
async fn bytes_of_a_head() {
    for (head_bytes, long_enough) in [(8192, 8300), (65_536, 65_700)] {
        let running = refusing(Limits { head_bytes, ..Limits::default() }).await;
        let head = |bytes| format!("GET / HTTP/1.1\r\nconnection: close\r\nx: {}\r\n\r\n", "a".repeat(bytes));
        assert_eq!(statuses(&exchange(running.address, head(head_bytes - 100)).await), ["404"]);
        let answer = exchange(running.address, head(long_enough)).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn time_of_a_head_and_of_a_body() {
    let limits = Limits {
        head_timeout: Duration::from_secs(2),
        body_timeout: Duration::from_secs(20),
        ..Limits::default()
    };
    let running = refusing(limits).await;
    let started = Instant::now();
    assert_eq!(answer_to_a_start(&running, "GET / HTTP/1.1\r\nhost:").await, "");
    assert!((2..3).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());

    let started = Instant::now();
    let start = format!("GET {PATH} HTTP/1.1\r\n{HEADERS}content-length: 9\r\n\r\n{{");
    assert_eq!(statuses(&answer_to_a_start(&running, &start).await), ["408"]);
    assert!((20..21).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn bytes_of_a_body() {
    let running = refusing(Limits { body_bytes: 2000, ..Limits::default() }).await;
    let request = |framing: &str, body: &str| {
        format!("GET {PATH} HTTP/1.1\r\n{HEADERS}connection: close\r\n{framing}\r\n\r\n{body}")
    };
    for (bytes, status) in [(2000, "401"), (2001, "413")] {
        let body = "1".repeat(bytes);
        let stated = request(&format!("content-length: {bytes}"), &body);
        assert_eq!(statuses(&exchange(running.address, stated).await), [status], "{bytes}");
        let chunks = request("transfer-encoding: chunked", &format!("{bytes:x}\r\n{body}\r\n0\r\n\r\n"));
        assert_eq!(statuses(&exchange(running.address, chunks).await), [status], "{bytes} in chunks");
    }
}

/// Requests of somebody who is known, of a stranger, and for health.
fn requests() -> [String; 4] {
    let request = |path: &str, headers: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
    };
    let headers = "x-user-agent: a\r\nx-product-name: b\r\nx-customer: c\r\nauthorization: Bearer ";
    [
        request(PATH, &format!("{headers}known\r\n")),
        request(BILL, "authorization: Bearer known\r\n"),
        request(PATH, &format!("{headers}stranger\r\n")),
        request("/healthz", ""),
    ]
}

#[tokio::test(start_paused = true)]
async fn requests_at_a_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let rights = "permits = ['Billing:Api:ServiceUsageHistory:Show', '#billing:read']\ncustomers = ['c']";
    let running = serve(Limits::default(), &url, authority(&token("known", rights))).await;
    let [history, bill, strange, health] = requests();

    let busy = [&history, &bill].map(|request| tokio::spawn(exchange(running.address, request.clone())));
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (request, status) in [(&strange, "401"), (&health, "200")] {
        let started = Instant::now();
        assert_eq!(statuses(&exchange(running.address, request).await), [status]);
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }
    for (request, body) in [
        (&history, r#"{"error":"Service usage history is temporarily unavailable"}"#),
        (
            &bill,
            r#"{"success":false,"errors":[{"code":10503,"message":"Service temporarily unavailable"}],"messages":[],"result":null}"#,
        ),
    ] {
        let started = Instant::now();
        let answer = Answer::from_text(&exchange(running.address, request).await);
        assert_eq!((answer.status, answer.header("retry-after"), answer.body.as_str()), (503, "5", body));
        assert!((5..6).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    }
    // When those end that have the slots, another is begun: it ends by ClickHouse's time limit, not for want of a slot.
    for task in busy {
        assert_eq!(statuses(&task.await.unwrap()), ["503"]);
    }
    let started = Instant::now();
    assert_eq!(statuses(&exchange(running.address, &history).await), ["503"]);
    assert!(started.elapsed() >= Duration::from_secs(30), "{:?}", started.elapsed());
}
