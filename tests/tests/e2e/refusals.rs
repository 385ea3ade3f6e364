//! What cannot be read any more: nothing is skipped without a word.

use anyhow::Result;
use meterhouse_tests::check::history_lines;
use meterhouse_tests::{Message, Site, Usage, shared, wait};

fn usage(option: &str) -> Message {
    Usage::default().with("OptionCode", option).message()
}

#[test]
fn records_that_are_gone_stop_their_partition_loudly_and_no_other() -> Result<()> {
    let site = Site::new("cut_off")?;
    let publisher = site.publisher()?;
    publisher.publish([&usage("cpu").to(0), &usage("cpu").to(1)])?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    service.terminate()?;

    // While it is away, retention takes records that it has not read.
    publisher.publish(&vec![usage("cpu").to(0); 10])?;
    let file = site.dir().join("delete.json");
    let before = r#"{"version":1,"partitions":[{"topic":"cut_off","partition":0,"offset":6}]}"#;
    std::fs::write(&file, before)?;
    let file = file.to_string_lossy().into_owned();
    shared().kafka().tool("org.apache.kafka.tools.DeleteRecordsCommand", &["--offset-json-file", &file])?;

    service.start_again()?;
    service.wait_fault("partitions", "cut_off/0 stopped")?;
    publisher.publish([&usage("cpu").to(1)])?;
    let counted = || history_lines(&site, &service.client(), "c");
    wait::until_is("the other partition to go on", counted, |lines| lines == &["10.2026 cpu 3.0"])?;
    assert_eq!(site.committed()?[..2], [1, 2], "nothing is skipped");
    let stopped = || service.metric("meterhouse_partitions", &[("state", "stopped")]);
    wait::until_is("the metric to tell", stopped, |stopped| *stopped == 1)?;
    let status = service.terminate()?;
    assert_eq!(status.code(), Some(0), "{}", service.log_tail());
    Ok(())
}
