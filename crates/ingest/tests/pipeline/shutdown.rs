//! SIGTERM at moments that are not convenient.

use meterhouse_localstack::{Kafka, KafkaOptions};
use rdkafka::mocking::MockCluster;

use crate::running::{LIMITS, Running};
use crate::site::{Site, kafka_config, shared, store};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

#[test]
fn no_broker_answers() {
    let running = Running::start(kafka_config("127.0.0.1:9", "t", &[]), LIMITS, store(NOWHERE, "none"));
    running.wait_for_words("partitions", "has not assigned partitions yet");
    running.stop().unwrap();
}

#[test]
fn the_ledger_cannot_be_read() {
    let site = Site::on_shared(1);
    let running = Running::start(site.kafka_config(&[]), LIMITS, store(NOWHERE, "none"));
    running.wait_for_words("partitions", "the ledger cannot be read");
    running.stop().unwrap();
}

#[test]
fn the_topic_cannot_be_described() {
    // It does not know how to answer.
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("t", 1, 1).unwrap();
    let kafka = kafka_config(&cluster.bootstrap_servers(), "t", &[]);
    let running = Running::start(kafka, LIMITS, store(NOWHERE, "none"));
    running.wait_for_words("partitions", "the topic's id cannot be read");
    running.stop().unwrap();
}

#[test]
fn the_broker_is_held_and_a_commit_is_under_way() {
    let kafka = Kafka::launch(KafkaOptions::default()).unwrap();
    let site = Site::new(&kafka, shared().clickhouse(), 1);
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait_until_ready();
    site.publish(0, 0..10);
    running.wait("rows", || running.metric("meterhouse_records_total") >= 10.0);
    kafka.pause().unwrap();
    running.stop().unwrap();
    kafka.resume().unwrap();
}
