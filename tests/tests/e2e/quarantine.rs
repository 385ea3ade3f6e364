//! Quarantine: what is in it, and the way out.

mod moved;

use std::collections::BTreeMap;
use std::process::{Output, Stdio};

use anyhow::{Context, Result, ensure};
use meterhouse_tests::check::{histories_are_as_expected, history_lines};
use meterhouse_tests::{Message, Service, Site, Usage, shared, wait};
use serde_json::Value;

const STRICT: &str = "code,service\ncpu,compute\nscale,compute\n";
/// All codes of these tests and of `generate`, each shown as its own service but for `gpu`.
const EXTENDED: &str = "code,service\ncpu,compute\ngpu,compute\nscale,scale\n\
    compute-vcpu-hours,compute-vcpu-hours\n\
    memory-gib-hours,memory-gib-hours\n\
    block-storage-gib-hours,block-storage-gib-hours\n\
    object-storage-gib-hours,object-storage-gib-hours\n\
    backup-gib-hours,backup-gib-hours\n\
    egress-gib,egress-gib\n\
    requests-thousand,requests-thousand\n\
    load-balancer-hours,load-balancer-hours\n\
    database-hours,database-hours\n\
    domains,domains\n\
    support-minutes,support-minutes\n";

/// A site whose catalog knows few option codes, and asks for them.
fn strict(name: &str) -> Result<Site> {
    let mut site = Site::new(name)?;
    site.set("ingest.require_known_option", true)?;
    site.write_catalog(STRICT)?;
    Ok(site)
}

fn stored(site: &Site) -> Result<Service> {
    let service = site.serve()?;
    site.wait_consumed()?;
    Ok(service)
}

fn usage(id: &str, option: &str) -> Usage {
    Usage::default().with("EventId", id).with("OptionCode", option)
}

/// Runs a command that succeeds, and returns its lines of JSON.
fn lines(site: &Site, arguments: &[&str]) -> Result<Vec<Value>> {
    let output = site.run(&[&["rejects"], arguments, &["--json"]].concat())?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)?.lines().map(|line| serde_json::from_str(line).context("JSON")).collect()
}

