//! Answers that a healthy server does not give: none of them passes for success.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use meterhouse_store::{ClickHouseConfig, ErrorClass, Store};

use crate::database::{Database, NEVER, shared, store};
use crate::sample::{at, event, sealed};

/// A store whose server gives one answer to everything.
fn answering(answer: &[u8]) -> Store {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = answer.to_vec();
    // Ends with the test program.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = give(stream, &answer);
        }
    });
    store(&ClickHouseConfig { url, ..Database::named(shared()).config() })
}

/// Reads one request to its end, which is all that a connection is for.
fn give(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !is_whole(&request) {
        match stream.read(&mut buffer)? {
            0 => break,
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
    stream.write_all(answer)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    match head.split_once("content-length: ") {
        Some((_, length)) => {
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            request.len() >= head.len() + 4 + length
        }
        None => text.ends_with("\r\n0\r\n\r\n"),
    }
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Class and code of the errors of an insert and of a read.
async fn errors(answer: &[u8]) -> [(ErrorClass, Option<u32>); 2] {
    let store = answering(answer);
    let batch = sealed(&[event("s", "e", at("2026-10-03T18:00:00Z"), "1")]);
    let errors =
        [store.insert(&batch).await.unwrap_err(), store.usage_by_month("c", &[], NEVER).await.unwrap_err()];
    errors.map(|error| (error.class(), error.code()))
}

#[tokio::test]
async fn an_exception_in_an_answer_that_began_well() {
    let retryable = [(ErrorClass::Retryable, Some(241)); 2];
    let text = b"Code: 241. DB::Exception: Memory limit (total) exceeded. (MEMORY_LIMIT_EXCEEDED)\n";
    let told = answer("200 OK", "X-ClickHouse-Exception-Code: 241\r\n", text);
    assert_eq!(errors(&told).await, retryable);

    let tag = "abcdefghijklmnop";
    let message = format!("{}{} {tag}", String::from_utf8_lossy(text), text.len());
    let body = format!("\r\n__exception__\r\n{tag}\r\n{message}\r\n__exception__\r\n");
    let tagged = answer("200 OK", &format!("X-ClickHouse-Exception-Tag: {tag}\r\n"), body.as_bytes());
    assert_eq!(errors(&tagged).await, retryable);
}

#[tokio::test]
async fn a_code_counts_even_where_its_text_cannot_be_read() {
    // The server quotes what it refuses, which need not be UTF-8.
    let header = "X-ClickHouse-Exception-Code: 469\r\n";
    for body in [b"Code: 469. DB::Exception: row \xff\xfe".as_slice(), b""] {
        let refused = answer("500 Internal Server Error", header, body);
        assert_eq!(errors(&refused).await, [(ErrorClass::Poisonous, Some(469)); 2]);
    }
}

#[tokio::test]
async fn what_stands_between_us_and_the_server_is_worth_waiting_for() {
    for status in ["502 Bad Gateway", "503 Service Unavailable", "404 Not Found", "301 Moved Permanently"] {
        for body in [b"<html>Code</html>".as_slice(), b""] {
            assert_eq!(
                errors(&answer(status, "", body)).await,
                [(ErrorClass::Retryable, None); 2],
                "{status}"
            );
        }
    }
    assert_eq!(errors(b"").await, [(ErrorClass::Retryable, None); 2], "no answer at all");
}

#[tokio::test]
async fn an_answer_without_its_end_is_none() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc";
    assert_eq!(errors(cut).await, [(ErrorClass::Retryable, None); 2]);
}

#[tokio::test]
async fn an_answer_without_all_of_its_rows_is_no_sum() {
    let summary = |rows: u64| format!("X-ClickHouse-Summary: {{\"result_rows\":\"{rows}\"}}\r\n");
    for (headers, body) in [
        (String::new(), b"".as_slice()),
        (summary(1), b""),
        (summary(0), b"<html>Welcome</html>"),
        (summary(0), b"\x01\x01\x04date\x06Date32\0\0\0"),
    ] {
        let cut = answer("200 OK", &headers, body);
        let error = answering(&cut).usage_by_month("c", &[], NEVER).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Retryable, "{error}");
    }
    let empty = answer("200 OK", &summary(0), b"");
    assert_eq!(answering(&empty).usage_by_month("c", &[], NEVER).await.unwrap(), []);
}
