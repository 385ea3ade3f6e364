//! Records of unusual shapes, all the way.

use std::time::Duration;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::running::{LIMITS, Running};
use crate::site::{Site, usage};

const TIMEOUT: Duration = Duration::from_secs(30);

#[test]
fn quarantine_keeps_null_and_empty_keys_values_and_headers() {
    let site = Site::on_shared(1);
    let producer: BaseProducer = site.client(&[]).create().unwrap();
    let twice = OwnedHeaders::new()
        .insert(Header { key: "h", value: Some("first") })
        .insert(Header { key: "h", value: Some("second") })
        .insert(Header { key: "none", value: None::<&str> })
        .insert(Header { key: "", value: Some("") });
    let records = [
        BaseRecord::<[u8], [u8]>::to(&site.name).headers(twice),
        BaseRecord::to(&site.name).key(&b""[..]).payload(&b""[..]),
        BaseRecord::to(&site.name).key(&[0, 0xff][..]).payload(&[0xff, 0][..]),
    ];
    for record in records {
        producer.send(record.partition(0)).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(TIMEOUT).unwrap();
    let running = Running::start(site.kafka_config(&[]), LIMITS, site.store());
    running.wait("rejects", || site.committed(0) == Some(3));
    running.stop().unwrap();
    let rows = site.ask(
        "SELECT offset, reason, hex(record_key), hex(raw), headers FROM {}.rejects FINAL ORDER BY offset FORMAT TSV",
    );
    assert_eq!(
        rows,
        "0\tempty_record\t\t\t[('h','first'),('h','second'),('none',''),('','')]\n\
         1\tempty_record\t\t\t[]\n\
         2\tinvalid_utf8\t00FF\tFF00\t[]"
    );
}

#[test]
fn records_beyond_the_size_of_a_fetch_arrive_and_memory_stays_bounded() {
    let site = Site::on_shared(1);
    let producer: BaseProducer = site.client(&[]).create().unwrap();
    let not_json = "x".repeat(900_000);
    for number in 0..40 {
        let (value, small) = (&not_json, usage(number));
        for value in [value, &small] {
            let record = BaseRecord::<(), _>::to(&site.name).partition(0).payload(value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
    }
    producer.flush(TIMEOUT).unwrap();
    let properties = [("fetch.message.max.bytes", "1000"), ("fetch.max.bytes", "1000000")];
    let running = Running::start(site.kafka_config(&properties), LIMITS, site.store());
    let mut most = 0.0_f64;
    running.wait("all records", || {
        most = most.max(running.metric("meterhouse_inflight_bytes"));
        site.committed(0) == Some(80)
    });
    running.stop().unwrap();
    assert_eq!(site.events(), 40);
    assert_eq!(site.ask("SELECT count(), min(length(raw)) FROM {}.rejects FINAL FORMAT CSV"), "40,900000");
    // A chunk that was taken is judged as a whole: it may hold as much as librdkafka's queue.
    let room = LIMITS.inflight_bytes as f64 + 3.0 * 33_554_432.0;
    assert!(most <= room, "{most}");
}
