//! The audit: silent where all is right, and it tells whatever somebody has damaged.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use meterhouse_tests::check::all_is_as_expected;
use meterhouse_tests::{Message, Service, Site, Usage, audit, shared, topic, wait};
use serde_json::Value;

/// What is damaged, how, and which check tells it.
const DAMAGES: [(&str, &str, &str); 8] = [
    ("a customer is gone", "subscription_customers DELETE WHERE customer = 'customer-2'", "subscriptions"),
    (
        "rows of replayed records are gone",
        "usage_events DELETE WHERE (partition, offset) IN \
         (SELECT partition, offset FROM rejects WHERE replay_outcome = 'stored')",
        "events",
    ),
    (
        "and so is their evidence",
        "identities DELETE WHERE (partition, offset) IN \
         (SELECT partition, offset FROM rejects WHERE replay_outcome = 'stored')",
        "replays",
    ),
    ("a row is gone", "usage_events DELETE WHERE (partition, offset) = (1, 7)", "events"),
    (
        "units have changed",
        "usage_events UPDATE units = units + 1 WHERE (partition, offset) = (1, 20)",
        "events",
    ),
    ("evidence is gone", "identities DELETE WHERE (partition, offset) = (2, 9)", "conservation"),
    ("a reject is gone", "rejects DELETE WHERE reason = 'invalid_json'", "conservation"),
    (
        "a range is gone",
        "ledger DELETE WHERE partition = 0 AND from_position < next_position AND from_position = \
         (SELECT min(from_position) FROM ledger WHERE partition = 0 AND from_position < next_position)",
        "ledger",
    ),
];

/// A site where a load with everything in it is stored.
fn stored(name: &str) -> Result<(Site, Service)> {
    let mut site = Site::new(name)?;
    // So every partition has several ranges.
    site.set("ingest.batch_rows", 300)?;
    let size = ["--events", "5000", "--customers", "5"];
    site.generate(&[&size[..], &["--duplicates", "5%", "--late", "5%", "--invalid", "5%"]].concat())?;
    let service = site.serve()?;
    all_is_as_expected(&site, &service.client())?;
    Ok((site, service))
}

/// What `verify --json` prints, and its exit code.
fn verify(site: &Site, arguments: &[&str]) -> Result<(Value, Option<i32>)> {
    let output = site.run(&[&["verify", "--json"], arguments].concat())?;
    let report = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok((report, output.status.code()))
}

/// The checks that found something.
fn checks(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().into_iter().flatten();
    let mut checks: Vec<&str> = findings.filter_map(|finding| finding["check"].as_str()).collect();
    checks.dedup();
    checks
}

fn mutate(site: &Site, sql: &str) -> Result<()> {
    site.query(&format!("{sql} SETTINGS mutations_sync = 1")).map(|_| ())
}

#[test]
fn where_all_is_right_it_finds_nothing_and_every_position_has_its_account() -> Result<()> {
    let (site, mut service) = stored("verified")?;
    let (report, code) = verify(&site, &["--from-kafka"])?;
    assert_eq!((checks(&report), code), (vec![], Some(0)), "{report:#}");
    let sum = |name: &str| -> u64 {
        let partitions = report["partitions"].as_array().into_iter().flatten();
        partitions.filter_map(|partition| partition[name].as_u64()).sum()
    };
    let rejected = site.expected()?.rejects.values().sum::<u64>();
    assert_eq!((sum("stored") + sum("rejected"), sum("rejected"), sum("holes")), (5000, rejected, 0));
    let copies = &report["copies"];
    assert_eq!(copies["identities"], site.count("SELECT count() FROM usage_events FINAL")?);
    assert!(copies["duplicates"].as_u64() > Some(100) && copies["conflicts"] == 0, "{copies}");
    service.terminate()?;
    Ok(())
}

#[test]
fn whatever_is_damaged_is_told() -> Result<()> {
    let (mut site, mut service) = stored("damaged")?;
    // Whoever runs meanwhile may mend what is damaged.
    service.terminate()?;
    site.set("ingest.allow_negative_units", true)?;
    assert!(site.run(&["rejects", "replay"])?.status.success());
    let (mut before, code) = verify(&site, &["--from-kafka"])?;
    assert_eq!(code, Some(0), "{before:#}");
    for (what, sql, check) in DAMAGES {
        mutate(&site, &format!("ALTER TABLE {sql}"))?;
        let (report, code) = verify(&site, &[])?;
        assert_eq!(code, Some(1), "{what}: {report:#}");
        let found = |report: &Value| {
            let findings = report["findings"].as_array().into_iter().flatten();
            findings.filter(|finding| finding["check"] == check).count()
        };
        assert!(found(&report) > found(&before), "{what}: {report:#}");
        before = report;
    }
    let (report, code) = verify(&site, &["--from-kafka"])?;
    assert!(checks(&report).contains(&"kafka"), "the lost evidence of a record in the topic: {report:#}");
    let partitions = report["kafka"].as_array().into_iter().flatten();
    let replayable: u64 = partitions.filter_map(|partition| partition["replayable"].as_u64()).sum();
    assert_eq!(replayable, 0, "what a replay has stored is missing: {report:#}");
    assert_eq!(code, Some(1));
    Ok(())
}

