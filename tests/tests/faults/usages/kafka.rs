//! The broker is killed, or does not answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use meterhouse_localstack::{Kafka, KafkaOptions};
use meterhouse_tests::kafka::Logged;
use meterhouse_tests::usages::{Usages, persist};
use meterhouse_tests::{Reply, Service, Site, shared, wait};
use serde_json::{Value, json};

use super::{all_is_well, is_repeatable, one, reference, site, usages};

/// How long a record is tried.
const DELIVERY_MS: &str = "3000";
/// Longest time for an answer: a record's, and that of a connection which comes to nothing.
const ANSWER_MAX: Duration = Duration::from_secs(25);
const WRITERS: u32 = 4;
const WRITES: u32 = 12;

/// A site on a broker of its own, whose clients give up soon.
fn serving(kafka: &Kafka, name: &str) -> Result<(Site, Service, Usages)> {
    let mut site = site(kafka, shared().clickhouse(), name)?;
    site.set("kafka.properties.\"message.timeout.ms\"", DELIVERY_MS)?;
    // A broker that is back is found soon.
    site.set("kafka.properties.\"reconnect.backoff.max.ms\"", "500")?;
    let service = site.serve()?;
    let usages = usages(&service);
    Ok((site, service, usages))
}

/// Saves usages one after the other, each with a key and until it is known to be saved. Returns how often one was sent again.
fn save_all(usages: &Usages, writer: u32, begun: &AtomicUsize) -> Result<u32> {
    let mut repeats = 0;
    for write in 0..WRITES {
        let (key, body) = (format!("{writer}-{write}"), one(write, u64::from(writer) + 1));
        begun.fetch_add(1, Ordering::Relaxed);
        let (reply, sent) = persist("a usage to be saved", || usages.save("S", &body, Some(&key)))?;
        ensure!(reply.status == 200, "{reply:?}");
        let reference = reply.json()?[0]["UsageReference"].as_u64().context("a reference")?;
        let is_listed = usages.all("S")?.iter().any(|item| item["UsageReference"] == json!(reference));
        ensure!(is_listed, "{reference} was acknowledged and is not there");
        repeats += sent - 1;
    }
    Ok(repeats)
}

#[test]
fn killed_in_the_middle_of_writes_nothing_is_lost_and_nothing_counts_twice() -> Result<()> {
    let kafka = Kafka::launch(KafkaOptions::default())?;
    let (site, mut service, usages) = serving(&kafka, "usages_kafka_killed")?;
    let begun = AtomicUsize::new(0);
    let repeats: u32 = thread::scope(|scope| {
        let writing: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (usages, begun) = (&usages, &begun);
                scope.spawn(move || save_all(usages, writer, begun))
            })
            .collect();
        for (due, is_away_for_long) in [(8, false), (20, true)] {
            let writes = || Ok(begun.load(Ordering::Relaxed));
            wait::until_is("writes to be under way", writes, |writes| *writes >= due)?;
            kafka.kill()?;
            if is_away_for_long {
                // Longer than a record is tried: those who write are told so.
                let told = || usages.save("S", &one(23, 1000), Some("away"));
                wait::until_is("writes to be refused", told, |reply| reply.status == 503)?;
            }
            kafka.start()?;
            service.wait_ready()?;
        }
        writing.into_iter().map(|thread| thread.join().unwrap()).sum::<Result<_>>()
    })?;
    assert!(repeats > 0, "nobody was disturbed");
    let (away, _) = persist("the last one", || usages.save("S", &one(23, 1000), Some("away")))?;
    assert_eq!(away.status, 200, "{away:?}");
    let units: u64 = usages.all("S")?.iter().filter_map(|item| item["Units"].as_u64()).sum();
    assert_eq!(units, u64::from(WRITES) * (1 + 2 + 3 + 4) + 1000);
    all_is_well(&site, service)
}

