use std::time::Duration;

use super::*;

#[tokio::test]
async fn whoever_waits_for_a_connection_that_cannot_be_made_waits_for_one_attempt() {
    let config = KafkaConfig {
        brokers: "127.0.0.1:1".into(),
        topic: "t".into(),
        group_id: "g".into(),
        properties: BTreeMap::new(),
        session_timeout: Duration::from_secs(10),
        mirror_topic: None,
    };
    let producer = TopicProducer::new(&config);
    let send = |_| {
        let producer = producer.clone();
        tokio::spawn(async move { producer.send(b"k", b"v").await })
    };
    let waiting: Vec<_> = (0..5).map(send).collect();
    // An attempt takes ten seconds.
    let all = async {
        for sent in waiting {
            let error = sent.await.unwrap().unwrap_err();
            assert!(matches!(error, ProducerError::Unreachable { .. }), "{error}");
        }
    };
    tokio::time::timeout(Duration::from_secs(18), all).await.unwrap();
    let error = tokio::time::timeout(Duration::from_secs(1), producer.send(b"k", b"v")).await;
    assert!(error.is_err(), "the next one tries anew");
}
