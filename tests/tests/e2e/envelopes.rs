//! CloudEvents, several events in one record, changes, and transactions: what one record means beside others.

use anyhow::Result;
use meterhouse_tests::check::{all_is_as_expected, history_lines};
use meterhouse_tests::{Message, Site, Usage, wait};

/// An event of so many units.
fn units(units: &str) -> Usage {
    Usage::default().with("Units", units)
}

fn binary(id: &str, usage: &Usage) -> Message {
    let headers = [
        ("ce_specversion", "1.0"),
        ("ce_id", id),
        ("ce_source", "/meters/7"),
        ("ce_type", "com.example.usage"),
        ("content-type", "application/json; charset=utf-8"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec();
    Message { headers, ..usage.message() }
}

fn structured(id: &str, value: &str) -> Message {
    let value = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/meters/7","type":"com.example.usage","data":{value}}}"#
    );
    Message::new("S", value)
}

fn several(usages: &[Usage]) -> String {
    let usages: Vec<String> = usages.iter().map(Usage::json).collect();
    format!(r#"{{"Usages":[{}]}}"#, usages.join(","))
}

#[test]
fn a_cloud_event_is_one_event_in_both_modes() -> Result<()> {
    let site = Site::new("cloud_events")?;
    let messages = [
        binary("a", &units("1")),
        structured("a", &units("1").json()),
        // The envelope names the event: an EventId inside it does not.
        binary("b", &units("2").with("EventId", "e")),
        binary("c", &units("4").with("EventId", "e")),
        // The same id as an EventId is another identity.
        units("8").with("EventId", "a").message(),
        structured("d", &several(&[units("16"), units("32")])),
        binary("", &units("64")),
    ];
    site.publisher()?.publish(&messages)?;
    let service = site.serve()?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!(expected.rejects.into_iter().collect::<Vec<_>>(), [("invalid_envelope".to_owned(), 1)]);
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 63.0"]);
    let header = "SELECT arrayFirst(header -> header.1 = 'ce_source', headers).2 FROM rejects FINAL";
    assert_eq!(site.query(header)?, "/meters/7\n");
    Ok(())
}

#[test]
fn a_record_of_several_events_counts_whole_or_not_at_all() -> Result<()> {
    let site = Site::new("several")?;
    let record = |usages: &[Usage]| Message::new("S", several(usages));
    let named = units("5").with("EventId", "e");
    let messages = [
        record(&vec![units("0.001"); 1000]),
        record(&[units("5"), units("-1")]),
        record(&[named.clone(), named]),
        record(&[]),
    ];
    site.publisher()?.publish(&messages)?;
    let service = site.serve()?;
    let expected = all_is_as_expected(&site, &service.client())?;
    assert_eq!(expected.events, 1000);
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 1.0"]);
    assert_eq!(site.query("SELECT index FROM rejects FINAL ORDER BY reason FORMAT TSV")?, "1\n-1\n1\n");
    Ok(())
}

#[test]
fn a_change_counts_before_and_after_its_original() -> Result<()> {
    let site = Site::new("changes")?;
    let named = |amount| units(amount).with("EventId", "e");
    let change = |amount, action, revision| {
        named(amount).with("Action", action).with_json("Revision", revision).message()
    };
    let publisher = site.publisher()?;
    let service = site.serve()?;
    let steps = [
        (change("3", "amend", "1"), "3.0"),
        (named("7").message(), "3.0"),
        (change("2.5", "amend", "3"), "2.5"),
        (change("9", "amend", "2"), "2.5"),
    ];
    for (message, sum) in steps {
        publisher.publish([&message])?;
        all_is_as_expected(&site, &service.client())?;
        assert_eq!(history_lines(&site, &service.client(), "c")?, [format!("10.2026 cpu {sum}")]);
    }
    publisher.publish([&change("2.5", "delete", "3")])?;
    site.wait_consumed()?;
    assert_eq!(history_lines(&site, &service.client(), "c")?, [""; 0]);
    Ok(())
}

#[test]
fn only_committed_transactions_count() -> Result<()> {
    let site = Site::new("transactions")?;
    let publisher = site.transactional_publisher()?;
    let batch = |amount| vec![units(amount).message().to(1); 20];
    publisher.transaction(&batch("1"), true)?;
    publisher.transaction(&batch("100"), false)?;
    publisher.transaction(&batch("1"), true)?;
    let service = site.serve()?;
    // The last offset is that of a marker, which no consumer sees as a record.
    let expected = site.expected()?;
    assert_eq!(expected.records, 40);
    let stored = || site.count("SELECT count() FROM usage_events FINAL");
    wait::until_is("both transactions to be stored", stored, |count| *count == 40)?;
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 40.0"]);
    // A marker is no record that somebody waits for. The gauge is there a moment after the first record.
    let lag = || Ok(service.scrape()?.sum("meterhouse_lag_records", &[("partition", "1")]));
    wait::until_is("no lag behind the last marker", lag, |lag| *lag == Some(0.0))?;
    assert_eq!(service.readiness()?.0, 200);
    Ok(())
}