#[test]
fn silent_for_too_long_it_leaves_the_outcome_open_and_a_key_settles_it() -> Result<()> {
    let kafka = Kafka::launch(KafkaOptions::default())?;
    let (site, mut service, usages) = serving(&kafka, "usages_kafka_held")?;
    let changed = reference(&usages.save("S", &one(10, 1), None)?)?;
    kafka.pause()?;
    let with_key = || usages.save("S", &one(11, 10), Some("k"));
    let change = || usages.update("S", &changed, &json!({"Units": 100}));
    let replies = all_at_once(&[&with_key, &change, &|| usages.save("S", &one(12, 1000), None)])?;
    is_repeatable(&replies[0])?;
    is_repeatable(&replies[1])?;
    let keyless = &replies[2];
    let told = keyless.json()?["error_code"].clone();
    assert_eq!((keyless.status, told), (503, json!("OUTCOME_UNKNOWN")), "{keyless:?}");
    assert!(!keyless.headers.contains_key("Retry-After"), "nobody is told to send it again");

    kafka.resume()?;
    service.wait_ready()?;
    let saved = reference(&persist("the usage to be saved", with_key)?.0)?;
    assert_eq!(persist("the change to be made", change)?.0.status, 200);
    assert_eq!(reference(&with_key()?)?, saved);
    site.wait_consumed()?;
    let listed = usages.all("S")?;
    let of = |units: u64| listed.iter().filter(|item| item["Units"] == json!(units)).count();
    assert_eq!((of(10), of(100), of(1)), (1, 1, 0), "{listed:?}");
    // The broker may have found the one without a key in its socket; then it is there, once.
    let is_keyless = |record: &&Logged| {
        let value = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default());
        value.contains(r#""UsageEnd":"2026-10-03T12:00:00"#)
    };
    let logged = site.log()?.iter().filter(is_keyless).count();
    assert_eq!((of(1000), listed.len()), (logged, 2 + logged), "{listed:?}");
    all_is_well(&site, service)
}

#[test]
fn away_it_is_said_to_be_so_in_time_and_writes_may_be_repeated() -> Result<()> {
    let kafka = Kafka::launch(KafkaOptions::default())?;
    let (site, mut service, usages) = serving(&kafka, "usages_kafka_away")?;
    let [changed, deleted] = [10, 11].map(|hour| usages.save("S", &one(hour, 1), None));
    let [changed, deleted] = [reference(&changed?)?, reference(&deleted?)?];
    kafka.kill()?;
    service.wait_fault("kafka", "no broker answers")?;
    let repeatable: [Send<'_>; 3] = [
        &|| usages.save("S", &one(12, 10), Some("k")),
        &|| usages.update("S", &changed, &json!({"Units": 100})),
        &|| usages.delete("S", &format!("?UsageReference={deleted}")),
    ];
    // The first ones have a connection still; the others make one, and none has to wait until all before it have failed.
    let keyless: Send<'_> = &|| usages.save("S", &one(13, 1000), None);
    for requests in [repeatable.to_vec(), [&repeatable[..], &repeatable, &[keyless]].concat()] {
        let begun = Instant::now();
        all_at_once(&requests)?.iter().try_for_each(is_repeatable)?;
        assert!(begun.elapsed() < ANSWER_MAX, "{:?}", begun.elapsed());
    }
    assert_eq!(usages.all("S")?.len(), 2, "what there is can be read");
    kafka.start()?;
    service.wait_ready()?;
    for request in repeatable {
        let (reply, _) = persist("a repeated write", request)?;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let units: Vec<Value> = usages.all("S")?.iter().map(|item| item["Units"].clone()).collect();
    assert_eq!(units, [json!(100), json!(10)]);
    all_is_well(&site, service)
}

/// A request.
type Send<'s> = &'s (dyn Fn() -> Result<Reply> + Sync);

/// Sends requests at once.
fn all_at_once(requests: &[Send<'_>]) -> Result<Vec<Reply>> {
    thread::scope(|scope| {
        let sending: Vec<_> = requests.iter().map(|request| scope.spawn(request)).collect();
        let replies = sending
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a request has panicked")).flatten());
        replies.collect()
    })
}
