//! Servers that are held answer nobody, and go on where they were.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use meterhouse_localstack::{Stack, StackOptions};

#[test]
fn held_servers_are_silent_and_go_on() {
    let stack = Stack::start(StackOptions::default()).unwrap();
    let (kafka, clickhouse) = (stack.kafka(), stack.clickhouse());
    let pids = (kafka.pid().unwrap(), clickhouse.pid().unwrap());
    kafka.pause().unwrap();
    clickhouse.pause().unwrap();

    // The kernel still accepts the connection; no answer comes.
    let mut stream = TcpStream::connect(("127.0.0.1", clickhouse.http_port())).unwrap();
    stream.write_all(b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert!(stream.read(&mut [0; 1]).is_err());
    TcpStream::connect(("127.0.0.1", kafka.port())).unwrap();

    clickhouse.resume().unwrap();
    kafka.resume().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("Ok."), "{answer}");
    kafka.create_topic("after", 2).unwrap();
    assert_eq!((kafka.pid().unwrap(), clickhouse.pid().unwrap()), pids);

    // A held server can be killed, and can be stopped cleanly.
    kafka.pause().unwrap();
    kafka.kill().unwrap();
    clickhouse.pause().unwrap();
    clickhouse.stop().unwrap();
    assert_eq!(clickhouse.last_status(), "exit status: 0");
}
