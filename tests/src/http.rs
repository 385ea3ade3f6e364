//! A client of the HTTP interface.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Request};

/// Longer than any answer may take that waits for a server.
const TIMEOUT: Duration = Duration::from_secs(40);
/// The path of the monthly history.
const HISTORY: &str = "/v1/billing/service_usage/history";

/// An answer of any status.
#[derive(Debug)]
pub struct Reply {
    /// Its status, also those that only this interface has.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: String,
}

impl Reply {
    /// Reads an answer as it was sent, with a body that is not chunked.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.parse::<HeaderName>().ok()?, value.parse::<HeaderValue>().ok()?))
        };
        Some(Self { status, headers: lines.map(header).collect::<Option<_>>()?, body: body.to_owned() })
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is none.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("{}: {}", self.status, self.body))
    }
}

/// A client with one address. A connection for each request: the process may have been replaced since the last.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    agent: ureq::Agent,
}

impl Client {
    /// Speaks to a port of 127.0.0.1.
    pub fn new(port: u16) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            // A GET with a body is what some tests send.
            .allow_non_standard_methods(true)
            .max_idle_connections(0)
            .build()
            .into();
        Self { base: format!("http://127.0.0.1:{port}"), agent }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Sends any request.
    ///
    /// # Errors
    /// There is no answer.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Reply> {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // No body at all is another request than an empty one.
        let answer = match body {
            "" => self.agent.run(request.body(())?),
            _ => self.agent.run(request.body(body.to_owned())?),
        };
        let mut answer = answer.with_context(|| format!("{method} {path}"))?;
        let text = answer.body_mut().read_to_string().with_context(|| format!("{method} {path}"))?;
        Ok(Reply { status: answer.status().as_u16(), headers: answer.headers().clone(), body: text })
    }

    /// Sends a whole request and reads nothing: the connection ends when it is dropped, whatever the server is about to say.
    ///
    /// # Errors
    /// Nobody takes it.
    pub fn send_only(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<TcpStream> {
        let address = self.base.trim_start_matches("http://");
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n")?;
        }
        write!(request, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(request.as_bytes())?;
        Ok(stream)
    }

    /// Sends bytes, which may be a request or not, and reads the answer; none if the connection is just closed. They should
    /// ask for it to be closed behind the answer.
    ///
    /// # Errors
    /// The answer is none.
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<Option<Reply>> {
        let mut stream = TcpStream::connect(self.base.trim_start_matches("http://"))?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        // The answer may come, and the connection be closed, before everything is sent.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        if answer.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8(answer).context("an answer that is not UTF-8")?;
        Reply::from_text(&text).map(Some).with_context(|| format!("no answer: {text:?}"))
    }

    /// A plain GET.
    ///
    /// # Errors
    /// There is no answer.
    pub fn get(&self, path: &str) -> Result<Reply> {
        self.send("GET", path, &[], "")
    }

    /// Asks for a customer's history, with a query such as `?from_offset=3`.
    ///
    /// # Errors
    /// There is no answer.
    pub fn ask_history(&self, token: &str, customer: &str, query: &str) -> Result<Reply> {
        let headers = [
            ("Content-Type", "application/json"),
            ("X-User-Agent", "meterhouse-tests"),
            ("X-Product-Name", "tests"),
            ("X-Customer", customer),
            ("X-Client-Authorization", token),
        ];
        self.send("GET", &format!("{HISTORY}{query}"), &headers, "")
    }

    /// A customer's whole history.
    ///
    /// # Errors
    /// There is no answer, or another one than 200.
    pub fn history(&self, token: &str, customer: &str) -> Result<Value> {
        let reply = self.ask_history(token, customer, "")?;
        ensure!(reply.status == 200, "history of {customer}: {} {}", reply.status, reply.body);
        reply.json()
    }
}
