//! Several stacks at once do not see each other.

use std::{net::TcpListener, thread};

use meterhouse_localstack::{ClickHouse, ClickHouseOptions, Error, Kafka, KafkaOptions, Stack, StackOptions};

#[test]
fn two_stacks_have_their_own_ports_and_data() {
    let (one, two) = thread::scope(|scope| {
        let one = scope.spawn(|| Stack::start(StackOptions::default()));
        let two = Stack::start(StackOptions::default()).unwrap();
        (one.join().unwrap().unwrap(), two)
    });
    one.kafka().create_topic("only-one", 1).unwrap();
    one.clickhouse().query("CREATE DATABASE only_one").unwrap();
    let count = "SELECT count() FROM system.databases WHERE name = 'only_one'";
    assert_eq!(one.clickhouse().query(count).unwrap(), "1\n");
    assert_eq!(two.clickhouse().query(count).unwrap(), "0\n");
    assert_eq!(two.kafka().tool("org.apache.kafka.tools.TopicCommand", &["--list"]).unwrap().trim(), "");
    drop(one);
    assert_eq!(two.clickhouse().query(count).unwrap(), "0\n");
    two.kafka().create_topic("still-there", 1).unwrap();
}

#[test]
fn a_start_that_cannot_succeed_says_why() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Kafka::launch(KafkaOptions { port, ..KafkaOptions::default() }).unwrap_err();
    assert!(matches!(error, Error::PortInUse(taken) if taken == port), "{error}");

    let properties = vec![("log.segment.bytes".to_owned(), "a lot".to_owned())];
    let error = Kafka::launch(KafkaOptions { properties, ..KafkaOptions::default() }).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Ended { server: "kafka", .. }), "{text}");
    assert!(text.contains("log.segment.bytes") && text.contains("a lot"), "{text}");

    let dir = meterhouse_localstack::local_dir().join(format!("run/broken-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let config_file = Some(dir.join("config.xml"));
    let options = ClickHouseOptions { config_file, ..ClickHouseOptions::default() };
    let text = ClickHouse::launch(options.clone()).unwrap_err().to_string();
    assert!(text.contains("no configuration file"), "{text}");
    std::fs::write(dir.join("config.xml"), "<clickhouse><users_config>").unwrap();
    let text = ClickHouse::launch(options).unwrap_err().to_string();
    assert!(text.contains("ended while starting") && text.contains("config.xml"), "{text}");
    std::fs::remove_dir_all(dir).unwrap();
}
