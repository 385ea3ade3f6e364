//! `[http]`: the listener for customers and its limits.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use meterhouse_api::Limits;

use super::definition::{Number, Optional, Text};
use super::reader::{Reader, Section, parse_address};

const LISTEN: Text = Text {
    key: "listen",
    form: "IP address and port",
    default: "127.0.0.1:8080",
    help: "Where customers' requests are taken. Port 0 is a free one.",
};
const TLS_CERTIFICATE: Optional = Optional {
    key: "tls_certificate_file",
    form: "path of a file",
    help: "Certificate (PEM), and behind it those that lead to a root: then the listener speaks TLS. Re-read when it changes.",
};
const TLS_KEY: Optional = Optional {
    key: "tls_key_file",
    form: "path of a file",
    help: "The private key (PEM, not encrypted) of that certificate. Re-read when it changes.",
};
const MAX_CONNECTIONS: Number = Number {
    key: "max_connections",
    unit: "connections",
    default: 400,
    range: 1..=65_536,
    help: "Connections at a time; further ones wait. Each needs an open file.",
};
const MAX_CONCURRENT_REQUESTS: Number = Number {
    key: "max_concurrent_requests",
    unit: "requests",
    default: 64,
    range: 1..=65_536,
    help: "Requests that ask ClickHouse at a time. Further ones wait for five seconds at most, then the answer is 503. \
           About twice the cores of ClickHouse keep bursts short.",
};
const HEAD_TIMEOUT_MS: Number = Number {
    key: "head_timeout_ms",
    unit: "milliseconds",
    default: 30_000,
    range: TIMEOUT_MS,
    help: "Time for a request line and its headers to arrive, and for a connection to be idle.",
};
const BODY_TIMEOUT_MS: Number = Number {
    key: "body_timeout_ms",
    unit: "milliseconds",
    default: 10_000,
    range: TIMEOUT_MS,
    help: "Time for a body to arrive.",
};
const MAX_HEAD_BYTES: Number = Number {
    key: "max_head_bytes",
    unit: "bytes",
    default: 32_768,
    range: 8192..=1_048_576,
    help: "Longest request line and headers together.",
};
const MAX_BODY_BYTES: Number = Number {
    key: "max_body_bytes",
    unit: "bytes",
    default: 1_048_576,
    range: 1024..=67_108_864,
    help: "Longest body.",
};
const TIMEOUT_MS: RangeInclusive<u64> = 100..=600_000;

/// The values of `[http]`.
#[derive(Debug, Clone)]
pub(crate) struct HttpConfig {
    pub(crate) listen: SocketAddr,
    /// What it speaks TLS with; plain HTTP without.
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) max_connections: usize,
    pub(crate) max_concurrent_requests: usize,
    pub(crate) head_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) max_head_bytes: usize,
    pub(crate) max_body_bytes: usize,
}

/// The two files of a listener with TLS, both PEM, re-read when they change. Relative paths start at the working directory.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    /// `tls_certificate_file`: the certificate, and behind it those that lead to a root. Default none.
    pub(crate) certificate: PathBuf,
    /// `tls_key_file`: the private key of the first one, not encrypted. Default none.
    pub(crate) key: PathBuf,
}

impl HttpConfig {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut section = reader.section("http");
        let listen = section.parsed(&LISTEN, parse_address);
        let tls = read_tls(&mut section);
        let max_connections = section.number(&MAX_CONNECTIONS);
        let max_concurrent_requests = section.number(&MAX_CONCURRENT_REQUESTS);
        let head_timeout_ms = section.number(&HEAD_TIMEOUT_MS);
        let body_timeout_ms = section.number(&BODY_TIMEOUT_MS);
        let max_head_bytes = section.number(&MAX_HEAD_BYTES);
        let max_body_bytes = section.number(&MAX_BODY_BYTES);
        Some(Self {
            listen: listen?,
            tls: tls?,
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

fn read_tls(section: &mut Section<'_>) -> Option<Option<TlsFiles>> {
    let certificate = section.path(&TLS_CERTIFICATE);
    let key = section.path(&TLS_KEY);
    let (given, missing) = match (certificate?, key?) {
        (Some(certificate), Some(key)) => return Some(Some(TlsFiles { certificate, key })),
        (None, None) => return Some(None),
        (Some(_), None) => (TLS_CERTIFICATE.key, TLS_KEY.key),
        (None, Some(_)) => (TLS_KEY.key, TLS_CERTIFICATE.key),
    };
    section.complain(given, format!("http.{given} is set, but http.{missing} is not: TLS takes both"));
    None
}
