//! Requests that no client library would send, and a service without credentials.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use meterhouse_tests::Site;

const HEADERS: &str = "Host: x\r\nX-User-Agent: t\r\nX-Product-Name: p\r\nX-Customer: c\r\nX-Client-Authorization: mh_test\r\n\
    Connection: close\r\n";

/// Sends bytes, and nothing more if that is said, and returns the status of the answer; none if the connection is just
/// closed.
fn status(port: u16, request: &[u8], is_cut: bool) -> Result<Option<u16>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    // The answer may come, and the connection be closed, before everything is sent.
    let _ = stream.write_all(request);
    if is_cut {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let line = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
    match line.split(' ').nth(1) {
        Some(code) => Ok(Some(code.parse().with_context(|| line.clone())?)),
        None => Ok(None),
    }
}

#[test]
fn nothing_that_is_sent_is_an_error_of_the_service() -> Result<()> {
    let site = Site::new("odd_requests")?;
    let service = site.serve()?;
    let get = |query: &str| {
        format!("GET /v1/billing/service_usage/history{query} HTTP/1.1\r\n{HEADERS}\r\n").into_bytes()
    };
    let with = |header: &[u8]| [&get("")[..get("").len() - 2], header, b"\r\n\r\n"].concat();
    let long = "x".repeat(100_000);
    let whole: Vec<(Vec<u8>, Vec<Option<u16>>)> = vec![
        (get(""), vec![Some(200)]),
        (get("?from_offset=%FF"), vec![Some(422)]),
        (get("?from_offset=%zz&%=&&=="), vec![Some(422)]),
        (get("?from_offset=1%00"), vec![Some(422)]),
        (get("/%2e%2e/%00"), vec![Some(404)]),
        (get(&format!("?a={long}")), vec![Some(200), Some(414), Some(431)]),
        (with(b"X-Loyalty-Club-Slug: \xff\xfe"), vec![Some(471)]),
        (with(b"X-Customer: c"), vec![Some(471)]),
        (with(b"Content-Length: 2\r\n\r\n{}"), vec![Some(200)]),
        (with(b"Content-Length: 99999999999"), vec![Some(400), Some(413)]),
        (with(format!("X-Long: {long}").as_bytes()), vec![Some(200), Some(431), None]),
        (b"GET / HTTP/9.9\r\n\r\n".to_vec(), vec![Some(400), Some(505), None]),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), vec![Some(400), None]),
    ];
    let closed_or_wrong = || vec![None, Some(400)];
    let cut: Vec<(Vec<u8>, Vec<Option<u16>>)> = vec![
        (with(b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0"), closed_or_wrong()),
        (with(b"Content-Length: 5\r\n\r\n{"), closed_or_wrong()),
        (b"GET /v1/billing/service_usage/history".to_vec(), closed_or_wrong()),
    ];
    let cases = whole.into_iter().map(|case| (case, false)).chain(cut.into_iter().map(|case| (case, true)));
    for ((request, allowed), is_cut) in cases {
        let seen = status(service.http_port(), &request, is_cut)?;
        let shown = String::from_utf8_lossy(&request[..request.len().min(400)]).into_owned();
        assert!(allowed.contains(&seen), "{shown}: {seen:?}");
    }
    assert_eq!(service.client().get("/healthz")?.status, 200);
    assert_eq!(service.metric("meterhouse_http_requests_total", &[("status", "500")])?, 0);
    Ok(())
}

#[test]
fn limits_of_a_request_are_those_of_the_configuration() -> Result<()> {
    let mut site = Site::new("request_limits")?;
    site.set("http.max_head_bytes", 8192)?;
    site.set("http.max_body_bytes", 1024)?;
    site.set("http.head_timeout_ms", 300)?;
    site.set("http.body_timeout_ms", 300)?;
    let service = site.serve()?;
    let request = |headers: &str, body: &str| {
        let path = "/v1/billing/service_usage/history";
        format!("GET {path} HTTP/1.1\r\n{HEADERS}{headers}\r\n{body}").into_bytes()
    };
    let with_body =
        |sent: usize, stated: usize| request(&format!("Content-Length: {stated}\r\n"), &"1".repeat(sent));
    let long = |bytes: usize| request(&format!("X-Long: {}\r\n", "x".repeat(bytes)), "");
    let started = Instant::now();
    for (request, expected) in [
        (with_body(1024, 1024), Some(200)),
        (with_body(1025, 1025), Some(413)),
        (with_body(5, 6), Some(408)),
        (long(7000), Some(200)),
        (long(8192), Some(431)),
        (b"GET / HTTP/1.1\r\nHost: ".to_vec(), None),
    ] {
        let seen = status(service.http_port(), &request, false)?;
        assert_eq!(seen, expected, "{} bytes", request.len());
    }
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    Ok(())
}

#[test]
fn without_credentials_everybody_reads_everything_if_that_is_asked_for() -> Result<()> {
    let site = Site::new("insecure")?;
    std::fs::remove_file(site.dir().join("credentials.toml"))?;
    let mut closed = site.serve()?;
    assert_eq!(
        closed.client().ask_history(site.token(), "c", "")?.status,
        401,
        "a missing file lets nobody in"
    );
    closed.terminate()?;
    let mut open = site.start(&["serve", "--insecure-no-auth"], "open")?;
    open.wait_ready()?;
    assert_eq!(open.client().ask_history("", "anybody", "")?.status, 200);
    Ok(())
}
