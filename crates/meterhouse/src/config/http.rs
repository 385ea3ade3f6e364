//! `[http]`: the listener for customers and its limits.

use std::net::SocketAddr;
use std::time::Duration;

use meterhouse_api::Limits;

use super::reader::Reader;
use super::service::listen;

const LISTEN: &str = "127.0.0.1:8080";
const MAX_CONNECTIONS: u64 = 400;
const MAX_CONNECTIONS_MAX: u64 = 65_536;
const MAX_CONCURRENT_REQUESTS: u64 = 64;
const MAX_CONCURRENT_REQUESTS_MAX: u64 = 65_536;
const HEAD_TIMEOUT_MS: u64 = 30_000;
const BODY_TIMEOUT_MS: u64 = 10_000;
const TIMEOUT_MS_MIN: u64 = 100;
const TIMEOUT_MS_MAX: u64 = 600_000;
const MAX_HEAD_BYTES: u64 = 32_768;
const MAX_HEAD_BYTES_MIN: u64 = 8192;
const MAX_HEAD_BYTES_MAX: u64 = 1_048_576;
const MAX_BODY_BYTES: u64 = 1_048_576;
const MAX_BODY_BYTES_MIN: u64 = 1024;
const MAX_BODY_BYTES_MAX: u64 = 67_108_864;

/// The keys of `[http]`.
#[derive(Debug, Clone)]
pub(crate) struct HttpConfig {
    /// IP address and port. Port 0 is a free one. Default `127.0.0.1:8080`.
    pub(crate) listen: SocketAddr,
    /// Connections at a time; further ones wait. Each needs an open file. Default 400.
    pub(crate) max_connections: usize,
    /// Requests that ask ClickHouse at a time. Further ones wait for five seconds at most, then the answer is 503.
    /// Default 64.
    pub(crate) max_concurrent_requests: usize,
    /// `head_timeout_ms`: time for a request line and its headers to arrive, and for a connection to be idle, in
    /// milliseconds. Default 30000.
    pub(crate) head_timeout: Duration,
    /// `body_timeout_ms`: time for a body to arrive, in milliseconds. Default 10000.
    pub(crate) body_timeout: Duration,
    /// Longest request line and headers together, in bytes. Default 32768.
    pub(crate) max_head_bytes: usize,
    /// Longest body, in bytes. Default 1048576.
    pub(crate) max_body_bytes: usize,
}

impl HttpConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let listen = listen(reader, "http", LISTEN);
        let mut section = reader.section("http");
        let max_connections = section.number("max_connections", MAX_CONNECTIONS, 1..=MAX_CONNECTIONS_MAX);
        let max_concurrent_requests = section.number(
            "max_concurrent_requests",
            MAX_CONCURRENT_REQUESTS,
            1..=MAX_CONCURRENT_REQUESTS_MAX,
        );
        let timeouts = TIMEOUT_MS_MIN..=TIMEOUT_MS_MAX;
        let head_timeout_ms = section.number("head_timeout_ms", HEAD_TIMEOUT_MS, timeouts.clone());
        let body_timeout_ms = section.number("body_timeout_ms", BODY_TIMEOUT_MS, timeouts);
        let max_head_bytes =
            section.number("max_head_bytes", MAX_HEAD_BYTES, MAX_HEAD_BYTES_MIN..=MAX_HEAD_BYTES_MAX);
        let max_body_bytes =
            section.number("max_body_bytes", MAX_BODY_BYTES, MAX_BODY_BYTES_MIN..=MAX_BODY_BYTES_MAX);
        Some(Self {
            listen: listen?,
            max_connections: max_connections?,
            max_concurrent_requests: max_concurrent_requests?,
            head_timeout: Duration::from_millis(head_timeout_ms?),
            body_timeout: Duration::from_millis(body_timeout_ms?),
            max_head_bytes: max_head_bytes?,
            max_body_bytes: max_body_bytes?,
        })
    }

    /// The limits of the listener.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            connections: self.max_connections,
            head_timeout: self.head_timeout,
            head_bytes: self.max_head_bytes,
            body_timeout: self.body_timeout,
            body_bytes: self.max_body_bytes,
        }
    }
}
