//! Servers that are killed, held and started again keep their data and their ports.

use meterhouse_localstack::{Error, Kafka, Stack, StackOptions};

const PRODUCER: &str = "org.apache.kafka.tools.ConsoleProducer";
const CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";

fn read_all(kafka: &Kafka, topic: &str) -> Result<String, Error> {
    let arguments = ["--topic", topic, "--from-beginning", "--max-messages", "2", "--timeout-ms", "30000"];
    kafka.tool(CONSUMER, &arguments)
}

#[test]
fn killed_servers_keep_what_they_acknowledged() {
    let stack = Stack::start(StackOptions::default()).unwrap();
    let (kafka, clickhouse) = (stack.kafka(), stack.clickhouse());
    kafka.create_topic("kept", 1).unwrap();
    kafka.tool_with_input(PRODUCER, &["--topic", "kept"], b"one\ntwo\n").unwrap();
    assert_eq!(read_all(kafka, "kept").unwrap(), "one\ntwo\n");
    clickhouse.query("CREATE DATABASE d").unwrap();
    clickhouse.query("CREATE TABLE d.t (n UInt64) ENGINE = MergeTree ORDER BY n").unwrap();
    clickhouse.query("INSERT INTO d.t SELECT number FROM numbers(1000)").unwrap();

    let (bootstrap, url) = (kafka.bootstrap(), clickhouse.http_url());
    let before = (kafka.pid().unwrap(), clickhouse.pid().unwrap());
    kafka.kill().unwrap();
    clickhouse.kill().unwrap();
    assert!(matches!(kafka.pid(), Err(Error::NotRunning("kafka"))));
    assert!(clickhouse.query("SELECT 1").is_err());

    kafka.start().unwrap();
    clickhouse.start().unwrap();
    assert_eq!((kafka.bootstrap(), clickhouse.http_url()), (bootstrap, url));
    assert_ne!((kafka.pid().unwrap(), clickhouse.pid().unwrap()), before);
    assert_eq!(read_all(kafka, "kept").unwrap(), "one\ntwo\n");
    assert_eq!(clickhouse.query("SELECT count(), sum(n) FROM d.t").unwrap(), "1000\t499500\n");
}
