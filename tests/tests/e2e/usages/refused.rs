//! What is acknowledged by Kafka and never stored is not told to be saved, changed or deleted.

use anyhow::Result;
use meterhouse_tests::usages::{Usages, is_visible, usage};
use meterhouse_tests::{Message, Site, Token, shared, topic, wait};
use serde_json::json;

use super::{TOKEN, site};

#[test]
fn what_the_table_refuses_is_neither_saved_nor_changed_nor_deleted() -> Result<()> {
    let (site, _service, usages) = site("usages_refused")?;
    let saved = usages.saved("S", &json!([usage("kept", "10:00:00", 1), usage("cpu", "11:00:00", 2)]))?;
    site.query("ALTER TABLE usage_events ADD CONSTRAINT kept CHECK is_deleted = 0 OR option_code != 'kept'")?;
    site.query("ALTER TABLE usage_events ADD CONSTRAINT few CHECK units < 100")?;
    let reference = &saved[0]["UsageReference"];
    let replies = [
        usages.delete("S", &format!("?UsageReference={reference}"))?,
        usages.update("S", reference, &json!({"Units": 100}))?,
        usages.save("S", &json!([usage("cpu", "12:00:00", 100)]), None)?,
        usages.save("S", &json!([usage("cpu", "12:00:00", 100)]), Some("k"))?,
    ];
    for reply in replies {
        assert_eq!(reply.status, 400, "{}", reply.body);
        assert!(reply.json()?["message"].as_str().is_some_and(|text| text.starts_with("refused_by_store: ")));
    }
    let listed = usages.all("S")?;
    let units: Vec<_> = listed.iter().map(|item| &item["Units"]).collect();
    assert_eq!(units, [&json!(1), &json!(2)]);
    assert_eq!(usages.delete("S", "?OptionCode=cpu")?.status, 200, "others can be deleted");
    assert_eq!(usages.all("S")?.len(), 1);
    Ok(())
}

/// A recreated topic's offsets are those of the old one, which the ledger has long passed, and where other records were
/// rejected.
#[test]
fn what_the_ledger_says_of_another_log_is_no_answer() -> Result<()> {
    let name = "usages_recreated";
    let site = Site::new(name)?;
    site.write_credentials(&[Token::for_usages(TOKEN, &["*"])])?;
    assert!(site.run(&["migrate"])?.status.success());
    let mut ingest = site.start(&["ingest"], "ingest")?;
    ingest.wait_ready()?;
    let mut api = site.start(&["api"], "api")?;
    api.wait_ready()?;
    let usages = Usages::new(api.client(), TOKEN);
    let garbage = |partition| vec![Message::new("S", "no usage").to(partition); 10];
    site.publisher()?.publish(&(0..4).flat_map(garbage).collect::<Vec<_>>())?;
    site.wait_consumed()?;
    let saved = usages.saved("S", &json!([usage("cpu", "09:00:00", 1)]))?;
    ingest.terminate()?;
    topic::recreate(shared().kafka(), name, 4)?;

    let reply = usages.save("S", &json!([usage("cpu", "10:00:00", 2)]), None)?;
    assert_eq!((reply.status, is_visible(&reply)), (200, false), "{}", reply.body);
    let query = format!("?UsageReference={}", saved[0]["UsageReference"]);
    assert_eq!(usages.delete("S", &query)?.status, 503);
    assert_eq!(usages.all("S")?.len(), 1);

    ingest.start_again()?;
    for partition in ["0", "1", "2", "3"] {
        ingest.wait_fault("partitions", &format!("{name}/{partition} stopped"))?;
        let output =
            site.run(&["ledger", "accept", "--partition", partition, "--at", "beginning", "--yes"])?;
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    ingest.wait_ready()?;
    wait::until_is(
        "one to be there, the other one deleted",
        || usages.all("S"),
        |listed| listed.iter().map(|item| &item["Units"]).eq([&json!(2)]),
    )?;
    usages.saved("S", &json!([usage("cpu", "11:00:00", 3)]))?;
    Ok(())
}

/// A record may be as long as a broker takes by default, which is more than Kafka's client does.
#[test]
fn what_is_too_large_is_what_the_broker_does_not_take() -> Result<()> {
    let name = "usages_large";
    let (site, _service, usages) = site(name)?;
    let described = |text: &str| {
        let mut usage = usage("cpu", "10:00:00", 1);
        usage["Description"] = text.into();
        usage
    };
    let saved = usages.saved("S", &json!(vec![described(&"x".repeat(690)); 1000]))?;
    assert_eq!(saved.len(), 1000);
    let lengths = site.log()?.into_iter().filter_map(|record| Some(record.value?.len()));
    let length = lengths.max().unwrap_or_default();
    assert!((1_000_001..=1_048_576).contains(&length), "{length}");

    topic::configure(shared().kafka(), name, "max.message.bytes", "800")?;
    // What does not become shorter by compression.
    let text: String =
        (0..300_u32).map(|n| char::from_u32(0x4e00 + n * 7919 % 20_000).unwrap_or('x')).collect();
    for key in [None, Some("k")] {
        let reply = usages.save("S", &json!([described(&text)]), key)?;
        assert_eq!(reply.status, 413, "{}", reply.body);
    }
    usages.saved("S", &json!([usage("ram", "10:00:00", 1)]))?;
    assert_eq!(usages.all("S")?.len(), 1001);
    Ok(())
}
