//! The end of a listener.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::running::{exchange, run};

#[tokio::test]
async fn the_shutdown_closes_idle_connections_and_lets_requests_end() {
    let slow = get(|| async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "done"
    });
    let running = run(Router::new().route("/slow", slow)).await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let busy = tokio::spawn(exchange(running.address, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"));
    tokio::time::sleep(Duration::from_millis(100)).await;
    running.shutdown.cancel();
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
    let mut answer = String::new();
    idle.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(!busy.is_finished());
    let answer = busy.await.unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    running.task.await.unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_shutdown_ends_within_a_bound() {
    let running = run(Router::new().route("/never", get(std::future::pending::<()>))).await;
    let mut busy = TcpStream::connect(running.address).await.unwrap();
    busy.write_all(b"GET /never HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut half = TcpStream::connect(running.address).await.unwrap();
    half.write_all(b"GET /never HTTP/1.1\r\nhost:").await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    running.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(11), running.task).await.unwrap().unwrap();
}
