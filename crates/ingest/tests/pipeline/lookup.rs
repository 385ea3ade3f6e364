//! Single records, read again.

use meterhouse_ingest::RecordLookup;

use crate::site::{Site, usage};

#[test]
fn a_record_is_found_at_its_offset_and_at_no_other() {
    let site = Site::on_shared(2);
    site.publish(1, 0..5);
    let mut lookup = RecordLookup::new(&site.kafka_config(&[]));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut find = |partition, offset| runtime.block_on(lookup.find(partition, offset));
    for id in [4_u32, 0, 2] {
        let found = find(1, id.into()).unwrap().unwrap();
        assert_eq!((found.partition, found.offset), (1, i64::from(id)));
        assert_eq!(found.value.as_deref(), Some(usage(id).as_bytes()));
        assert!(found.timestamp_ms.is_some());
    }
    assert_eq!(find(1, 5).unwrap(), None);
    assert_eq!(find(0, 0).unwrap(), None);
    assert_eq!(find(1, -1).unwrap(), None);
}
