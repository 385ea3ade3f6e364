//! Logs that are not the ones that the ledger accounts for: nothing is skipped without a word.

use anyhow::Result;
use meterhouse_tests::audit;
use meterhouse_tests::check::history_lines;
use meterhouse_tests::{Message, Service, Site, Usage, shared, topic, wait};
use serde_json::Value;

/// Records that all count, since each is another one.
fn usages(partition: i32, count: usize) -> Vec<Message> {
    vec![Usage::default().message().to(partition); count]
}

/// Waits until the customer's only line is this sum.
fn wait_sum(site: &Site, service: &Service, sum: usize) -> Result<()> {
    let line = format!("10.2026 cpu {sum}.0");
    let lines = || history_lines(site, &service.client(), "c");
    wait::until_is(&line, lines, |lines| *lines == [line.as_str()]).map(|_| ())
}

fn accept(site: &Site, arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let output = site.run(&[&["ledger", "accept"], arguments].concat())?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.code(), String::from_utf8_lossy(&text).into_owned()))
}

/// The ledger as `ledger show --json` prints it.
fn shown(site: &Site) -> Result<Value> {
    let output = site.run(&["ledger", "show", "--json"])?;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[test]
fn a_recreated_topic_stops_what_was_read_of_it_until_it_is_accepted() -> Result<()> {
    let site = Site::new("recreated")?;
    let publisher = site.publisher()?;
    publisher.publish(&[usages(0, 10), usages(1, 5), usages(2, 5)].concat())?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    service.terminate()?;

    topic::recreate(shared().kafka(), "recreated", 4)?;
    // Shorter than before, as long, grown past it, and one of which nothing was read.
    let publisher = site.publisher()?;
    publisher.publish(&[usages(0, 3), usages(1, 5), usages(2, 9), usages(3, 4)].concat())?;
    service.start_again()?;
    service.wait_fault("partitions", "recreated/0 stopped: the log ends at offset 3")?;
    service.wait_fault("partitions", "recreated/1 stopped: the log holds another record at offset 4")?;
    service.wait_fault("partitions", "recreated/2 stopped: the log holds another record at offset 4")?;
    wait_sum(&site, &service, 20 + 4)?;
    let stopped = || service.metric("meterhouse_partitions", &[("state", "stopped")]);
    wait::until_is("the metric to tell", stopped, |stopped| *stopped == 3)?;

    for (partition, sum) in [("0", 24 + 3), ("1", 27 + 5), ("2", 32 + 9)] {
        let arguments = ["--partition", partition, "--at", "beginning", "--note", "recreated by a test"];
        let (code, text) = accept(&site, &arguments)?;
        assert_eq!(code, Some(4), "{text}");
        assert!(text.contains("no offset is skipped") && text.contains("nothing is written"), "{text}");
        let (code, text) = accept(&site, &[&arguments[..], &["--yes"]].concat())?;
        assert_eq!(code, Some(0), "{text}");
        wait_sum(&site, &service, sum)?;
    }
    service.wait_ready()?;
    let ledger = shown(&site)?;
    let of = |partition: usize, key: &str| ledger["partitions"][partition][key].clone();
    for (partition, (epoch, end)) in [(1, 3), (1, 5), (1, 9), (0, 4)].into_iter().enumerate() {
        assert_eq!((of(partition, "epoch"), of(partition, "end")), (epoch.into(), end.into()), "{ledger}");
        assert_eq!(of(partition, "gaps"), serde_json::json!([]), "{ledger}");
    }
    assert!(of(2, "note").as_str().is_some_and(|note| note.contains("@") && note.ends_with("by a test")));
    assert_eq!(service.terminate()?.code(), Some(0), "{}", service.log_tail());
    audit::verify(&site)
}

#[test]
fn records_that_are_gone_unread_stop_their_partition_loudly_and_no_other() -> Result<()> {
    let site = Site::new("cut_off")?;
    let publisher = site.publisher()?;
    publisher.publish(&[usages(0, 1), usages(1, 1)].concat())?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    service.terminate()?;

    // While it is away, retention takes records that it has not read.
    publisher.publish(&usages(0, 10))?;
    topic::cut(shared().kafka(), "cut_off", 0, 6)?;
    service.start_again()?;
    service.wait_fault(
        "partitions",
        "cut_off/0 stopped: the log starts at offset 6, after the ledger's end 1",
    )?;
    publisher.publish(&usages(1, 1))?;
    wait_sum(&site, &service, 3)?;
    let committed = || site.committed();
    wait::until_is("the offset of the other one alone", committed, |offsets| offsets[..2] == [1, 2])?;

    let (code, text) = accept(&site, &["--partition", "0", "--at", "beginning", "--yes"])?;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("5 offsets are skipped, from 1 on; the log holds 0 of them"), "{text}");
    wait_sum(&site, &service, 8)?;
    service.wait_ready()?;
    assert_eq!(service.terminate()?.code(), Some(0), "{}", service.log_tail());
    audit::verify(&site)
}

