//! ClickHouse fails while records keep coming.

use meterhouse_ingest::{BatchLimits, Error};
use meterhouse_localstack::{ClickHouse, ClickHouseOptions};

use crate::running::{LIMITS, Running};
use crate::site::{Site, shared};

/// Room for one batch.
const NARROW: BatchLimits = BatchLimits { rows: 10, inflight_bytes: 4096, ..LIMITS };

#[test]
fn a_long_outage_costs_no_partition() {
    let clickhouse = ClickHouse::launch(ClickHouseOptions::default()).unwrap();
    let site = Site::new(shared().kafka(), &clickhouse, 1);
    // As short as the session: a reader that does not poll would be out of the group soon.
    let kafka = site.kafka_config(&[("max.poll.interval.ms", "6000")]);
    let running = Running::start(kafka, NARROW, site.store());
    running.wait_until_ready();
    clickhouse.pause().unwrap();
    site.publish(0, 0..500);
    running.wait_for_words("ingest", "insert into usage_events fails");
    // Each takes as long as the interval.
    running.wait("attempts", || running.metric("meterhouse_retries_total") >= 2.0);
    assert_eq!(running.check("partitions"), Some(Ok(())));
    assert!(running.metric("meterhouse_inflight_bytes") >= 4096.0, "the pipeline is full");
    clickhouse.resume().unwrap();
    running.wait("rows", || running.metric("meterhouse_records_total") >= 500.0);
    assert_eq!(running.check("ingest"), Some(Ok(())));
    assert_eq!(running.metric("meterhouse_rebalances_total"), 1.0, "the first assignment and no other");
    running.stop().unwrap();
    assert_eq!((site.events(), site.committed(0)), (500, Some(500)));
}

#[test]
fn what_clickhouse_refuses_for_good_is_the_end_and_its_words_are_kept() {
    let site = Site::on_shared(1);
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait_until_ready();
    site.ask("DROP TABLE {}.usage_events");
    site.publish(0, 0..1);
    let error = running.ended().unwrap_err();
    assert!(matches!(&error, Error::Store(_)) && error.to_string().contains("UNKNOWN_TABLE"), "{error}");
    assert_eq!((site.committed(0), site.ledger_end(0)), (None, Some(0)), "a beginning and no more");
}

#[test]
fn two_processes_share_a_topic_and_one_takes_over() {
    let site = Site::on_shared(3);
    let first = Running::start(site.kafka_config(&[]), NARROW, site.store());
    first.wait_until_ready();
    for (partition, id) in [(0, 0), (1, 200), (2, 400)] {
        site.publish(partition, id..id + 100);
    }
    // It joins in the middle of the work.
    let second = Running::start(site.kafka_config(&[]), NARROW, site.store());
    second.wait_until_ready();
    first.wait_until_ready();
    for (partition, id) in [(0, 100), (1, 300), (2, 500)] {
        site.publish(partition, id..id + 100);
    }
    first.stop().unwrap();
    let is_all_committed = || (0..3).all(|partition| site.committed(partition) == Some(200));
    second.wait("all offsets", is_all_committed);
    second.stop().unwrap();
    assert_eq!(site.events(), 600, "none is missing, and none counts twice, whoever stored it");
    assert_eq!([0, 1, 2].map(|partition| site.ledger_end(partition)), [Some(200); 3]);
    site.assert_is_conserved();
}
