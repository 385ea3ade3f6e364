//! Logs that are not the one that the ledger accounts for.

use meterhouse_store::{LastRecord, LedgerRow};

use crate::running::{LIMITS, Running};
use crate::site::{Site, usage};

/// A new beginning, as an operator accepts it.
fn accept(site: &Site<'_>, partition: i32, position: i64) {
    site.write_ledger(&LedgerRow::opening(partition, 1, position, 0, "somebody: a test"));
}

#[test]
fn a_log_that_ends_before_the_line_stops_its_partition_and_no_other() {
    let site = Site::on_shared(2);
    site.publish(0, 0..10);
    site.publish(1, 10..20);
    site.commit(0, 7);
    site.write_range(0, 0, 1000, None);
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running
        .wait_for_words("partitions", "/0 stopped: the log ends at offset 10, before the ledger's end 1000");
    running.wait("the other partition", || site.committed(1) == Some(10));
    assert_eq!(running.metric("meterhouse_partitions"), 3.0, "two are assigned, one of them is stopped");
    assert_eq!(site.events(), 10);

    // It is as loud after the next assignment: here to the same process, since it is the only one.
    let other = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait("another member", || running.metric("meterhouse_rebalances_total") >= 3.0);
    other.stop().unwrap();
    running.wait("a partition that comes back", || running.metric("meterhouse_rebalances_total") >= 5.0);
    running.wait_for_words("partitions", "/0 stopped:");
    site.publish(1, 20..30);
    running.wait("the other partition", || site.committed(1) == Some(20));

    // It goes on without a restart once somebody has named a new beginning.
    accept(&site, 0, 0);
    running.wait("the accepted log", || site.committed(0) == Some(10));
    running.wait_until_ready();
    running.stop().unwrap();
    assert_eq!((site.events(), site.ledger_end(0), site.ledger_end(1)), (30, Some(10), Some(20)));
    site.assert_is_conserved();
}

#[test]
fn another_record_in_the_place_of_the_last_accounted_one_stops_its_partition() {
    let site = Site::on_shared(3);
    for partition in 0..3_u8 {
        let first = u32::from(partition) * 10;
        site.publish(partition.into(), first..first + 10);
    }
    let time = |offset: i64| LastRecord { timestamp_ms: 5, ..LastRecord::new(offset, None, None, None) };
    site.write_range(0, 0, 5, Some(time(4)));
    // As long as the log.
    site.write_range(1, 0, 10, Some(time(9)));
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait_for_words("partitions", "/0 stopped: the log holds another record at offset 4");
    running.wait_for_words("partitions", "/1 stopped: the log holds another record at offset 9");
    running.wait("the other partition", || site.committed(2) == Some(10));
    site.publish(1, 30..40);
    assert_eq!(site.events(), 10, "nothing behind it is stored");
    for partition in 0..2 {
        accept(&site, partition, 0);
    }
    running.wait("both logs", || (site.committed(0), site.committed(1)) == (Some(10), Some(20)));
    running.stop().unwrap();
    assert_eq!(site.events(), 40);
    site.assert_is_conserved();
}

#[test]
fn a_line_in_the_middle_of_the_same_log_is_gone_on_from() {
    let site = Site::on_shared(1);
    site.publish(0, 0..10);
    let time = site.time_of(0, 4);
    let value = usage(4);
    site.write_range(0, 0, 5, Some(LastRecord::new(4, Some(time), None, Some(value.as_bytes()))));
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait("the rest", || site.committed(0) == Some(10));
    assert_eq!(running.metric("meterhouse_records_total"), 5.0);
    running.stop().unwrap();
    assert_eq!(site.events(), 5, "the record at the line is compared, not stored");
}

#[test]
fn a_partition_heals_while_another_one_is_busy() {
    let site = Site::on_shared(2);
    site.write_range(0, 0, 1000, None);
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait_for_words("partitions", "/0 stopped:");
    site.publish(0, 0..10);
    let mut published = 10;
    accept(&site, 0, 0);
    running.wait("the accepted log", || {
        // Records under way when the partitions are taken again are read again.
        site.publish(1, published..published + 2000);
        published += 2000;
        site.committed(0) == Some(10)
    });
    let end = i64::from(published) - 10;
    running.wait("the other partition", || site.committed(1) == Some(end));
    assert_eq!(running.check("partitions"), Some(Ok(())));
    running.stop().unwrap();
    assert_eq!((site.events(), site.ledger_end(1)), (published, Some(end)));
    site.assert_is_conserved();
}

#[test]
fn partitions_that_are_taken_again_and_again_go_on_each_time() {
    const ROUNDS: u32 = 4;
    let site = Site::on_shared(4);
    site.write_range(0, 0, 1000, None);
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait_for_words("partitions", "/0 stopped:");
    for round in 0..ROUNDS {
        // Another beginning that is none: everything is taken again, and partition 0 stays stopped.
        let position = i64::from(2000 + round);
        site.write_ledger(&LedgerRow::opening(0, round + 1, position, 0, "a test"));
        running.wait_for_words("partitions", &format!("before the ledger's end {position}"));
        for partition in 1..4_u8 {
            let id = round * 10 + u32::from(partition);
            site.publish(partition.into(), id..id + 1);
        }
        let done = Some(i64::from(round) + 1);
        running.wait("the others", || (1..4).all(|partition| site.committed(partition) == done));
    }
    running.stop().unwrap();
    assert_eq!(site.events(), 3 * ROUNDS);
    site.assert_is_conserved();
}
