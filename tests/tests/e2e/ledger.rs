//! The ledger is the truth for reading on, and every offset in it is accounted for once.

use anyhow::Result;
use meterhouse_tests::check::{all_is_as_expected, history_lines};
use meterhouse_tests::{Message, Site, Usage, shared, topic, wait};

/// Records that all count, since each is another one.
fn usages(partition: i32, count: usize) -> Vec<Message> {
    vec![Usage::default().message().to(partition); count]
}

/// Ranges that do not account for each of their offsets, or that do not touch one before: there is none.
const WRONG_RANGES: &str = "SELECT count() FROM (SELECT *, max(next_position) OVER (PARTITION BY partition, epoch \
    ORDER BY from_position, next_position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach, \
    row_number() OVER (PARTITION BY partition, epoch ORDER BY from_position, next_position) AS number FROM ledger FINAL) \
    WHERE stored + rejected + holes != next_position - from_position OR (number > 1 AND from_position > reach)";

#[test]
fn committed_offsets_ahead_or_behind_lose_nothing_and_repeat_nothing() -> Result<()> {
    let site = Site::new("moved_offsets")?;
    let publisher = site.publisher()?;
    publisher.publish(&[usages(0, 20), usages(1, 20)].concat())?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    service.terminate()?;
    site.query("SYSTEM STOP MERGES usage_events")?;
    publisher.publish(&[usages(0, 10), usages(1, 10)].concat())?;
    // One group's offsets are wound forward over what nobody has read, and back.
    topic::commit(shared().kafka(), &site.name, &site.name, 0, 30)?;
    topic::commit(shared().kafka(), &site.name, &site.name, 1, 3)?;
    service.start_again()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service.client())?;
    assert_eq!(site.count("SELECT count() FROM usage_events")?, 60, "each record was inserted once");
    assert_eq!(service.metric("meterhouse_records_total", &[])?, 20);
    assert_eq!(service.metric("meterhouse_committed_offset_differences_total", &[])?, 2);
    let position = || service.metric("meterhouse_ledger_position", &[("partition", "0")]);
    wait::until_is("the ledger's position", position, |position| *position == 30)?;
    assert_eq!(site.count(WRONG_RANGES)?, 0);
    Ok(())
}

#[test]
fn killed_between_the_rows_and_the_ledger_it_reads_them_again() -> Result<()> {
    let site = Site::new("killed_between")?;
    let publisher = site.publisher()?;
    let mut service = site.serve()?;
    site.query("SYSTEM STOP MERGES usage_events")?;
    publisher.publish(&usages(0, 5))?;
    site.wait_consumed()?;
    // The ledger is refused for a reason that may pass.
    site.query("ALTER TABLE ledger ADD CONSTRAINT held CHECK throwIf(stored > 0) = 0")?;
    publisher.publish(&usages(0, 10))?;
    service.wait_fault("ingest", "insert into ledger fails")?;
    assert_eq!(site.count("SELECT count() FROM usage_events")?, 15);
    assert_eq!(site.committed()?[0], 5);
    service.kill()?;
    site.query("ALTER TABLE ledger DROP CONSTRAINT held")?;
    service.start_again()?;
    service.wait_ready()?;
    all_is_as_expected(&site, &service.client())?;
    assert_eq!(service.metric("meterhouse_records_total", &[])?, 10, "they were read again");
    assert_eq!(site.count("SELECT count() FROM usage_events")?, 25, "and inserted again");
    assert_eq!(site.count(WRONG_RANGES)?, 0);
    Ok(())
}

