//! The ledger says where reading goes on, and is written behind the rows.

use meterhouse_ingest::Error;

use crate::running::{LIMITS, Running};
use crate::site::{Site, shared};

#[test]
fn committed_offsets_change_nothing_wherever_they_are() {
    let site = Site::on_shared(2);
    site.publish(0, 0..10);
    site.publish(1, 10..20);
    // Beyond the log, and in the middle of what nobody has read.
    site.commit(0, 1000);
    site.commit(1, 4);
    let first = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    first.wait("all records", || (0..2).all(|partition| site.committed(partition) == Some(10)));
    assert_eq!(first.metric("meterhouse_committed_offset_differences_total"), 2.0);
    first.wait("the metric", || first.metric("meterhouse_ledger_position") == 20.0);
    first.stop().unwrap();
    assert_eq!(site.events(), 20, "nothing is skipped");

    site.commit(0, 15);
    site.commit(1, 3);
    let second = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    second.wait("offsets as the ledger has them", || {
        (0..2).all(|partition| site.committed(partition) == Some(10))
    });
    site.publish(0, 20..25);
    site.publish(1, 25..30);
    second.wait("new records", || (0..2).all(|partition| site.committed(partition) == Some(15)));
    assert_eq!(second.metric("meterhouse_records_total"), 10.0, "nothing is read again");
    assert_eq!(second.metric("meterhouse_committed_offset_differences_total"), 2.0);
    second.stop().unwrap();
    assert_eq!(site.events(), 30);
    site.assert_is_conserved();
}

#[test]
fn a_beginning_is_on_record_before_the_first_record_is_read() {
    let site = Site::on_shared(2);
    site.publish(1, 0..3);
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait("records", || site.committed(1) == Some(3));
    running.stop().unwrap();
    let beginnings = "SELECT partition, epoch, next_position, resumed_at, last_record_offset, note != '' \
                      FROM {}.ledger WHERE from_position = next_position ORDER BY partition FORMAT CSV";
    assert_eq!(site.ask(beginnings), "0,0,0,0,-1,1\n1,0,0,0,-1,1");
    assert_eq!((site.ledger_end(0), site.ledger_end(1)), (Some(0), Some(3)));
}

#[test]
fn partitions_that_are_added_are_read_from_their_beginning() {
    let site = Site::on_shared(1);
    let properties = [("topic.metadata.refresh.interval.ms", "200")];
    let running = Running::start(site.kafka_config(&properties), LIMITS, site.store());
    running.wait_until_ready();
    site.publish(0, 0..5);
    let topics = "org.apache.kafka.tools.TopicCommand";
    let arguments = ["--alter", "--topic", &site.name, "--partitions", "2"];
    shared().kafka().tool(topics, &arguments).unwrap();
    site.publish(1, 5..10);
    running.wait("both partitions", || (0..2).all(|partition| site.committed(partition) == Some(5)));
    running.stop().unwrap();
    assert_eq!((site.events(), site.ledger_end(0), site.ledger_end(1)), (10, Some(5), Some(5)));
    site.assert_is_conserved();
}

#[test]
fn a_batch_is_only_accounted_for_once_it_is_stored() {
    let site = Site::on_shared(1);
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait_until_ready();
    // Refused for a reason that may pass.
    site.ask("ALTER TABLE {}.ledger ADD CONSTRAINT held CHECK throwIf(stored > 0) = 0");
    site.publish(0, 0..10);
    running.wait_for_words("ingest", "insert into ledger fails");
    assert_eq!((site.events(), site.ledger_end(0), site.committed(0)), (10, Some(0), None));
    site.ask("ALTER TABLE {}.ledger DROP CONSTRAINT held");
    running.wait("the offset", || site.committed(0) == Some(10));
    running.stop().unwrap();
    assert_eq!((site.events(), site.ledger_end(0)), (10, Some(10)));
}

#[test]
fn a_compacted_topic_is_refused() {
    for policy in ["compact", "compact,delete"] {
        let (kafka, clickhouse) = (shared().kafka(), shared().clickhouse());
        let site = Site::with_topic(kafka, clickhouse, 1, &[("cleanup.policy", policy)]);
        let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
        let error = running.ended().unwrap_err();
        assert!(matches!(error, Error::Compacted { .. }), "{error}");
        for word in [site.name.as_str(), "cleanup.policy=", "compact", "last record of each key"] {
            assert!(error.to_string().contains(word), "{error}");
        }
        assert_eq!(site.ledger_end(0), None, "nothing has begun");
    }
}
