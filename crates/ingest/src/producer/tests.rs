use rdkafka::ClientContext;
use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::*;

const TOPIC: &str = "t";

fn producer(cluster: &MockCluster<'_, impl ClientContext>, properties: &[(&str, &str)]) -> Producer {
    let properties = properties.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Producer::connect(&cluster.bootstrap_servers(), &properties.collect()).unwrap()
}

#[test]
fn what_is_flushed_is_acknowledged() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 2, 1).unwrap();
    let producer = producer(&cluster, &[("queue.buffering.max.messages", "10")]);
    for number in 0..1000 {
        producer.enqueue(TOPIC, format!("{number}").as_bytes(), Some(b"x")).unwrap();
    }
    producer.flush().unwrap();
    assert_eq!(producer.acknowledged(), 1000);
}

#[tokio::test]
async fn a_sent_record_is_where_it_is_said_to_be() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let producer = producer(&cluster, &[]);
    for offset in 0..3 {
        let written = producer.send(TOPIC, b"k", None).await.unwrap();
        assert_eq!(written, Written { partition: 0, offset });
    }
    assert!(lock(&producer.inner.context().awaited).is_empty());
}

#[tokio::test]
async fn a_refused_record_is_an_error() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let producer = producer(&cluster, &[]);
    let too_large = vec![b'x'; 2_000_000];
    let error = producer.send(TOPIC, b"k", Some(&too_large)).await.unwrap_err();
    assert!(matches!(error, ProducerError::TooLarge { .. }), "{error}");
    producer.enqueue(TOPIC, b"k", Some(&too_large)).unwrap_err();
}

#[test]
fn a_failed_delivery_is_seen_at_the_flush_and_after_it() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let producer = producer(&cluster, &[]);
    let refusal = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED];
    cluster.request_errors(RDKafkaApiKey::Produce, &refusal);
    producer.enqueue(TOPIC, b"k", Some(b"x")).unwrap();
    let error = producer.flush().unwrap_err();
    assert!(matches!(error, ProducerError::Delivery { records: 1, .. }), "{error}");
    assert_eq!(producer.acknowledged(), 0);
    producer.enqueue(TOPIC, b"k", Some(b"x")).unwrap_err();
}

#[test]
fn fixed_properties_are_not_overridden_and_wrong_ones_refused() {
    let cluster = MockCluster::new(1).unwrap();
    let ours = producer(&cluster, &[("acks", "0"), ("linger.ms", "1")]);
    assert_eq!(ours.config.get("acks"), Some("all"));
    assert_eq!(ours.config.get("linger.ms"), Some("1"));
    let wrong = BTreeMap::from([("no.such.property".to_owned(), String::new())]);
    let error = Producer::connect(&cluster.bootstrap_servers(), &wrong).err();
    assert!(matches!(error, Some(ProducerError::Configuration(_))));
}
