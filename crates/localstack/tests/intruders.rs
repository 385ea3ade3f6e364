//! Clients that misbehave do not end ClickHouse.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use meterhouse_localstack::{ClickHouse, ClickHouseOptions};

/// The first packet of the native protocol: numbers and lengths below 128 are one byte each.
fn hello(user: &str, password: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap_or(0)], text.as_bytes()].concat();
    let version = [1, 1];
    let revision = [0xA0, 0xA9, 0x03]; // 54432, seven bits a byte
    let head = [&[0], text("test").as_slice(), &version, &revision].concat();
    [head, text("default"), text(user), text(password)].concat()
}

/// Sends the bytes and returns the first ones of the answer.
fn send(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut answer = vec![0; 512];
    let read = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(bytes)?;
        stream.read(&mut answer)
    });
    answer.truncate(read.unwrap_or(0));
    answer
}

#[test]
fn clickhouse_survives_bad_clients() {
    const HELLO: u8 = 0;
    const EXCEPTION: u8 = 2;
    let server = ClickHouse::launch(ClickHouseOptions::default()).unwrap();
    let pid = server.pid().unwrap();
    let (http, tcp) = (server.http_port(), server.tcp_port());
    let alive = |case: &str| {
        assert_eq!(server.query("SELECT 1").unwrap(), "1\n", "{case}");
        assert_eq!(server.pid().unwrap(), pid, "{case}");
    };

    assert_eq!(send(tcp, &hello("meterhouse", "local")).first(), Some(&HELLO));
    for _ in 0..3 {
        assert_eq!(send(tcp, &hello("meterhouse", "wrong")).first(), Some(&EXCEPTION));
        assert_eq!(send(tcp, &hello("nobody", "")).first(), Some(&EXCEPTION));
        alive("a wrong password");
    }
    // The same bytes at every run: a linear congruential generator.
    let mut state = 1u32;
    for length in [1, 7, 100, 5000] {
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .take(length)
        .collect();
        send(tcp, &noise);
        send(http, &noise);
        alive("random bytes");
    }
    send(tcp, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    alive("a TLS hello");
    send(http, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nSELECT");
    alive("half a body");
    send(http, b"GET /?user=meterhouse&password=wrong&query=SELECT+1 HTTP/1.1\r\nHost: x\r\n\r\n");
    alive("a wrong password over HTTP");
    assert!(server.query("SELECT throwIf(1)").is_err());
    alive("a failing query");
}
