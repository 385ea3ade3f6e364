//! Servers that are killed or stopped and started again keep their data and their ports.

use meterhouse_localstack::{Error, Kafka, Stack, StackOptions};

const PRODUCER: &str = "org.apache.kafka.tools.ConsoleProducer";
const CONSUMER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";

fn read_two(kafka: &Kafka) -> Result<String, Error> {
    let arguments = ["--topic", "kept", "--from-beginning", "--max-messages", "2", "--timeout-ms", "30000"];
    kafka.tool(CONSUMER, &arguments)
}

#[test]
fn servers_keep_what_they_acknowledged() {
    let stack = Stack::start(StackOptions::default()).unwrap();
    let (kafka, clickhouse) = (stack.kafka(), stack.clickhouse());
    kafka.create_topic_with("kept", 1, &[("retention.ms", "-1")]).unwrap();
    kafka.tool_with_input(PRODUCER, &["--topic", "kept"], b"one\ntwo\n").unwrap();
    clickhouse.query("CREATE DATABASE d").unwrap();
    clickhouse.query("CREATE TABLE d.t (n UInt64) ENGINE = MergeTree ORDER BY n").unwrap();
    clickhouse.query("INSERT INTO d.t SELECT number FROM numbers(1000)").unwrap();

    let addresses = (kafka.bootstrap(), clickhouse.http_url(), clickhouse.tcp_port());
    let mut pids = vec![(kafka.pid().unwrap(), clickhouse.pid().unwrap())];
    for clean in [false, true] {
        if clean {
            kafka.stop().unwrap();
            clickhouse.stop().unwrap();
            assert_eq!(clickhouse.last_status(), "exit status: 0");
        } else {
            kafka.kill().unwrap();
            clickhouse.kill().unwrap();
            assert_eq!(clickhouse.last_status(), "signal: 9 (SIGKILL)");
        }
        assert!(matches!(kafka.pid(), Err(Error::NotRunning("kafka"))));
        assert!(matches!(clickhouse.kill(), Err(Error::NotRunning("clickhouse"))));
        assert!(clickhouse.query("SELECT 1").is_err());
        clickhouse.stop().unwrap(); // stopping what does not run is no error

        kafka.start().unwrap();
        clickhouse.start().unwrap();
        clickhouse.start().unwrap(); // starting what runs is none either
        assert_eq!((kafka.bootstrap(), clickhouse.http_url(), clickhouse.tcp_port()), addresses);
        pids.push((kafka.pid().unwrap(), clickhouse.pid().unwrap()));
        assert_eq!(read_two(kafka).unwrap(), "one\ntwo\n");
        assert_eq!(clickhouse.query("SELECT count(), sum(n) FROM d.t").unwrap(), "1000\t499500\n");
    }
    pids.dedup();
    assert_eq!(pids.len(), 3, "every start is a new process");
}

#[test]
fn a_missing_topic_does_not_appear_by_itself() {
    let kafka = Kafka::launch(meterhouse_localstack::KafkaOptions::default()).unwrap();
    kafka.create_topic("there", 3).unwrap();
    let list = kafka.tool("org.apache.kafka.tools.TopicCommand", &["--list"]).unwrap();
    assert_eq!(list, "there\n");
    let again = kafka.create_topic("there", 3).unwrap_err().to_string();
    assert!(again.contains("create topic there") && again.contains("already exists"), "{again}");
    let describe = ["--describe", "--topic", "missing"];
    let error = kafka.tool("org.apache.kafka.tools.TopicCommand", &describe).unwrap_err().to_string();
    assert!(error.contains("missing"), "{error}");
}