#[test]
fn transactions_are_accounted_for_offset_by_offset() -> Result<()> {
    let mut site = Site::new("transacted")?;
    site.set("ingest.batch_rows", 7)?;
    site.set("ingest.batch_age_ms", 20)?;
    let publisher = site.transactional_publisher()?;
    let mut service = site.serve()?;
    let mut counted = 0;
    for round in 0..30 {
        let (is_committed, count) = (round % 3 != 1, round % 5 + 1);
        let broken = Message::new("S", "[").to(round % 2);
        let messages = [usages(round % 2, usize::try_from(count)?), vec![broken]].concat();
        publisher.transaction(&messages, is_committed)?;
        counted += if is_committed { usize::try_from(count)? } else { 0 };
        if round % 10 == 5 {
            service.kill()?;
            service.start_again()?;
        }
    }
    let line = format!("10.2026 cpu {counted}.0");
    let lines = || history_lines(&site, &service.client(), "c");
    wait::until_is(&line, lines, |lines| *lines == [line.as_str()])?;
    // The last record is a reject, which may be in a batch of its own.
    let rejects = site.expected()?.rejects;
    wait::until_is("the rejects", || site.stored_rejects(), |stored| *stored == rejects)?;
    service.terminate()?;
    assert_eq!(site.count(WRONG_RANGES)?, 0);
    let ends = "SELECT toString(groupArray(next)) FROM (SELECT partition, max(next_position) AS next FROM ledger \
                GROUP BY partition ORDER BY partition) FORMAT TSVRaw";
    let mut last = [0; 4];
    for record in site.log()? {
        let place = usize::try_from(record.partition)?;
        last[place] = last[place].max(record.offset + 1);
    }
    assert_eq!(site.query(ends)?.trim(), format!("{last:?}").replace(' ', ""), "up to the last record");
    assert!(site.count("SELECT sum(holes) FROM ledger FINAL")? > 20, "markers and aborted records");
    Ok(())
}

#[test]
fn partitions_that_are_added_are_read_from_their_beginning() -> Result<()> {
    let mut site = Site::new("grown")?;
    site.set("kafka.properties.\"topic.metadata.refresh.interval.ms\"", "500")?;
    let publisher = site.publisher()?;
    publisher.publish(&usages(0, 3))?;
    let mut service = site.serve()?;
    topic::grow(shared().kafka(), "grown", 6)?;
    site.publisher()?.publish(&[usages(0, 1), usages(4, 3), usages(5, 3)].concat())?;
    all_is_as_expected(&site, &service.client())?;
    service.wait_ready()?;
    assert_eq!(site.count("SELECT uniqExact(partition) FROM ledger WHERE from_position = next_position")?, 6);
    assert_eq!(site.count(WRONG_RANGES)?, 0);
    Ok(())
}

#[test]
fn a_compacted_topic_is_refused() -> Result<()> {
    let stack = shared();
    let settings = [("cleanup.policy", "compact")];
    stack.kafka().create_topic_with("compacted", 2, &settings)?;
    let site = Site::on(stack.kafka(), stack.clickhouse(), "compacted")?;
    for command in ["serve", "ingest"] {
        let mut service = site.start(&[command], command)?;
        let status = service.wait_end()?;
        assert_eq!(status.code(), Some(4), "{}", service.log_tail());
        for words in ["the topic compacted has cleanup.policy=compact", "drops the usage"] {
            assert!(service.log().contains(words), "{}", service.log_tail());
        }
    }
    Ok(())
}

#[test]
fn a_topic_that_becomes_compacted_is_read_no_further() -> Result<()> {
    let site = Site::new("becomes_compacted")?;
    let publisher = site.transactional_publisher()?;
    let mut service = site.serve()?;
    publisher.transaction(&usages(0, 2), true)?;
    let records = || service.metric("meterhouse_records_total", &[]);
    wait::until_is("both records to be stored", records, |records| *records == 2)?;
    topic::configure(shared().kafka(), "becomes_compacted", "cleanup.policy", "compact")?;
    // Without holes nothing can be missing. Behind a transaction's marker, records may have been there, too.
    publisher.transaction(&usages(0, 3), true)?;
    assert_eq!(service.wait_end()?.code(), Some(4), "{}", service.log_tail());
    assert!(service.log().contains("has cleanup.policy=compact"), "{}", service.log_tail());
    assert_eq!(site.count("SELECT max(next_position) FROM ledger")?, 2);
    assert_eq!(site.count("SELECT count() FROM usage_events")?, 2, "nothing counts that may lack records");
    Ok(())
}
