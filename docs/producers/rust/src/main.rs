//! Publishes usage so that it is billed once, whatever fails in between: cargo run BROKERS TOPIC

use anyhow::{Context, Result, bail};
use futures_util::future::join_all;
use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::Timeout;
use serde_json::{Value, json};

/// Each lasts as long as `delivery.timeout.ms`. What is still not delivered then must stay in the meter's own storage.
const ATTEMPTS: usize = 10;

/// What a virtual machine used in an hour. The id follows from what was measured: measured again, it is the same.
fn usage(hour: u32, units: &str) -> Value {
    json!({
        "EventId": format!("vm-42/2026-10-03T{hour:02}"),
        "SubscriptionReference": "83FE4FEF2",
        "OptionCode": "vcpu-hours",
        "Customer": "1000941",
        "UsageStart": format!("2026-10-03T{hour:02}:00:00Z"),
        "UsageEnd": format!("2026-10-03T{:02}:00:00Z", hour + 1),
        "Units": units, // a text: a float would be another number
    })
}

/// Returns when the brokers have acknowledged every event.
///
/// # Errors
/// They have not, in all attempts.
async fn deliver(producer: &FutureProducer, topic: &str, events: &[Value]) -> Result<()> {
    let mut waiting = events.to_vec();
    for _ in 0..ATTEMPTS {
        let outcomes = join_all(waiting.iter().map(|event| publish(producer, topic, event))).await;
        let failed = waiting.into_iter().zip(outcomes).filter_map(|(event, outcome)| {
            outcome.inspect_err(|error| eprintln!("{}: {error}, again", event["EventId"])).is_err().then_some(event)
        });
        // They may have arrived all the same. The same EventId makes that harmless.
        waiting = failed.collect();
        if waiting.is_empty() {
            return Ok(());
        }
    }
    bail!("{} events are not delivered", waiting.len())
}

async fn publish(producer: &FutureProducer, topic: &str, event: &Value) -> Result<()> {
    let (key, value) = (event["SubscriptionReference"].as_str().unwrap_or_default(), event.to_string());
    // The time limit is for room in the queue.
    let sent = producer.send(FutureRecord::to(topic).key(key).payload(&value), Timeout::Never).await;
    sent.map(|_| ()).map_err(|(error, _)| error.into())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (brokers, topic) = (arguments.next().context("no brokers")?, arguments.next().context("no topic")?);
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("delivery.timeout.ms", "30000")
        .set("partitioner", "murmur2_random") // as Kafka's own clients do it
        .create()?;
    let events = [usage(17, "12.5"), usage(18, "0.1"), usage(19, "0.2")];
    deliver(&producer, &topic, &events).await?;

    // Nobody knows whether this one was sent before a crash: send it again.
    deliver(&producer, &topic, &events[..1]).await?;

    // The first hour was measured wrong. An amendment states the whole event as it should have been.
    let mut amendment = usage(17, "12");
    amendment["Action"] = "amend".into();
    amendment["Revision"] = 1.into();
    deliver(&producer, &topic, &[amendment]).await
}
