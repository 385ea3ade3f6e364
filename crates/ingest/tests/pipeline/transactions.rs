//! Producers that write in transactions.

use std::time::Duration;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::running::{LIMITS, Running};
use crate::site::{Site, usage};

const TIMEOUT: Duration = Duration::from_secs(30);

fn write(producer: &BaseProducer, topic: &str, ids: std::ops::Range<u32>) {
    producer.begin_transaction().unwrap();
    for id in ids {
        let value = usage(id);
        let record = BaseRecord::<(), _>::to(topic).partition(0).payload(&value);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(TIMEOUT).unwrap();
}

#[test]
fn only_what_is_committed_counts_and_nothing_lags_behind_its_markers() {
    let site = Site::on_shared(1);
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait_until_ready();
    let producer: BaseProducer = site.client(&[("transactional.id", &site.name)]).create().unwrap();
    producer.init_transactions(TIMEOUT).unwrap();
    write(&producer, &site.name, 0..3);
    producer.commit_transaction(TIMEOUT).unwrap();
    write(&producer, &site.name, 3..5);
    producer.abort_transaction(TIMEOUT).unwrap();

    // The broker answers before it has written the marker.
    running.wait("five records and two markers", || site.log_end(0) == 7);
    running.wait("the offset behind the last record", || site.committed(0) == Some(3));
    running.wait("the end of the lag", || running.metric("meterhouse_lag_records") == 0.0);
    assert_eq!(running.metric("meterhouse_lag_seconds"), 0.0);
    assert_eq!(site.ledger_end(0), Some(3), "what has no record behind it is not accounted for yet");

    write(&producer, &site.name, 5..6);
    producer.commit_transaction(TIMEOUT).unwrap();
    running.wait("the record behind the holes", || site.committed(0) == Some(8));
    running.stop().unwrap();
    assert_eq!((site.events(), site.ledger_end(0)), (4, Some(8)));
    site.assert_is_conserved();
    let holes =
        "SELECT from_position, next_position, stored, holes FROM {}.ledger WHERE holes > 0 FORMAT CSV";
    assert_eq!(site.ask(holes), "3,8,1,4", "two markers and two aborted records");
}

#[test]
fn what_was_read_before_holes_is_known_again() {
    let site = Site::on_shared(1);
    let producer: BaseProducer = site.client(&[("transactional.id", &site.name)]).create().unwrap();
    producer.init_transactions(TIMEOUT).unwrap();
    write(&producer, &site.name, 0..3);
    producer.commit_transaction(TIMEOUT).unwrap();
    write(&producer, &site.name, 3..5);
    producer.abort_transaction(TIMEOUT).unwrap();
    for round in 0..3 {
        let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
        running.wait_until_ready();
        write(&producer, &site.name, 5 + round..6 + round);
        producer.commit_transaction(TIMEOUT).unwrap();
        running.wait("the next record", || site.events() == 4 + round);
        running.stop().unwrap();
        let records = "SELECT sum(stored) FROM {}.ledger FINAL";
        assert_eq!(site.ask(records), format!("{}", 4 + round), "each is read once");
    }
    assert_eq!(
        site.ledger_end(0),
        Some(12),
        "three records, a marker, two aborted, a marker, then one and one"
    );
    site.assert_is_conserved();
}