/// Replays, and returns the outcome by place, and the sum.
fn replay(site: &Site, arguments: &[&str]) -> Result<(BTreeMap<String, String>, Value)> {
    let mut lines = lines(site, &[&["replay"], arguments].concat())?;
    let sum = lines.pop().context("no sum")?;
    let outcome = |line: &Value| {
        let text = line["outcome"].as_str().unwrap_or_default().to_owned();
        (format!("{}/{}", line["partition"], line["offset"]), text)
    };
    Ok((lines.iter().map(outcome).collect(), sum))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Nothing is unaccounted for, and nothing accounted for twice.
fn verify(site: &Site) -> Result<()> {
    let output = site.run(&["verify"])?;
    ensure!(output.status.success(), "{}{}", text(&output), String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn outcomes(site: &Site) -> Result<Vec<String>> {
    let sql = "SELECT concat(toString(offset), ' ', reason, ' ', replay_outcome) FROM rejects FINAL ORDER BY offset FORMAT TSVRaw";
    Ok(site.query(sql)?.lines().map(str::to_owned).collect())
}

#[test]
fn killed_again_and_again_and_run_twice_at_once_it_stores_each_once() -> Result<()> {
    let site = strict("replay_killed")?;
    site.generate(&["--events", "6000", "--customers", "5", "--duplicates", "5%", "--invalid", "2%"])?;
    let service = stored(&site)?;
    let open = || site.count("SELECT count() FROM rejects FINAL WHERE replay_outcome = ''");
    let before = open()?;
    site.write_catalog(EXTENDED)?;
    let arguments = ["rejects", "replay", "--reason", "unknown_option_code"];
    for _ in 0..5 {
        let left = open()?;
        let mut child = site.command(&arguments)?.stdout(Stdio::null()).spawn()?;
        wait::until_is("some to be replayed", open, |open| *open < left)?;
        child.kill()?;
        child.wait()?;
    }
    assert!(open()? > 500, "it was too fast for a kill in the middle");
    let mut pair = Vec::new();
    for _ in 0..2 {
        pair.push(site.command(&arguments)?.stdout(Stdio::null()).spawn()?);
    }
    for mut child in pair {
        assert!(child.wait()?.success());
    }
    let expected = site.expected()?;
    let unusable: u64 = expected.rejects.values().sum();
    assert!(before > unusable + 1000, "{before} {unusable}");
    let left = "SELECT reason, count() FROM rejects FINAL WHERE replay_outcome NOT IN ('stored', 'duplicate') \
                GROUP BY reason ORDER BY reason FORMAT TSV";
    let rejects = expected.rejects.iter().map(|(reason, count)| format!("{reason}\t{count}\n"));
    assert_eq!(site.query(left)?, rejects.collect::<String>(), "what no catalog can help");
    assert_eq!(site.count("SELECT count() FROM usage_events FINAL")?, expected.events);
    assert_eq!(site.count("SELECT count() FROM identities FINAL")?, expected.copies, "evidence of each copy");
    // The service has taken note of the catalog.
    let are_as_expected = || {
        Ok(expected.history.iter().all(|(customer, history)| {
            service.client().history(site.token(), customer).is_ok_and(|found| found == *history)
        }))
    };
    wait::until_is("the expected histories", are_as_expected, |are| *are)?;

    let ended = "SELECT count(), countIf(ended_at > started_at), any(filter), any(principal) LIKE '%@%' FROM replays FINAL FORMAT TSV";
    assert_eq!(site.query(ended)?, "7\t2\t--reason unknown_option_code --state open\t1\n");
    let (again, sum) = replay(&site, &["--reason", "unknown_option_code"])?;
    assert_eq!((again.len(), sum["replayed"].as_u64()), (0, Some(0)));
    let all = replay(&site, &["--state", "replayed"])?.1;
    assert_eq!(all["replayed"].as_u64(), Some(before - unusable), "to store them once more changes nothing");
    verify(&site)?;
    assert_eq!(site.count("SELECT count() FROM usage_events FINAL")?, expected.events);
    histories_are_as_expected(&site, &service.client(), &expected)
}

#[test]
fn what_is_usable_now_is_stored_unless_its_identity_is_taken() -> Result<()> {
    let site = strict("replay_conflicts")?;
    let several = |ids: [&str; 2]| {
        let usages = ids.map(|id| usage(id, "gpu").with("Units", "100").json()).join(",");
        Message::new("S", format!("{{\"Usages\":[{usages}]}}"))
    };
    let messages = [
        usage("taken", "gpu").message(), // 0: 1 comes with other content
        usage("taken", "cpu").message(), // 1
        usage("equal", "gpu").message(), // 2
        usage("equal", "gpu").message(), // 3: the same once more
        usage("two", "gpu").message(),   // 4
        usage("two", "gpu").with("Units", "50").message(), // 5: other content than 4
        several(["free", "taken"]),      // 6: one of two is taken
        several(["free-1", "free-2"]),   // 7
        usage("amended", "gpu").message(), // 8
        usage("amended", "gpu")
            .with("Units", "7")
            .with("Action", "amend")
            .with_json("Revision", "1")
            .message(), // 9
        Usage::default().with("OptionCode", "gpu").message(), // 10: known by its place
        usage("never", "other").message(), // 11: the catalog never has it
    ];
    site.publisher()?.publish(&messages)?;
    let service = stored(&site)?;
    assert_eq!(site.stored_rejects()?, BTreeMap::from([("unknown_option_code".to_owned(), 11)]));
    site.write_catalog(EXTENDED)?;
    let partition = site.count("SELECT any(partition) FROM rejects")?;

    let fates = [
        (0, "conflict"),
        (2, "stored"),
        (3, "duplicate"),
        (4, "stored"),
        (5, "conflict"),
        (6, "conflict"),
        (7, "stored"),
        (8, "stored"),
        (9, "stored"),
        (10, "stored"),
        (11, "rejected"),
    ];
    let fates: BTreeMap<String, String> =
        fates.iter().map(|(offset, fate)| (format!("{partition}/{offset}"), (*fate).to_owned())).collect();
    let before = content(&site)?;
    let (would, sum) = replay(&site, &["--dry-run"])?;
    assert_eq!((would, sum["dry_run"].as_bool()), (fates.clone(), Some(true)));
    assert_eq!(content(&site)?, before, "a dry run writes nothing");

    assert_eq!(replay(&site, &[])?.0, fates);
    // In the order of the records: taken, equal, two, free-1 and free-2, amended, the one that is known by its place.
    let sum = 1 + 1 + 1 + 200 + 7 + 1;
    let is_sum = |lines: &Vec<String>| *lines == [format!("10.2026 compute {sum}.0")];
    wait::until_is("the sum", || history_lines(&site, &service.client(), "c"), is_sum)?;
    let details = site
        .query("SELECT detail FROM rejects FINAL WHERE offset IN (0, 5, 6) ORDER BY offset FORMAT TSVRaw")?;
    let place = |offset: u32| {
        format!("replay_conflicts {partition}/{offset}[0] has the same identity and other content")
    };
    for (detail, place) in details.lines().zip([place(1), place(4), place(1)]) {
        assert!(
            detail.contains(&place) && detail.contains("first rejected as unknown_option_code"),
            "{detail}"
        );
    }

    verify(&site)?;

    // Whatever is done again ends in the same.
    let after = outcomes(&site)?;
    let open: BTreeMap<_, _> =
        fates.into_iter().filter(|(_, fate)| ["conflict", "rejected"].contains(&fate.as_str())).collect();
    assert_eq!(replay(&site, &[])?.0, open);
    assert_eq!(outcomes(&site)?, after);
    assert_eq!(replay(&site, &["--reason", "conflicting_duplicate"])?.0.len(), 3);
    assert_eq!(outcomes(&site)?, after);
    assert_eq!(history_lines(&site, &service.client(), "c")?, [format!("10.2026 compute {sum}.0")]);
    Ok(())
}

/// A hash of all rows of all tables.
fn content(site: &Site) -> Result<BTreeMap<String, String>> {
    let tables = site.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine != 'MaterializedView'",
    )?;
    let hash = |table: &str| {
        let sql = format!("SELECT count(), sum(cityHash64(*)) FROM {table} FORMAT TSV");
        Ok((table.to_owned(), site.query(&sql)?))
    };
    tables.lines().map(hash).collect()
}

#[test]
fn an_outcome_is_not_hidden_by_the_same_record_read_again() -> Result<()> {
    let mut site = strict("replay_again")?;
    site.publisher()?.publish(&[usage("e", "gpu").message(), usage("f", "other").message()])?;
    let mut service = stored(&site)?;
    site.write_catalog(EXTENDED)?;
    replay(&site, &[])?;
    let expected = ["0 unknown_option_code stored", "1 unknown_option_code rejected"];
    assert_eq!(outcomes(&site)?, expected);
    service.terminate()?;
    // All of it is read again, by the old rules.
    site.write_catalog(STRICT)?;
    site.query("TRUNCATE TABLE ledger")?;
    site.set("kafka.group_id", "replay_again_2")?;
    let service = site.serve()?;
    let records = || service.metric("meterhouse_records_total", &[]);
    wait::until_is("both to be read again", records, |records| *records == 2)?;
    site.query("OPTIMIZE TABLE rejects FINAL")?;
    assert_eq!(outcomes(&site)?, expected);
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 gpu 1.0"]);
    // What is stored stays so, whatever the present rules say.
    assert_eq!(replay(&site, &["--state", "all"])?.1["rejected"].as_u64(), Some(2));
    assert_eq!(outcomes(&site)?, expected);
    Ok(())
}

#[test]
fn what_a_replay_stored_before_it_was_killed_is_no_conflict_with_what_came_later() -> Result<()> {
    let site = strict("replay_half")?;
    let publisher = site.publisher()?;
    publisher.publish(&[usage("a", "gpu").message(), usage("b", "gpu").message()])?;
    let service = stored(&site)?;
    site.write_catalog(EXTENDED)?;
    site.query("CREATE TABLE before ENGINE = Memory AS SELECT * FROM rejects")?;
    replay(&site, &[])?;
    // As if it had been killed: before it took note of both, and of one even before its evidence was there.
    site.query("TRUNCATE TABLE rejects")?;
    site.query("INSERT INTO rejects SELECT * FROM before")?;
    site.query("ALTER TABLE identities DELETE WHERE offset = 1 SETTINGS mutations_sync = 2")?;
    let other = ["a", "b"].map(|id| usage(id, "cpu").with("Units", "5").message());
    publisher.publish(&other)?;
    site.wait_consumed()?;
    // A sweep may have put a loser into quarantine by now.
    let fates: Vec<String> = replay(&site, &["--reason", "unknown_option_code"])?.0.into_values().collect();
    assert_eq!(fates, ["stored", "stored"]);
    assert_eq!(site.count("SELECT count() FROM identities FINAL")?, 4, "a sweep finds both copies of each");
    drop(service);
    Ok(())
}

#[test]
fn an_event_that_lost_stays_out_and_the_others_of_its_record_in() -> Result<()> {
    let site = strict("replay_event")?;
    let both = ["lost", "kept"].map(|id| usage(id, "cpu").with("Units", "5").json()).join(",");
    let messages = [usage("lost", "cpu").message(), Message::new("S", format!("{{\"Usages\":[{both}]}}"))];
    site.publisher()?.publish(&messages)?;
    let service = stored(&site)?;
    // As whoever looks for conflicts takes note of one.
    site.query(&format!(
        "INSERT INTO rejects (topic, partition, offset, record_time, index, scope, reason, raw, raw_length) \
         SELECT topic, partition, offset, record_time, index, 'event', 'conflicting_duplicate', \
         '{{\"Usages\":[{both}]}}' AS raw, length(raw) FROM usage_events WHERE offset = 1 AND index = 0"
    ))?;
    for _ in 0..2 {
        let fates: Vec<String> = replay(&site, &[])?.0.into_values().collect();
        assert_eq!(fates, ["conflict"]);
        assert_eq!(
            site.query("SELECT reason, index, detail LIKE '%/0[0] has%' FROM rejects FINAL FORMAT TSV")?,
            "conflicting_duplicate\t0\t1\n"
        );
        assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 compute 6.0"]);
    }
    Ok(())
}

#[test]
fn what_is_kept_in_part_is_read_from_kafka_again() -> Result<()> {
    let mut site = Site::new("replay_large")?;
    site.set("ingest.max_record_bytes", 80_000)?;
    let padded = |bytes: usize| {
        let json = usage(&bytes.to_string(), "cpu").json();
        Message::new("S", " ".repeat(bytes - json.len()) + &json)
    };
    let messages = [padded(80_001).to(0), padded(80_002).to(1), padded(200_000).to(1), padded(80_003).to(1)];
    site.publisher()?.publish(&messages)?;
    let service = stored(&site)?;
    assert_eq!(site.stored_rejects()?, BTreeMap::from([("too_large".to_owned(), 4)]));
    // Retention takes one of them.
    let file = site.dir().join("delete.json");
    std::fs::write(
        &file,
        r#"{"version":1,"partitions":[{"topic":"replay_large","partition":1,"offset":1}]}"#,
    )?;
    let file = file.to_string_lossy().into_owned();
    shared().kafka().tool("org.apache.kafka.tools.DeleteRecordsCommand", &["--offset-json-file", &file])?;
    site.set("ingest.max_record_bytes", 100_000)?;
    let fates = [("0/0", "stored"), ("1/0", "unavailable"), ("1/1", "rejected"), ("1/2", "stored")];
    let fates = fates.map(|(place, fate)| (place.to_owned(), fate.to_owned()));
    assert_eq!(replay(&site, &[])?.0, BTreeMap::from(fates));
    assert_eq!(history_lines(&site, &service.client(), "c")?, ["10.2026 cpu 2.0"]);
    verify(&site)?;

    site.set("kafka.brokers", "127.0.0.1:1")?;
    let output = site.run(&["rejects", "replay"])?;
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("kafka at 127.0.0.1:1"), "{output:?}");
    Ok(())
}

#[test]
fn rejects_are_found_by_every_filter() -> Result<()> {
    let site = strict("rejects_listed")?;
    let time = 1_790_000_000_000;
    let of =
        |subscription: &str| usage("e", "gpu").with("SubscriptionReference", subscription).on("2026-09-20");
    let binary = b"\x1b[31m\xff".to_vec();
    let messages = [
        Message { value: Some(binary.clone()), key: Some(b"K".to_vec()), ..Message::default() }
            .at(time)
            .to(0),
        of("T").message().at(time + 1).to(0),
        Message::new(
            "x",
            format!("{{\"Usages\":[{},{}]}}", usage("f", "cpu").on("2026-09-20").json(), of("U").json()),
        )
        .at(time + 2)
        .to(1),
        Message::new("V", "[").at(time + 3).to(2),
    ];
    site.publisher()?.publish(&messages)?;
    let service = stored(&site)?;
    let listed = |arguments: &[&str]| -> Result<Vec<String>> {
        let lines = lines(&site, &[&["list"], arguments].concat())?;
        Ok(lines.iter().map(|line| format!("{}/{}", line["partition"], line["offset"])).collect())
    };
    let of_ms = |ms: u32| format!("2026-09-21T14:13:20.00{ms}Z");
    assert_eq!(listed(&[])?, ["2/0", "1/0", "0/1", "0/0"], "the newest first");
    assert_eq!(listed(&["--reason", "invalid_utf8", "--reason", "not_an_object"])?.len(), 1);
    assert_eq!(listed(&["--reason", "unknown_option_code"])?, ["1/0", "0/1"]);
    assert_eq!(listed(&["--from", &of_ms(1), "--to", &of_ms(3)])?, ["1/0", "0/1"]);
    assert_eq!(listed(&["--partition", "0"])?, ["0/1", "0/0"]);
    for (subscription, place) in [("K", "0/0"), ("T", "0/1"), ("U", "1/0"), ("V", "2/0")] {
        assert_eq!(listed(&["--subscription", subscription])?, [place], "{subscription}");
    }
    assert_eq!(listed(&["--limit", "1"])?, ["2/0"]);
    let table = text(&site.run(&["rejects", "list", "--limit", "3"])?);
    assert!(table.contains("3 of 4 rejects, 1 more"), "{table}");
    assert!(table.contains("unknown_option_code") && table.lines().count() == 5, "{table}");

    let shown = text(&site.run(&["rejects", "show", "0/0"])?);
    assert!(shown.contains("00000000  1b 5b 33 31 6d ff") && !shown.contains('\u{1b}'), "{shown}");
    assert!(shown.contains("sha256:") && shown.contains("invalid_utf8"), "{shown}");
    let shown = lines(&site, &["show", &format!("0/1@{}", of_ms(1))])?;
    assert_eq!(shown[0]["detail"].as_str().map(|detail| detail.contains("gpu")), Some(true), "{shown:?}");
    for (arguments, code) in [
        (vec!["show", "0/7"], 1),
        (vec!["show", "0/0@2020-01-01T00:00:00Z"], 1),
        (vec!["show", "here"], 2),
        (vec!["list", "--reason", "bad_mood"], 2),
        (vec!["list", "--from", "yesterday"], 2),
    ] {
        let output = site.run(&[vec!["rejects"], arguments.clone()].concat())?;
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    }

    // With the last one the limit is reached: the others stay open.
    site.write_catalog(EXTENDED)?;
    assert_eq!(replay(&site, &["--limit", "1", "--reason", "unknown_option_code"])?.0.len(), 1);
    assert_eq!(listed(&["--state", "replayed"])?, ["0/1"], "the first one first");
    assert_eq!(listed(&["--state", "open"])?, ["2/0", "1/0", "0/0"]);
    assert_eq!(listed(&["--state", "all"])?.len(), 4);
    drop(service);
    Ok(())
}

#[test]
fn a_database_that_cannot_be_reached_or_is_not_ready_is_told() -> Result<()> {
    let mut site = Site::new("rejects_nowhere")?;
    assert_eq!(site.run(&["rejects", "list"])?.status.code(), Some(4), "not migrated");
    site.set("clickhouse.url", "http://127.0.0.1:1")?;
    for command in ["list", "replay"] {
        assert_eq!(site.run(&["rejects", command])?.status.code(), Some(3), "{command}");
    }
    Ok(())
}