#[test]
fn retention_up_to_the_line_takes_nothing_that_matters() -> Result<()> {
    let site = Site::new("retained")?;
    let publisher = site.publisher()?;
    publisher.publish(&[usages(0, 5), usages(1, 5)].concat())?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    service.terminate()?;
    topic::cut(shared().kafka(), "retained", 0, 5)?;
    topic::cut(shared().kafka(), "retained", 1, 4)?;
    service.start_again()?;
    service.wait_ready()?;
    assert_eq!(service.metric("meterhouse_fingerprints_gone_total", &[])?, 1);
    publisher.publish(&[usages(0, 2), usages(1, 2)].concat())?;
    wait_sum(&site, &service, 14)?;
    site.wait_consumed()?;
    assert_eq!(service.metric("meterhouse_records_total", &[])?, 4);
    Ok(())
}

#[test]
fn a_position_that_makes_no_sense_is_not_accepted() -> Result<()> {
    let mut site = Site::new("not_accepted")?;
    site.publisher()?.publish(&usages(0, 5))?;
    let service = site.serve()?;
    site.wait_consumed()?;
    drop(service);
    for (arguments, code, words) in [
        (["--partition", "0", "--at", "6"], 4, "holds offsets 0 up to 5"),
        (["--partition", "4", "--at", "end"], 2, "has 4 partitions"),
        (["--partition", "0", "--at", "middle"], 2, "beginning"),
        (["--partition", "-1", "--at", "end"], 2, "--partition"),
    ] {
        let (found, text) = accept(&site, &[&arguments[..], &["--yes"]].concat())?;
        assert_eq!((found, text.contains(words)), (Some(code), true), "{arguments:?}: {text}");
    }
    assert_eq!(site.count("SELECT max(epoch) FROM ledger")?, 0, "nothing is written");

    let nobody = meterhouse_localstack::Port::free()?;
    site.set("kafka.brokers", format!("127.0.0.1:{}", nobody.number()))?;
    let (code, text) = accept(&site, &["--partition", "0", "--at", "end", "--yes"])?;
    assert_eq!(code, Some(3), "{text}");
    let ledger = shown(&site)?;
    assert_eq!(
        (&ledger["partitions"][0]["end"], &ledger["partitions"][0]["log_end"]),
        (&5.into(), &Value::Null)
    );
    assert!(ledger["kafka"].is_string(), "{ledger}");
    site.set("clickhouse.url", format!("http://127.0.0.1:{}", nobody.number()))?;
    for command in [&["show"][..], &["accept", "--partition", "0", "--at", "end"]] {
        let output = site.run(&[&["ledger"], command].concat())?;
        assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Nothing was read since the accepted position, so there is no record to be known again.
#[test]
fn a_topic_recreated_before_its_first_record_is_read_is_not_taken_for_the_same() -> Result<()> {
    let site = Site::new("recreated_unread")?;
    site.publisher()?.publish(&usages(0, 5))?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    service.terminate()?;
    let (code, text) = accept(&site, &["--partition", "0", "--at", "end", "--yes"])?;
    assert_eq!(code, Some(0), "{text}");

    topic::recreate(shared().kafka(), "recreated_unread", 4)?;
    site.publisher()?.publish(&[usages(0, 8), usages(1, 2)].concat())?;
    service.start_again()?;
    service.wait_fault("partitions", "recreated_unread/0 stopped: the topic is another one")?;
    wait_sum(&site, &service, 5 + 2)?;
    let (code, text) = accept(&site, &["--partition", "0", "--at", "beginning", "--yes"])?;
    assert_eq!(code, Some(0), "{text}");
    wait_sum(&site, &service, 5 + 8 + 2)?;
    service.wait_ready()?;
    assert_eq!(service.terminate()?.code(), Some(0), "{}", service.log_tail());
    Ok(())
}

#[test]
fn a_topic_that_is_recreated_while_it_is_read_is_not_taken_for_the_same() -> Result<()> {
    let site = Site::new("recreated_live")?;
    let publisher = site.publisher()?;
    publisher.publish(&[usages(0, 10), usages(1, 10)].concat())?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    topic::recreate(shared().kafka(), "recreated_live", 4)?;
    // At once past the offset that the old log was read to, and below it.
    let publisher = site.publisher()?;
    publisher.publish(&[usages(0, 20), usages(1, 3), usages(2, 7)].concat())?;
    service.wait_fault("partitions", "recreated_live/0 stopped")?;
    service.wait_fault("partitions", "recreated_live/1 stopped")?;
    // Nothing of a log that nobody has accepted counts, though it was read at once.
    wait_sum(&site, &service, 20 + 7)?;
    for (partition, position) in [("0", "end"), ("1", "beginning")] {
        let (code, text) = accept(&site, &["--partition", partition, "--at", position, "--yes"])?;
        assert_eq!(code, Some(0), "{text}");
    }
    wait_sum(&site, &service, 20 + 3 + 7)?;
    service.wait_ready()?;
    assert_eq!(service.terminate()?.code(), Some(0), "{}", service.log_tail());
    let ends = "SELECT toString(groupArray(next)) FROM (SELECT partition, max(next_position) AS next FROM ledger \
                WHERE (partition, epoch) IN (SELECT partition, max(epoch) FROM ledger GROUP BY partition) \
                GROUP BY partition ORDER BY partition) FORMAT TSVRaw";
    assert_eq!(site.query(ends)?.trim(), "[20,3,7,0]");
    audit::verify(&site)
}