#[test]
fn a_log_that_took_the_place_of_another_is_audited_with_it() -> Result<()> {
    let site = Site::new("succeeded")?;
    let usages = |count| -> Vec<Message> { vec![Usage::default().message().to(0); count] };
    site.publisher()?.publish(&usages(10))?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    service.terminate()?;
    topic::recreate(shared().kafka(), &site.name, 4)?;
    // Shorter, and with a hole where the other one had a record: the marker of the transaction.
    site.transactional_publisher()?.transaction(&usages(3), true)?;
    site.publisher()?.publish(&usages(2))?;
    let accept = ["ledger", "accept", "--partition", "0", "--at", "beginning", "--yes"];
    assert!(site.run(&accept)?.status.success());
    service.start_again()?;
    let events = || site.count("SELECT count() FROM usage_events FINAL");
    wait::until_is("the events of both", events, |events| *events == 15)?;
    site.wait_consumed()?;
    service.terminate()?;
    audit::verify(&site)?;

    let newer = "record_time = (SELECT max(record_time) FROM identities WHERE offset = 1)";
    let damages = [
        (
            "units of the old log",
            "usage_events UPDATE units = units + 1 WHERE offset = 8".to_owned(),
            "events",
        ),
        ("evidence of the old log", "identities DELETE WHERE offset = 7".to_owned(), "conservation"),
        ("evidence of the new log", format!("identities DELETE WHERE offset = 1 AND {newer}"), "kafka"),
    ];
    for (what, sql, check) in damages {
        mutate(&site, &format!("ALTER TABLE {sql}"))?;
        let (report, code) = verify(&site, &["--from-kafka"])?;
        assert!(checks(&report).contains(&check) && code == Some(1), "{what}: {report:#}");
    }
    Ok(())
}

#[test]
fn a_range_that_comes_after_the_first_look_leaves_no_gap() -> Result<()> {
    let site = Site::new("late_range")?;
    assert!(site.run(&["migrate"])?.status.success());
    let account = |ranges: &[(i64, i64)]| {
        let rows: Vec<String> = ranges
            .iter()
            .map(|(from, next)| format!("('{}', 0, {from}, {next}, {})", site.name, next - from))
            .collect();
        let rows = rows.join(", ");
        site.query(&format!(
            "INSERT INTO ledger (topic, partition, from_position, next_position, holes) VALUES {rows}"
        ))
    };
    account(&[(0, 0), (0, 80), (105, 120)])?;
    let (report, code) = verify(&site, &[])?;
    assert_eq!((checks(&report), code), (vec!["ledger"], Some(1)), "{report:#}");
    let (report, code) = thread::scope(|scope| {
        let verifying = scope.spawn(|| verify(&site, &[]));
        // Longer than it takes to the first look, shorter than to the second one.
        thread::sleep(Duration::from_secs(3));
        account(&[(80, 105)])?;
        verifying.join().expect("the thread ends")
    })?;
    assert_eq!((checks(&report), code), (vec![], Some(0)), "{report:#}");
    assert_eq!(report["partitions"][0]["next_position"], 120, "{report:#}");
    Ok(())
}

#[test]
fn usage_that_nobody_owns_is_listed_and_is_no_fault() -> Result<()> {
    let site = Site::new("unattributed")?;
    site.write_subscriptions(
        "subscription,customer,start,expires\nowned,c,,\nleft,c,,2026-10-02T00:00:00Z\n",
    )?;
    let usage = |subscription: &str| {
        Usage::default().with("SubscriptionReference", subscription).without("Customer").message()
    };
    site.publisher()?.publish([&usage("owned"), &usage("left"), &usage("unknown")])?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    let (report, code) = verify(&site, &[])?;
    assert_eq!(code, Some(0), "{report:#}");
    let listed: Vec<&str> = report["unattributed"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|unattributed| unattributed["subscription"].as_str())
        .collect();
    assert_eq!(listed, ["left", "unknown"]);
    service.terminate()?;
    Ok(())
}

#[test]
fn inside_serve_it_runs_again_and_again_and_tells_in_metrics() -> Result<()> {
    let mut site = Site::new("audited")?;
    site.set("verify.interval_seconds", 1)?;
    site.publisher()?.publish([&Usage::default().message()])?;
    let mut service = site.serve()?;
    site.wait_consumed()?;
    let succeeded = || service.metric("meterhouse_verify_last_success_timestamp_seconds", &[]);
    wait::until_is("a clean audit", succeeded, |time| *time > 1_700_000_000)?;
    assert_eq!(service.metric("meterhouse_verify_findings", &[])?, 0);
    mutate(&site, "ALTER TABLE usage_events UPDATE units = units + 1 WHERE 1")?;
    let findings = || service.metric("meterhouse_verify_findings", &[]);
    wait::until_is("the damage to be found", findings, |findings| *findings == 1)?;
    let clean = || service.metric("meterhouse_verify_runs_total", &[("outcome", "clean")]);
    let (last_success, before) = (succeeded()?, clean()?);
    wait::until_is("other slices to be clean", clean, |clean| *clean > before + 1)?;
    assert_eq!(succeeded()?, last_success, "the damage is still there");
    service.terminate()?;
    Ok(())
}

#[test]
fn a_server_that_cannot_be_reached_is_no_clean_audit() -> Result<()> {
    let mut site = Site::new("unverified")?;
    assert!(site.run(&["migrate"])?.status.success());
    assert_eq!(site.run(&["verify"])?.status.code(), Some(0), "nothing is there, and nothing is wrong");
    site.set("clickhouse.url", "http://127.0.0.1:1")?;
    assert_eq!(site.run(&["verify"])?.status.code(), Some(3));
    Ok(())
}
