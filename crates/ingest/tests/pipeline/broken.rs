//! Logs that cannot be read on.

use crate::running::{LIMITS, Running};
use crate::site::Site;

#[test]
fn a_partition_without_the_committed_offset_stops_and_the_others_go_on() {
    let site = Site::on_shared(2);
    site.publish(0, 0..10);
    site.publish(1, 10..20);
    site.commit(0, 1000);
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait_for_words("partitions", "/0 stopped:");
    running.wait("the other partition", || site.committed(1) == Some(10));
    assert_eq!(site.events(), 10);

    // It is as loud after the next assignment: here to the same process, since it is the only one.
    let other = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait("another member", || running.metric("meterhouse_rebalances_total") >= 3.0);
    other.stop().unwrap();
    running.wait("a partition that comes back", || running.metric("meterhouse_rebalances_total") >= 5.0);
    running.wait_for_words("partitions", "/0 stopped:");
    site.publish(1, 20..30);
    running.wait("the other partition", || site.committed(1) == Some(20));
    running.stop().unwrap();
    assert_eq!((site.events(), site.committed(0)), (20, Some(1000)), "nothing moves its offset");
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
    crate::site::shared().kafka().tool(topics, &arguments).unwrap();
    site.publish(1, 5..10);
    running.wait("both partitions", || (0..2).all(|partition| site.committed(partition) == Some(5)));
    running.stop().unwrap();
    assert_eq!(site.events(), 10);
}
